"""Lists by words: found without an index of accounts where that has far more customers."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from customers.filters import CustomerFilter
from customers.models import Customer
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
ACCOUNTS, WORDS = "customer_sort_name", "customer_search_trigrams"
# Copies of a customer, a tenth of them with another name.
COPY = """
    INSERT INTO customers_customer
    SELECT (copy).* FROM (
        SELECT jsonb_populate_record(customer, jsonb_build_object(
            'id', gen_random_uuid(), 'external_id', '', 'business_account_id', %s::uuid,
            'search_text', CASE number %% 10 WHEN 0 THEN 'smith' ELSE 'jones' END)) AS copy
        FROM customers_customer customer, generate_series(1, 600) number WHERE id = %s) made"""


def scan(index: str, rows: int) -> dict[str, object]:
    return {"Node Type": "Bitmap Index Scan", "Index Name": index, "Plan Rows": rows}


def heap_scan(*below: dict[str, object]) -> dict[str, object]:
    return {"Node Type": "Limit", "Plans": [{"Node Type": "Bitmap Heap Scan", "Plans": [*below]}]}


def both(*scans: dict[str, object]) -> dict[str, object]:
    return heap_scan({"Node Type": "BitmapAnd", "Plans": [*scans]})


@pytest.mark.parametrize(
    ("plan", "is_other"),
    [
        (both(scan(WORDS, 36_072), scan(ACCOUNTS, 486_508)), True),
        (both(scan(ACCOUNTS, 486_508), scan(WORDS, 36_072)), True),
        (both(scan(WORDS, 36_072), scan(ACCOUNTS, 60_000)), False),
        (both(scan(WORDS, 36_072), scan(ACCOUNTS, 500)), False),
        (both(scan("customer_list", 1), scan(ACCOUNTS, 60_000)), False),
        (heap_scan(scan(ACCOUNTS, 500)), False),
        ({"Node Type": "Result"}, False),
    ],
)
def test_words_alone_are_gone_by_where_accounts_have_far_more(owner, plan, is_other):
    filters = CustomerFilter(QueryDict("name=smith"), actor=owner.actor)
    filters.check()
    assert (filters.by_words(plan, using="default") is not None) == is_other


def test_nobody_sees_more_or_less_by_either_condition(owner, account, child_account, outsider):
    for place in (account, child_account, outsider.account):
        make_customer(place)
    for accounts in (None, [account.pk], [child_account.pk, outsider.account.pk], []):
        found = [
            set(Customer.objects.visible_to(owner.actor, accounts, by_index=by_index))
            for by_index in (True, False)
        ]
        assert found[0] == found[1]
        assert len(found[0]) == (2 if accounts is None else len(accounts[:1]))


@pytest.mark.parametrize("parameter", ["name", "search"])
def test_a_list_by_words_goes_by_them_alone_where_that_is_quicker(
    owner, account, outsider, parameter
):
    first = make_customer(account, last_name="Smith")
    with connection.cursor() as cursor:
        for place in (account, outsider.account):
            cursor.execute(COPY, [place.pk, first.pk])
        cursor.execute("ANALYZE customers_customer")
        # As if there were so many that indexes are read to save a look at some.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL cpu_tuple_cost = 100")
    with CaptureQueriesContext(connection) as asked:
        page = owner.api.get(f"/v1/customers?{parameter}=smith").json()
    assert page["totalElements"] == 61
    (counted,) = [each["sql"] for each in asked if "count(*) OVER ()" in each["sql"]]
    assert "COALESCE" in counted
