"""Look-ups that read from a streaming replica: a moment old, but whoever wrote sees its write."""

from uuid import uuid4

import httpx
import pytest
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from config.api import reads
from config.db.scope import Reason, confined_to, unconfined
from customers.models import Customer
from ingest import runner
from tests import bulk, factories, row_roles
from tests.customer_pages import page_of
from tests.customers import ACME, HOME, create
from tests.factories import Browser, make_customer
from tests.lookups import SEARCH
from tests.replicas import (
    NAME,
    hang_up,
    is_read_by,
    seen,
    settled,
    shows_everything,
)
from tests.served import web
from tests.workers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.replica]


def test_who_wrote_sees_it_at_once_and_others_see_what_the_replica_shows(reading, owner, colleague):
    first = create(owner)
    settled(reading, owner, colleague)
    with reading.behind():
        create(owner, primaryEmail={"value": "second@example.com"})
        assert (seen(owner), seen(colleague)) == ((2, 2), (1, 1))
        assert owner.api.put(f"/v1/customers/{first['id']}/suspend").status_code == 200
        for speaker, number in ((owner, 1), (colleague, 0)):
            found = speaker.api.get("/v1/customers", {"status": "SUSPENDED"})
            assert found.json()["totalElements"] == number
    settled(reading, owner, colleague)
    with reading.behind():
        create(colleague, primaryEmail={"value": "third@example.com"})
        # Its own writes are there: it does not stay at the primary.
        assert (seen(owner), seen(colleague)) == ((2, 2), (3, 3))


FILTERS = [
    {"primaryEmail": "ada@example.com"},
    {"externalId": "x-1"},
    {"name": "ada", "sort": "lastName,ASC"},
    {"status": "ACTIVE", "sort": "firstName,DESC"},
    {"includeChildren": "true"},
    {"cityName": "Greenville"},
    {"search": "lovelace"},
]


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: next(iter(query)))
def test_all_that_a_list_shows_is_of_one_database(reading, confidant, colleague, query):
    customer = create(colleague, externalId="x-1", securityAnswer="before", addresses=[HOME])
    settled(reading, colleague, confidant)
    with reading.behind():
        change = {"securityAnswer": "after", "middleName": "King"}
        assert colleague.api.put(f"/v1/customers/{customer['id']}", change).status_code == 200
        create(colleague, primaryEmail={"value": "other@example.com"})
        (old,) = confidant.api.get("/v1/customers", query).json()["content"]
        assert (old["securityAnswer"], old["middleName"]) == ("before", "")


def test_long_lists_too_are_read_there(reading, owner, colleague, monkeypatch):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 1)
    monkeypatch.setattr("search.immediate.lookup.EXACT_TOTAL", 1)
    for number in range(3):
        create(owner, primaryEmail={"value": f"a{number}@example.com"})
    settled(reading, owner, colleague)
    with reading.behind():
        create(owner, primaryEmail={"value": "late@example.com"})
        for query in ({}, {"sort": "lastName,ASC"}, {"type": "INDIVIDUAL"}):
            body = colleague.api.get("/v1/customers", query).json()
            assert (len(body["content"]), body["totalIsEstimate"]) == (3, True)
        found = colleague.api.get(SEARCH, {"customerName": "ada"}).json()
        assert (len(found["customer"]), found["paginationInfo"]["countIsEstimate"]) == (3, True)


def test_what_is_no_look_up_stays_at_the_primary(reading, owner, colleague):
    settled(reading, owner, colleague)
    with reading.behind():
        url = f"/v1/customers/{create(owner)['id']}"
        newcomer = factories.make_speaker(owner.account)
        for speaker in (colleague, newcomer):
            assert speaker.api.get(url).status_code == 200
            assert len(speaker.api.get(f"{url}/history").json()["content"]) > 0
            assert speaker.api.get(url.replace("/v1/customers", SEARCH)).status_code == 200
            assert seen(speaker) == (0, 0)


