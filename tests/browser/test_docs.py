"""The page of the API documentation."""

from urllib.parse import urlsplit

import pytest

from tests.documented import operations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_shows_it_all_and_fetches_nothing_from_elsewhere(chromium, live_server):
    host = urlsplit(live_server.url).netloc
    fetched, errors = [], []
    # Not `open_page`: Redoc asks for its logo from elsewhere, which the page's policy refuses.
    page = chromium.new_page()
    page.on("requestfinished", lambda request: fetched.append(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{live_server.url}/docs")
    page.wait_for_selector('[id$="operation/downloadResult"]')
    text = page.inner_text("#docs")
    page.close()
    assert errors == []
    assert set(fetched) - {""} == {host}
    for _, _, operation in operations():
        assert operation["summary"] in text
    assert "Five minutes" in text
