"""How many queries a request makes: a constant number, whatever the customer looks like."""

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import AttributeDefinition
from tests.customers import ACME, ADA, HOME, create

pytestmark = pytest.mark.django_db
ADDRESSES = [HOME | {"zipCode": str(number)} for number in range(20)]
CONTACTS = [
    ACME["contacts"][0] | {"firstName": f"Jack {number}", "primary": number == 0}
    for number in range(20)
]
SMALL = ADA | {"addresses": [HOME]}
LARGE = ACME | {"addresses": ADDRESSES, "contacts": CONTACTS, "metadata": {"a": "1"}}
AUTHENTICATION = 1
# What `recorded` costs inside the test's own transaction: a savepoint, who acts, and the release.
RECORDED = 3
# The customer (locked), its contacts, contact points, addresses and attribute values.
LOAD = 5
OBJECT = 1
# The customer that is read is asked for together with whose token it is. With row-level security
# rows are shown to those alone who are known.
TOKEN_WITH_OBJECT = 1 + settings.ROW_SECURITY


@pytest.fixture
def counted(owner, django_assert_num_queries):
    """Run a request of the owner's that makes exactly so many queries."""

    def run(number, method, path, body=None, status=200):
        owner.api.get("/v1/business-accounts/self")
        with django_assert_num_queries(number):
            response = getattr(owner.api, method)(path, body)
        assert response.status_code == status, response.content
        return response

    return run


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_reading_a_customer_is_one_query(counted, owner, body):
    url = f"/v1/customers/{create(owner, body)['id']}"
    counted(TOKEN_WITH_OBJECT, "get", url)


@pytest.mark.usefixtures("each_mode")
def test_a_customer_is_read_by_one_message_to_the_database(owner, outsider, tmp_path):
    def messages(speaker, customer_id):
        session, trace = connection.connection.pgconn, tmp_path / "trace"
        with trace.open("w") as file:
            session.trace(file.fileno())
            answer = speaker.api.get(f"/v1/customers/{customer_id}")
            session.untrace()
        return answer.status_code, trace.read_text().count("Sync")

    customer_id = create(owner, SMALL)["id"]
    for speaker, status in ((owner, 200), (outsider, 404)):
        # Statements that are asked again and again are prepared.
        for _ in range(3):
            speaker.api.get(f"/v1/customers/{customer_id}")
        assert messages(speaker, customer_id) == (status, 1) or settings.ROW_SECURITY


def test_a_customer_that_is_not_there_costs_no_second_query(counted, outsider):
    foreign = create(outsider)["id"]
    counted(TOKEN_WITH_OBJECT, "get", f"/v1/customers/{foreign}", status=404)


@pytest.mark.parametrize("sort", ["createdAt,DESC", "businessName"])
@pytest.mark.parametrize("query", ["primaryEmail=ada@example.com", "externalId=ada-1"])
def test_what_an_exact_value_finds_is_one_query(counted, owner, query, sort):
    customer = create(owner, SMALL, externalId="ada-1")
    answer = counted(AUTHENTICATION + OBJECT, "get", f"/v1/customers?{query}&sort={sort}")
    assert answer.json()["content"] == [customer]


def test_more_that_an_exact_value_finds_than_a_page_has_comes_page_by_page(owner):
    made = [create(owner, SMALL)["id"] for _ in range(3)]
    path = "/v1/customers?primaryEmail=ada@example.com&sort=createdAt&size=2"
    first = owner.api.get(path).json()
    second = owner.api.get(f"{path}&cursor={first['nextCursor']}").json()
    assert first["totalElements"] == second["totalElements"] == 3
    assert [each["id"] for page in (first, second) for each in page["content"]] == made


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_creating_a_customer_is_one_insert_for_each_table(counted, body):
    customer, contacts, points, addresses = 1, 1, 1, 1
    writes = customer + contacts + points + addresses
    number = AUTHENTICATION + RECORDED + writes + OBJECT
    counted(number, "post", "/v1/customers", body, status=201)


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_an_update_of_nothing_writes_nothing(counted, owner, body):
    customer = create(owner, body)
    number = AUTHENTICATION + RECORDED + LOAD + OBJECT
    counted(number, "put", f"/v1/customers/{customer['id']}", customer)


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_an_update_is_one_statement_for_each_table(counted, owner, body):
    customer = create(owner, body)
    addresses = [{"id": a["id"], "cityName": "Elsewhere"} for a in customer["addresses"]]
    custom_attributes, customers, changed = 1, 1, 1
    number = AUTHENTICATION + RECORDED + LOAD - custom_attributes + customers + changed + OBJECT
    counted(number, "put", f"/v1/customers/{customer['id']}", {"addresses": addresses})


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_an_update_reads_no_rows_that_it_does_not_look_at(counted, owner, body):
    customer = create(owner, body)
    addresses, custom_attributes, customers = 1, 1, 1
    number = AUTHENTICATION + RECORDED + LOAD - addresses - custom_attributes + customers + OBJECT
    counted(number, "put", f"/v1/customers/{customer['id']}", {"metadata": {"crm": "7"}})


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_suspending_and_deleting_touch_the_customer_alone(counted, owner, body):
    url = f"/v1/customers/{create(owner, body)['id']}"
    lock, update = 1, 1
    counted(AUTHENTICATION + RECORDED + lock + update + OBJECT, "put", f"{url}/suspend")
    counted(AUTHENTICATION + RECORDED + lock + OBJECT, "put", f"{url}/suspend")
    counted(AUTHENTICATION + RECORDED + lock + update, "delete", url, status=204)


