"""What axe-core finds on a page that keeps people with a disability from using it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
axe = Axe()


def assert_accessible(page: Page) -> None:
    """Nothing serious or critical; a failure names rule, element and what to do."""
    found = [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in axe.run(page).response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
    assert found == [], "\n\n".join(found)
