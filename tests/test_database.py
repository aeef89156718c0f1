"""Database connections: kept and looked at without a question, with and without preparing."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DataError, IntegrityError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from config.db.statements import Question, prepared_rows, together
from customers import bulk
from customers.models import Change, Contact, Customer
from tests.customers import ADA, HOME, create
from tests.factories import Speaker
from tests.workers import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[BaseDatabaseWrapper]:
    """A connection that has answered a request, and is kept for the next one."""
    own = connections.create_connection("default")
    assert session_of(own)
    own.close_if_unusable_or_obsolete()
    yield own
    own.close()


def session_of(own: BaseDatabaseWrapper) -> int:
    with own.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_on_which_nothing_came_in_is_used_unasked(kept, monkeypatch):
    monkeypatch.setattr(kept, "is_usable", lambda: pytest.fail("it was asked"))
    before = kept.connection
    assert session_of(kept)
    assert kept.connection is before


def test_a_connection_that_the_server_ended_costs_no_request(kept):
    ended = kept.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [ended])

    def is_gone() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [ended])
            return cursor.fetchone() is None

    until(is_gone)
    assert session_of(kept) != ended


def test_a_connection_that_was_closed_here_is_opened_again(kept):
    kept.connection.close()
    assert session_of(kept)


@pytest.fixture(params=[pytest.param(2, id="prepared"), pytest.param(None, id="unprepared")])
def threshold(request, monkeypatch) -> Iterator[int | None]:
    """After how often a statement is prepared, as `KITH_PREPARED_STATEMENTS` says."""
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "prepare_threshold", request.param)
    yield request.param
    connection.close()


# What finds the customer that the test makes; each is asked for very often.
HOT_CALLS = {
    "by id": "/v1/customers/{id}",
    "by e-mail": "/v1/customers?primaryEmail={email}",
    "by phone": "/v1/customers?primaryPhoneNumber={phone}",
    "by external id": "/v1/customers?externalId={external_id}",
    "of a tree by external id": "/v1/customers?includeChildren=true&externalId={external_id}",
    "first page": "/v1/customers?includeChildren=true",
    "/core": "/core/customermgr/v3/customer?email={email}",
}
# PostgreSQL plans a statement for its values so often before it looks at what that gains.
PLANNED_FOR_VALUES = 5


@pytest.mark.parametrize("url", HOT_CALLS.values(), ids=HOT_CALLS)
def test_a_call_that_is_asked_for_often_is_planned_once(url, owner):
    created = create(owner, ADA | {"externalId": "ada-1"})
    path = url.format(
        id=created["id"],
        external_id="ada-1",
        email=created["primaryEmail"]["value"],
        phone=created["primaryPhoneNumber"]["number"].replace("+", "%2B"),
    )
    asked = 12
    with connection.cursor() as cursor:
        # PostgreSQL may still expect what other tests have left: then other plans seem cheaper.
        cursor.execute("ANALYZE customers_customer, customers_contactpoint")
    connection.close()
    for _ in range(asked):
        assert created["id"] in owner.api.get(path).content.decode()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement, custom_plans FROM pg_prepared_statements"
            " WHERE generic_plans + custom_plans > %s",
            [PLANNED_FOR_VALUES],
        )
        planned = dict(cursor.fetchall())
    assert planned
    assert {sql: count for sql, count in planned.items() if count > PLANNED_FOR_VALUES} == {}


def test_calls_answer_the_same_whether_statements_are_prepared_or_not(threshold, owner):
    made = create(owner, ADA)
    url = f"/v1/customers/{made['id']}"
    for number in range(4):
        changed = owner.api.put(url, {"firstName": f"Ada {number}"}).json()
        assert owner.api.get(url).json() == changed
        assert changed["firstName"] == f"Ada {number}"
        address = ADA["primaryEmail"]["value"]
        found = owner.api.get("/v1/customers", {"primaryEmail": address}).json()
        assert [each["id"] for each in found["content"]] == [made["id"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        (prepared,) = cursor.fetchone()
    assert bool(prepared) == bool(threshold)


def test_placeholders_and_percent_signs_are_told_apart(db):
    sql = "SELECT %s::text, 'a%%s'::text, '%%', 7 %% 4, %s::int"
    assert prepared_rows(sql, ["%s", 2]) == [("%s", "a%s", "%", 3, 2)]


def test_a_statement_that_was_forgotten_for_others_is_prepared_again(db, monkeypatch):
    connection.close()
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection._prepared, "prepared_max", 2)
    for round_ in range(6):
        for number in range(5):
            sql = f"SELECT {number}, %s::int"
            assert prepared_rows(sql, [round_]) == [(number, round_)]
    connection.close()


def test_a_prepared_statement_takes_values_of_any_type(db):
    sql = "SELECT %s::text"
    for value, text in [(1, "1"), ("a", "a"), (None, None), (2.5, "2.5"), (70_000, "70000")] * 5:
        assert prepared_rows(sql, [value]) == [(text,)]


def test_a_prepared_statement_goes_on_after_one_that_failed(db):
    sql = "SELECT 1 / %s::int"
    for _ in range(5):
        assert prepared_rows(sql, [1]) == [(1,)]
        with pytest.raises(DataError):
            prepared_rows(sql, [0])


# --- Together -------------------------------------------------------------------------------------

PUT_IN, LOOK = (
    "INSERT INTO here SELECT %s::int RETURNING n",
    "SELECT count(*), max(%s::int) FROM here",
)


@pytest.fixture
def here(threshold) -> None:
    """A table for one session."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE here (n int CHECK (n < 100))")