def test_few_are_found_before_they_are_sorted_on_every_page(owner):
    """With a limit alone PostgreSQL may walk past all who do not match, in the order asked for."""
    for number in range(4):
        create(owner, ADA | {"firstName": f"Ada {number}"})
    path = "/v1/customers?name=ada&sort=createdAt&size=2"
    cursor = owner.api.get(path).json()["nextCursor"]
    with CaptureQueriesContext(connection) as asked:
        page = owner.api.get(f"{path}&cursor={cursor}").json()
    assert [each["firstName"] for each in page["content"]] == ["Ada 2", "Ada 3"]
    assert page["totalElements"] == 4
    assert len([query for query in asked if "ORDER BY key_0" in query["sql"]]) == 1


@pytest.mark.parametrize("count", [1, 5])
def test_a_list_is_count_page_and_objects(counted, owner, child, count):
    for _ in range(count):
        create(owner, LARGE)
        create(child, LARGE)
    total, page = 1, 1
    counted(AUTHENTICATION + total + page + OBJECT, "get", "/v1/customers")
    counted(AUTHENTICATION + total + page + OBJECT, "get", "/v1/customers?includeChildren=true")
    # What is searched for is found once, and counted and sorted by the same statement, of which the
    # plan is asked for before.
    plan = 1
    counted(AUTHENTICATION + plan + page + OBJECT, "get", "/v1/customers?search=acme")


@pytest.mark.parametrize("count", [1, 5])
def test_history_and_activities_are_a_page_and_its_rows(counted, owner, count):
    url = f"/v1/customers/{create(owner, LARGE)['id']}"
    activity = {"type": "chat", "mode": "inbound", "sentDate": "2026-01-01T00:00:00Z"}
    for _ in range(count):
        owner.api.post(f"{url}/activities", activity)
    visible, page, rows = 1, 1, 1
    for path in ("history", "activities"):
        counted(AUTHENTICATION + visible + page + rows, "get", f"{url}/{path}")
    number = AUTHENTICATION + RECORDED + 1 + 1
    counted(number, "post", f"{url}/activities", activity, status=201)


@pytest.mark.parametrize("attributes", [{}, {"color": "blue"}, {"secret": "blue"}])
def test_whole_sensitive_values_cost_one_query_more_and_masked_attributes_another(
    confidant, account, attributes
):
    for name in ("color", "secret"):
        AttributeDefinition.objects.create(
            business_account=account, name=name, is_encrypted=name == "secret"
        )
    sent = {"socialId": "123456789", "socialIdCountryCode": "USA", "customAttributes": attributes}
    url = f"/v1/customers/{create(confidant, **sent)['id']}"
    with CaptureQueriesContext(connection) as queries:
        confidant.api.get(url)
    assert len(queries) == TOKEN_WITH_OBJECT + 1 + ("secret" in attributes)


@pytest.mark.parametrize("count", [1, 5])
def test_the_history_of_attributes_costs_one_query_more(counted, owner, account, count):
    AttributeDefinition.objects.create(business_account=account, name="color")
    url = f"/v1/customers/{create(owner, customAttributes={'color': 'blue'})['id']}"
    for number in range(count):
        owner.api.put(url, {"customAttributes": {"color": str(number)}})
    visible, page, rows, names = 1, 1, 1, 1
    counted(AUTHENTICATION + visible + page + rows + names, "get", f"{url}/history")
