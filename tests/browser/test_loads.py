"""From a file in the wild to its load, to the lines that failed, to their correction."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from tests.browser.axe import assert_accessible
from tests.browser.conftest import PHONE
from tests.workers import worker

pytestmark = [pytest.mark.browser, pytest.mark.no_cover]
# As Excel saves it in Germany: no UTF-8, semicolons, other names, days first.
TABLE = (
    "Kd-Schlüssel;Vorname;Nachname;E-Mail;Telefon;Geburtsdatum;Straße;Ort;Land;PLZ\r\n"
    "C-1;Zoë;Müller;zoe@example.com;+493012345678;31.12.1980;Hauptstr. 1;Köln;DE;50667\r\n"
    "C-2;Jürgen;Groß;keine;;1.2.1975;Am Markt 3;Bonn;DE;53111\r\n"
    "C-3;Ada;Lovelace;ada@example.com;;10.12.1985;;;;\r\n"
)


def choose(page: Page, name: str, body: bytes) -> None:
    """Upload a file, and come to its preview."""
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": body}
    )
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("heading", name="First rows")).to_be_visible()


def number(page: Page, name: str):
    """The figure under a word."""
    return page.locator(".number", has=page.get_by_text(name, exact=True)).locator("dd")


def assert_fits(page: Page) -> None:
    """The page cannot be scrolled sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_file_with_a_bad_line_is_loaded_and_the_line_is_corrected_alone(
    page: Page, open_page, operator, data, own_queue
):
    page.goto("/admin/ingest/bulkrequest/")
    expect(page.get_by_role("heading", name="Loads").first).to_be_visible()
    page.get_by_role("button", name="Upload", exact=True).click()
    with page.expect_download() as template:
        page.get_by_role("link", name="CSV template").click()
    assert Path(template.value.path()).read_text("utf-8-sig").startswith("externalId,type,")
    assert_accessible(page)
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Choose a file first.")

    choose(page, "kunden.csv", TABLE.encode("cp1252"))
    expect(page.get_by_text("Windows-1252")).to_be_visible()
    expect(page.get_by_role("cell", name="Müller", exact=True)).to_be_visible()
    page.get_by_label("Kd-Schlüssel").select_option(label="External id")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_text("1 of 3 rows would fail")).to_be_visible()
    expect(page.get_by_label("Kd-Schlüssel")).to_have_value("externalId")
    assert_accessible(page)

    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    with worker(own_queue, data):
        expect(page.get_by_text("Checked, 1 line failed")).to_be_visible(timeout=60_000)
        assert not Customer.objects.exists()
        page.get_by_role("button", name="Load", exact=True).click()
        expect(page.get_by_text("Finished, 1 line failed")).to_be_visible(timeout=60_000)
        expect(number(page, "Created")).to_have_text("2")
        expect(number(page, "Failed")).to_have_text("1")
        expect(page.get_by_role("cell", name="keine", exact=True)).to_be_visible()
        assert_accessible(page)
        page.get_by_role("button", name="Undo", exact=True).click()
        undo = page.get_by_role("dialog", name="Undo kunden.csv?")
        undo.get_by_role("button", name="Keep it").click()
        expect(undo).to_be_hidden()
        loaded = page.url

        with page.expect_download() as download:
            page.get_by_role("link", name="Failed lines").click()
        text = Path(download.value.path()).read_text("utf-8-sig")
        assert len(text.splitlines()) == 2
        page.goto("/admin/ingest/bulkrequest/upload/")
        choose(page, "korrigiert.csv", text.replace("keine", "j@example.com").encode("utf-8-sig"))
        expect(page.get_by_label("Kd-Schlüssel")).to_have_value("externalId")
        expect(page.get_by_text("Nothing wrong in 1 row")).to_be_visible()
        page.get_by_role("button", name="Load", exact=True).click()
        expect(page.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    assert Customer.objects.count() == 3
    with page.expect_download() as results:
        page.get_by_role("link", name="Results").click()
    assert "C-2,CREATED" in Path(results.value.path()).read_text("utf-8-sig")

    choose_again = "/admin/ingest/bulkrequest/upload/"
    page.goto(choose_again)
    choose(page, "kunden.csv", TABLE.encode("cp1252"))
    expect(page.get_by_text("This very file was loaded before")).to_be_visible()
    for viewport in (None, PHONE):
        dark = {"color_scheme": "dark"} | ({"viewport": viewport} if viewport else {})
        window = open_page(operator, **dark)
        for url in ("/admin/ingest/bulkrequest/", choose_again, page.url, loaded):
            window.goto(url)
            assert_fits(window)
            assert_accessible(window)
    small = open_page(operator, viewport=PHONE)
    small.goto(page.url)
    assert_accessible(small)
    small.get_by_role("button", name="Discard").click()
    dialog = small.get_by_role("dialog", name="Discard kunden.csv?")
    dialog.get_by_role("button", name="Discard").click()
    expect(small.get_by_text("kunden.csv was discarded.")).to_be_visible()
    assert_accessible(small)
