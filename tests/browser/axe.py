"""What axe-core finds on a page that keeps people with a disability from using it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
# Colours that are half way to others would be measured.
LEAVE_THE_DARK = """() => {
    document.documentElement.classList.remove("dark");
    for (const each of document.getAnimations()) {
        if (each instanceof CSSTransition) each.finish();
    }
}"""
axe = Axe()


def assert_accessible(page: Page, within: str | None = None) -> None:
    """Nothing serious or critical; a failure names rule, element and what to do.

    `within` is the selector of the only part that is looked at, which has to be there.
    """
    found = [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in axe.run(page, context=within).response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
    assert found == [], "\n\n".join(found)


def assert_accessible_in_both_themes(page: Page) -> None:
    """The same for both themes, of a page of the back office that was opened with dark colours.

    Such a page reads the system's theme once, when it loads, and then has the class `dark`; the
    light one is the same page without it, for half the time of loading it again.
    """
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    assert_accessible(page)
    page.emulate_media(color_scheme="light")
    page.evaluate(LEAVE_THE_DARK)
    assert_accessible(page)
    page.emulate_media(color_scheme="dark")
