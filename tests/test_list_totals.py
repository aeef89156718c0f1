"""How many customers a list has: counted, estimated, and for a moment remembered."""

import pytest
from django.conf import settings

from customers import prepared_lists
from tests.customers import ADA, create, listed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]


def test_a_total_beyond_the_exact_ones_is_an_estimate(owner, monkeypatch):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 2)
    for _ in range(2):
        create(owner, ADA)
    assert "totalIsEstimate" not in listed(owner)
    create(owner, ADA)
    page = listed(owner, size=1)
    assert page["totalIsEstimate"] is True
    assert page["totalElements"] >= 3


@pytest.mark.parametrize(
    ("cheap", "times", "is_estimate"), [(40_000, 4, False), (40_000, 2, True), (0, 4, True)]
)
def test_some_more_than_are_counted_are_found_at_once_where_that_is_quick(
    owner, monkeypatch, cheap, times, is_estimate
):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 2)
    monkeypatch.setattr("config.api.pagination.CHEAP", cheap)
    monkeypatch.setattr("config.api.pagination.FOUND_AT_ONCE", times)
    for name in ("Cara", "Ada", "Eve", "Dora", "Bea"):
        create(owner, firstName=name, lastName="Smith")
    create(owner, firstName="Fay", lastName="Jones")
    # A distributed engine has no plan to go by.
    is_estimate |= settings.DISTRIBUTED
    found, query = [], {"name": "smith", "sort": "firstName", "size": 2}
    while query:
        page = listed(owner, **query)
        found += [customer["firstName"] for customer in page["content"]]
        assert page.get("totalIsEstimate", False) is is_estimate
        assert page["totalElements"] == 5 or is_estimate
        query = page["nextCursor"] and query | {"cursor": page["nextCursor"]}
    assert found == ["Ada", "Bea", "Cara", "Dora", "Eve"]


@pytest.mark.parametrize(("expected", "is_kept"), [(10, True), (9, False)])
def test_the_total_of_a_far_longer_list_is_kept_for_ten_seconds(
    owner, monkeypatch, expected, is_kept
):
    now = 1000.0
    totals = prepared_lists.LargeTotals()
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 1)
    monkeypatch.setattr(prepared_lists, "large_totals", totals)
    monkeypatch.setattr(prepared_lists, "monotonic", lambda: now)
    # What the planner expects of an empty table says nothing here.
    monkeypatch.setattr(prepared_lists, "expected_rows", lambda *_: expected)
    first, second = create(owner, ADA), create(owner, ADA)
    assert listed(owner)["totalElements"] == expected
    owner.api.delete(f"/v1/customers/{second['id']}")
    later = listed(owner)
    assert [c["id"] for c in later["content"]] == [first["id"]]
    assert later["totalElements"] == (expected if is_kept else 1)
    now += 10.1
    assert listed(owner)["totalElements"] == 1


def test_the_total_of_a_longer_list_is_nobody_elses(owner, outsider, monkeypatch):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 1)
    monkeypatch.setattr(prepared_lists, "large_totals", prepared_lists.LargeTotals())
    monkeypatch.setattr(prepared_lists, "expected_rows", lambda *_: 10)
    for _ in range(2):
        create(owner, ADA)
    assert listed(owner)["totalElements"] == 10
    assert listed(outsider)["totalElements"] == 0