def test_an_operator_sees_what_was_written_in_the_back_office(reading, account, colleague):
    operator = factories.make_employee_speaker(account, role="Owner")
    operator.user.is_staff = True
    operator.user.save()
    browser = Browser()
    browser.force_login(operator.user)
    customer = create(colleague)
    settled(reading, operator, colleague)
    with reading.behind():
        done = browser.post(page_of(customer, "suspend"), {"reason": "As asked"})
        assert done.status_code == 302
        query = {"status": "SUSPENDED"}
        shown = [each.api.get("/v1/customers", query).json() for each in (operator, colleague)]
        assert [each["totalElements"] for each in shown] == [1, 0]


def test_a_client_sees_its_load_once_the_ledger_tells_of_it(reading, owner, colleague, settings):
    settled(reading, owner, colleague)
    with reading.behind():
        request = bulk.request_of(bulk.send(owner, bulk.customer("c1")))
        settled_owner = owner.api.get("/v1/customers").json()["totalElements"]
        # A worker that was killed before it could tell Redis.
        settings.READ_DATABASE = DEFAULT_DB_ALIAS
        runner.run(request.pk)
        settings.READ_DATABASE = NAME
        ledger = owner.api.get(f"{bulk.REQUESTS}/{request.public_id}").json()
        assert ledger["status"] == "FINISHED"
        counts = [each.api.get("/v1/customers").json() for each in (owner, colleague)]
        assert settled_owner == 0
        assert [each["totalElements"] for each in counts] == [1, 0]


def test_a_worker_tells_what_it_did_for_a_client(reading, owner, colleague):
    request = bulk.request_of(bulk.send(owner, bulk.customer("c1")))
    settled(reading, owner, colleague)
    with reading.behind():
        runner.run(request.pk)
        assert [is_read_by(each) for each in (owner, colleague)] == [False, True]


def test_pages_go_on_at_the_other_database(reading, owner, colleague):
    for number in range(4):
        create(owner, primaryEmail={"value": f"a{number}@example.com"})
    settled(reading, owner)
    first = owner.api.get("/v1/customers", {"size": 1}).json()
    with reading.behind():
        create(owner, primaryEmail={"value": "late@example.com"})
        second = owner.api.get("/v1/customers", {"size": 1, "cursor": first["nextCursor"]}).json()
    settled(reading, owner)
    third = owner.api.get("/v1/customers", {"size": 1, "cursor": second["nextCursor"]}).json()
    found = [page["content"][0]["primaryEmail"]["value"] for page in (first, second, third)]
    assert found == [f"a{number}@example.com" for number in (3, 2, 1)]


def test_a_transaction_reads_where_it_writes(reading, owner):
    settled(reading, owner)
    with transaction.atomic():
        assert not is_read_by(owner)
        make_customer(owner.account)
        assert owner.api.get("/v1/customers").json()["totalElements"] == 1


def test_row_level_security_holds_there(reading, owner, outsider):
    for each in (owner, outsider):
        make_customer(each.account)
    settled(reading, owner)
    hang_up()
    with row_roles.confined_product(), unconfined(Reason.COMMAND):
        shows_everything(reading)
        with confined_to([owner.account.pk]):
            assert reads.look_up(owner.actor, lambda using: (using, every(using))) == (NAME, 1)
        assert seen(owner)[0] == 1
        hang_up()


def every(using: str) -> int:
    return Customer.objects.using(using).count()


@pytest.mark.no_cover
def test_a_web_server_reads_from_the_replica_that_it_is_given(reading, owner, own_queue, data):
    name = connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    url = f"postgresql:///{name}?host={reading.folder}&port=5432&user=kith"
    variables = {
        "READ_DATABASE_URL": f"{url}&application_name=look-ups",
        "KITH_QUEUE": f"test-{uuid4()}",
    }
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'look-ups'"
    headers = {"Authorization": f"Bearer {owner.token}"}
    with web(own_queue, data, **variables) as address:
        client = httpx.Client(base_url=address.url, headers=headers)
        for number in range(1, 20):
            assert client.post("/v1/customers", json=ACME).status_code == 201
            assert client.get("/v1/customers").json()["totalElements"] == number
        until(lambda: client.get("/v1/customers").is_success and reading.ask(sessions))
