"""From a new search to its file, with a real worker, and without loading a page anew."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from search.models import CustomerSearch
from tests import factories, jobs
from tests.browser.axe import assert_accessible
from tests.browser.conftest import PHONE
from tests.customers import ADA, create
from tests.workers import worker

pytestmark = [pytest.mark.browser, pytest.mark.no_cover]
LIST = "/admin/search/customersearch/"
# A worker has to start first, on a machine that has much else to do.
WAIT = 120_000


def test_a_new_search_ends_as_a_downloaded_file(
    page: Page, account, storage, tmp_path, empty_queue, settings
):
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path / "results"
    factories.make_customer(account, first_name="Grace", last_name="Hopper")
    factories.make_customer(account)
    page.goto("/admin/")
    page.get_by_role("link", name="Searches", exact=True).first.click()
    page.get_by_role("button", name="New search").click()
    page.get_by_label("Customer type").select_option(label="Individuals")
    page.get_by_label("Last name").fill("hopper")
    page.get_by_label("Email").fill("nobody")
    page.get_by_label("Format").select_option(label="CSV for Excel")
    page.get_by_role("button", name="Start search").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_accessible_description(
        "The whole address, of any contact. Not an e-mail address."
    )
    assert_accessible(page)
    page.get_by_label("Email").fill("")
    page.get_by_role("button", name="Start search").click()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "0")
    expect(page.get_by_text("Waiting", exact=True)).to_be_visible()
    assert_accessible(page)
    page.evaluate("window.isTheSamePage = true")
    with worker(empty_queue, tmp_path):
        expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=WAIT)
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_count(1)
    assert page.evaluate("window.isTheSamePage")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert [row["lastName"] for row in csv.DictReader(file)] == ["Hopper"]
    page.reload()
    expect(page.get_by_text("Downloaded the file.")).to_be_visible()
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("The search is queued again, as a new one.")).to_be_visible()


def test_customers_are_looked_up_by_a_file_of_their_ids(
    open_page, account, owner, storage, tmp_path, empty_queue, settings
):
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path / "results"
    create(owner, ADA, externalId="A-1")
    clerk = factories.make_employee(account, role="View Only", is_staff=True)
    page = open_page(clerk, viewport=PHONE)
    page.goto(f"{LIST}add/")
    field = page.get_by_label("File of external ids")
    choose(field, "\n".join(map(str, range(16_001))))
    page.get_by_role("button", name="Start search").click()
    expect(field).to_have_accessible_description(re.compile("There are 16,001 ids in this file"))
    choose(field, "externalId\nA-1\nN-1\nN-2\n")
    page.get_by_label("Email").fill("nobody")
    page.get_by_role("button", name="Start search").click()
    expect(page.get_by_text("3 ids of the file that you chose are kept.")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Email").fill("")
    page.get_by_role("button", name="Start search").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    with worker(empty_queue, tmp_path):
        unknown = page.get_by_role("link", name="Download unknown ids")
        expect(unknown).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        unknown.click()
    with Path(download.value.path()).open(newline="") as file:
        assert list(csv.reader(file)) == [["externalId"], ["N-1"], ["N-2"]]


def choose(field: Locator, text: str) -> None:
    field.set_input_files({"name": "ids.csv", "mimeType": "text/csv", "buffer": text.encode()})


def test_a_search_is_cancelled_by_keyboard_after_a_question(page: Page, owner):
    search = jobs.submit(owner)
    page.goto(f"{LIST}{search.pk}/change/")
    page.get_by_role("button", name="Cancel").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Individuals")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Cancel").press("Enter")
    dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_role("status").filter(has_text="The search was cancelled.")).to_be_visible()
    assert CustomerSearch.objects.get(pk=search.pk).status == "ABORTED"


def test_the_list_follows_what_runs(page: Page, owner):
    search = jobs.submit(owner)
    page.goto(LIST)
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    held = jobs.claim(search)
    held.start()
    held.note(rows=30, estimated_rows=120)
    expect(bar).to_have_attribute("aria-valuenow", "25")
    assert_accessible(page)
    held.fail("STORAGE_FULL", "There is no space left for result files.")
    expect(page.get_by_role("row").get_by_text("Failed")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("There is no space left")
    expect(bar).to_have_count(0)


def test_who_is_on_a_phone_in_the_dark_can_search_too(open_page, operator, owner):
    search = jobs.submit(owner)
    phone = open_page(operator, viewport=PHONE, color_scheme="dark")
    for path in (LIST, f"{LIST}add/", f"{LIST}{search.pk}/change/"):
        phone.goto(path)
        assert_accessible(phone)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
