"""The page of the API documentation."""

from urllib.parse import urlsplit

import pytest

from tests.documented import operations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_shows_it_all_and_fetches_nothing_from_elsewhere(open_page, live_server):
    host = urlsplit(live_server.url).netloc
    fetched = []
    page = open_page()
    page.on("requestfinished", lambda request: fetched.append(urlsplit(request.url).netloc))
    page.goto("/docs")
    page.wait_for_selector('[id$="operation/downloadResult"]')
    text = page.inner_text("#docs")
    assert set(fetched) - {""} == {host}
    for _, _, operation in operations():
        assert operation["summary"] in text
    assert "Five minutes" in text