def test_statements_that_go_together_see_what_those_before_have_done(here):
    for number in range(5):
        with transaction.atomic():
            rows = together([Question(PUT_IN, [number]), Question(LOOK, [7]), Question(LOOK, [8])])
        assert rows == [[(number,)], [(number + 1, 7)], [(number + 1, 8)]]


def test_a_statement_without_rows_has_none_among_others(here):
    for number in range(5):
        update = Question("UPDATE here SET n = %s::int", [number])
        assert together([Question(PUT_IN, [0]), update])[1] == []
    assert prepared_rows("SELECT DISTINCT n FROM here", []) == [(4,)]


def test_the_first_that_fails_is_the_last_that_is_run(here):
    for _ in range(5):
        together([Question(PUT_IN, [1]), Question(LOOK, [1])])
    ((before, _),) = prepared_rows(LOOK, [1])
    for number in range(3):
        with pytest.raises(IntegrityError), transaction.atomic():
            together([Question(PUT_IN, [1]), Question(PUT_IN, [100]), Question(PUT_IN, [1])])
        # Whether the session is as good as before.
        with transaction.atomic():
            assert together([Question(LOOK, [number]), Question(LOOK, [2])])[1] == [(before, 2)]


def test_the_last_statements_of_a_transaction_are_committed(here):
    for number in range(4):
        with transaction.atomic():
            rows = together([Question(PUT_IN, [number]), Question(LOOK, [7])], are_last=True)
        assert rows == [[(number,)], [(number + 1, 7)]]
        with pytest.raises(IntegrityError), transaction.atomic():
            together([Question(PUT_IN, [1]), Question(PUT_IN, [100])], are_last=True)
        assert prepared_rows(LOOK, [7]) == [(number + 1, 7)]


def test_within_another_transaction_the_last_statements_commit_nothing(here):
    for _ in range(4):
        with transaction.atomic():
            with transaction.atomic():
                together([Question(PUT_IN, [1])], are_last=True)
            transaction.set_rollback(True)
        assert prepared_rows(LOOK, [7]) == [(0, None)]


def test_a_commit_that_fails_is_told_and_leaves_nothing(here):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE here ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED")
    for _ in range(4):
        with pytest.raises(IntegrityError), transaction.atomic():
            together([Question(PUT_IN, [1]), Question(PUT_IN, [1])], are_last=True)
        with transaction.atomic():
            assert together([Question(LOOK, [7]), Question(LOOK, [8])])[1] == [(0, None)]


def messages(speaker: Speaker, method: str, path: str, body: object) -> int:
    """How often a call goes to the database and waits for the answer."""
    pgconn = connection.connection.pgconn
    with tempfile.TemporaryFile("w+") as trace:
        pgconn.trace(trace.fileno())
        answer = getattr(speaker.api, method)(path, body)
        pgconn.untrace()
        assert answer.status_code < 300, answer.content
        trace.seek(0)
        sent = [line.split() for line in trace if "\tF\t" in line]
    # Behind date, time, direction and length.
    return sum(words[4] in {"Sync", "Query"} for words in sent)


@pytest.mark.parametrize(("method", "count"), [("put", 3), ("post", 2)])
def test_a_change_goes_to_the_database_few_times(method, count, owner):
    """Whose token, what to change, and the changes with the customer as it is then and COMMIT.

    For a new customer nothing is asked between the token and the rows.
    """
    connection.close()
    url = f"/v1/customers/{create(owner)['id']}" if method == "put" else "/v1/customers"
    for number in range(5):
        body = ADA | {"firstName": f"Ada {number}", "addresses": [HOME]}
        assert getattr(owner.api, method)(url, body).status_code < 300
    assert messages(owner, method, url, ADA | {"firstName": "Eve", "addresses": [HOME]}) == count


def test_a_new_customer_is_logged_as_of_its_creation(owner):
    customer = Customer.objects.get(pk=create(owner, ADA | {"addresses": [HOME]})["id"])
    rows = [customer, *customer.contacts.all(), *customer.contact_points.all()]
    assert {(row.created_at, row.updated_at) for row in rows} == {(customer.created_at,) * 2}
    logged = Change.objects.filter(customer_id=customer.pk)
    assert set(logged.values_list("at", "actor_id")) == {(customer.created_at, owner.actor.id)}
    assert abs(timezone.now() - customer.created_at) < timedelta(minutes=1)


@pytest.mark.parametrize("count", [1, 2])
def test_every_kind_of_value_is_written_into_one_changed_row_and_into_several(
    django_assert_num_queries, owner, count
):
    ids = [create(owner, ADA)["id"] for _ in range(count)]
    new = {
        Customer: {
            "metadata": {"a": 'the "b", {c} \\d'},
            "version": 70_000,
            "is_named": False,
            "pin_sealed": b"\x00\\\xff",
            "updated_at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
            "role": Customer.Role.PARTNER,
        },
        Contact: {
            "date_of_birth": date(1850, 1, 1),
            "first_name": "Zoë\\N, %s",
            "middle_name": "",
            "social_id_digest": None,
        },
    }
    writes = bulk.Writes()
    for model, values in new.items():
        key = "pk__in" if model is Customer else "customer__in"
        rows = list(model.objects.filter(**{key: ids}))
        for row in rows:
            vars(row).update(values)
        writes.update(model, rows, values)
    with django_assert_num_queries(len(new)):
        writes.finish()
    for model, values in new.items():
        stored = model.objects.values(*values)
        assert [*stored] == [values] * count
