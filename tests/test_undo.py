"""Undo of a load: what it did is put back, item by item, unless somebody has changed it since."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from config.api.actors import Actor, ActorType
from customers.change_log import Via, unrecorded
from customers.models import Account, Activity, Card, Change, Customer, Enrollment, Reveal
from customers.serializers import ReasonBody
from customers.services import reveals
from ingest.models import BulkRequest
from tests import bulk, factories
from tests.bulk import account, card, customer, outcomes
from tests.undoing import ask, registry, undo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_mode")]
NOTHING = (
    "There is nothing to undo: nothing of this request was stored, or nothing is known of it any "
    "more."
)
PROFILE = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "emails": ["ada@example.com"],
    "phones": [{"number": "+14155550123", "type": "MOBILE"}],
    "addresses": [
        {
            "type": "PHYSICAL",
            "streetLine1": "1 Main St",
            "cityName": "Austin",
            "stateCode": "TX",
            "countryCode": "USA",
            "zipCode": "78753",
        }
    ],
}


def errors(found, index=0):
    return [(error["pointer"], error["code"]) for error in found["items"][index]["errors"]]


def refusal(answer):
    return answer.status_code, answer.json()["title"].split(" Undo its")[0]


# --- What is put back -----------------------------------------------------------------------------


def test_what_a_load_created_goes_and_the_feed_may_create_it_again(owner):
    bulk.load(owner, customer("old"))
    before = registry()
    load = bulk.load(owner, customer("c1", **PROFILE), customer("c2"), customer("c3", country="?"))
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["REMOVED", "REMOVED", "UNCHANGED"]
    assert done["counts"] == {"created": 0, "updated": 0, "unchanged": 1, "removed": 2, "failed": 0}
    assert (done["action"], done["undoOf"]) == ("UNDO", load["requestId"])
    assert registry() == before
    again = bulk.load(owner, customer("c1"), customer("c2"))
    assert outcomes(again) == ["CREATED", "CREATED"]


def test_what_a_load_changed_gets_its_values_back(owner):
    bulk.load(owner, customer("c1", **PROFILE), customer("c2"), customer("c3"))
    before = registry()
    changed = customer("c1", postalCode="10001", organizationId="7", **PROFILE)
    changed |= {"firstName": "Augusta", "metadata": {"crm": "1"}, "emails": ["augusta@example.com"]}
    changed["accounts"][0] |= {"status": "CLOSED", "accountCloseDate": "2024-01-01T00:00:00Z"}
    changed["accounts"].append(account("c1", "another"))
    load = bulk.load(owner, changed, customer("c2", country="CA"), customer("c3"))
    assert outcomes(load) == ["UPDATED", "UPDATED", "UNCHANGED"]
    assert registry() != before
    versions = dict(Customer.objects.values_list("external_id", "version"))
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["UPDATED", "UPDATED", "UNCHANGED"]
    assert registry() == before
    later = dict(Customer.objects.values_list("external_id", "version"))
    assert later == {"c1": versions["c1"] + 1, "c2": versions["c2"] + 1, "c3": versions["c3"]}


def test_what_a_load_removed_returns_under_its_old_id(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    joint["cards"] = [card("c1", "joint", "1111"), card("c2", "joint", "2222")]
    bulk.load(owner, customer("c1", accounts=[joint]), customer("c2"))
    before = registry()
    alone = account("c1", "joint", cards=[card("c1", "joint", "1111")])
    load = bulk.load(owner, customer("c1", accounts=[alone]))
    assert not Card.objects.filter(last4="2222").exists()
    assert outcomes(undo(owner, load["requestId"])) == ["UPDATED"]
    assert registry() == before


@pytest.mark.parametrize("action", ["accounts", "cards"])
def test_updates_of_accounts_and_cards_are_undone(owner, action):
    bulk.load(owner, customer("c1"), customer("c2"))
    before = registry()
    if action == "accounts":
        sent = [account("c1", "new"), account("c1", status="FRAUD")]
        public_id = bulk.put_accounts(owner, "c1", *sent)
    else:
        sent = [card("c1", "account-of-c1", "2345", status="CLOSED"), card("c1", "account-of-c1")]
        public_id = bulk.put_cards(
            owner, "c1", "account-of-c1", sent[0], sent[1] | {"last4": "9" * 4}
        )
    assert "FAILED" not in outcomes(bulk.done(owner, public_id))
    assert registry() != before
    assert set(outcomes(undo(owner, public_id))) == {"UPDATED"}
    assert registry() == before


def test_an_undo_can_be_undone(owner):
    bulk.load(owner, customer("c1", **PROFILE), customer("gone"))
    load = bulk.load(
        owner, customer("c1", postalCode="10001"), customer("c2", **PROFILE), customer("c3")
    )
    after = registry()
    first = undo(owner, load["requestId"])
    again = undo(owner, first["requestId"])
    assert outcomes(again) == ["UPDATED", "CREATED", "CREATED"]
    assert registry() == after
    third = undo(owner, again["requestId"])
    assert outcomes(third) == ["UPDATED", "REMOVED", "REMOVED"]


def test_loads_are_undone_one_after_the_other_the_last_one_first(owner):
    bulk.load(owner, customer("c1"))
    states, loads = [], []
    for number in range(3):
        states.append(registry())
        loads.append(bulk.load(owner, customer("c1", organizationId=str(number)), customer("c2")))
    while loads:
        assert "FAILED" not in outcomes(undo(owner, loads.pop()["requestId"]))
        assert registry() == states.pop()


def test_a_load_below_another_one_is_not_undone(owner):
    first = bulk.load(owner, customer("c1"))
    second = bulk.load(owner, customer("c1", organizationId="2"))
    found = undo(owner, first["requestId"])
    assert errors(found) == [("/enrollment", "CHANGED_SINCE")]
    third = undo(owner, second["requestId"])
    undo(owner, third["requestId"])
    assert bulk.stored(owner, "c1").enrollment.organization_id == "2"


def test_the_history_shows_both_acts(owner):
    bulk.load(owner, customer("c1"))
    load = bulk.load(owner, customer("c1", organizationId="2"))
    undo(owner, load["requestId"])
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}/history"
    shown = [
        each for each in owner.api.get(url).json()["content"] if each["entity"] == "enrollment"
    ][:2]
    assert [each["reason"] for each in shown] == [f"Undo of request {load['requestId']}", ""]
    assert [each["changes"][0]["to"] for each in shown] == ["50004", "2"]


# --- What was changed since -----------------------------------------------------------------------


def test_an_item_that_somebody_changed_stays_and_the_others_are_undone(owner, employee, colleague):
    load = bulk.load(owner, customer("c1", **PROFILE), customer("c2"), customer("c3", **PROFILE))
    for speaker, source_id in ((employee, "c1"), (colleague, "c3")):
        url = f"/v1/customers/{bulk.id_of(owner, source_id)}"
        assert speaker.api.put(url, {"firstName": "Grace"}).status_code == 200
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["FAILED", "REMOVED", "FAILED"]
    [error] = done["items"][0]["errors"]
    assert error["code"] == "CHANGED_SINCE"
    assert error["message"].startswith("First name of the contact was changed on ")
    assert error["message"].endswith(f" UTC by employee {employee.user}, through the API.")
    [error] = done["items"][2]["errors"]
    assert f"the key of {colleague.key.client.service_account}" in error["message"]
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"c1", "c3"}
    assert bulk.stored(owner, "c1").name == "Grace Lovelace"


def test_a_joint_account_keeps_its_holders_together(owner, employee):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    load = bulk.load(owner, customer("c1", accounts=[joint]), customer("c2"), customer("c3"))
    url = f"/v1/customers/{bulk.id_of(owner, 'c2')}"
    assert employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200
    assert outcomes(undo(owner, load["requestId"])) == ["FAILED", "FAILED", "REMOVED"]
    assert Account.objects.filter(source_account_id="joint").count() == 2


def test_a_customer_of_whom_an_activity_was_recorded_stays(owner):
    load = bulk.load(owner, customer("c1"), customer("c2"))
    Activity.objects.create(
        customer=bulk.stored(owner, "c1"),
        type="email",
        mode="inbound",
        sent_date=timezone.now(),
        created_at=timezone.now(),
    )
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["FAILED", "REMOVED"]
    assert errors(done) == [("/customer", "CHANGED_SINCE")]


def test_a_look_at_sensitive_values_changes_nothing_but_stays_on_record(owner, employee):
    bulk.load(owner, customer("c1"))
    load = bulk.load(owner, customer("c1", organizationId="2"), customer("c2"), customer("c3"))
    actor = Actor(ActorType.EMPLOYEE, str(employee.user.pk), owner.account.pk, (owner.account.pk,))
    for source_id in ("c1", "c2"):
        reveals.reveal_customer(
            actor=actor,
            customer_id=bulk.stored(owner, source_id).pk,
            submission=ReasonBody().parse({"reason": "The customer is on the phone"}),
            via=Via.BACK_OFFICE,
        )
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["UPDATED", "FAILED", "REMOVED"]
    [error] = done["items"][1]["errors"]
    assert error["code"] == "CHANGED_SINCE"
    assert error["message"] == "Sensitive values of the customer were revealed."
    assert Reveal.objects.count() == 2


def test_a_customer_that_an_operator_deleted_stays_deleted(owner):
    load = bulk.load(owner, customer("c1"))
    assert owner.api.delete(f"/v1/customers/{bulk.id_of(owner, 'c1')}").status_code == 204
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["FAILED"]
    assert "Status of the customer was changed" in done["items"][0]["errors"][0]["message"]
    assert bulk.stored(owner, "c1").status == "DELETED"


def test_a_customer_with_something_that_refers_to_it_stays(owner):
    load = bulk.load(owner, customer("c1"), customer("c2"))
    kept = bulk.stored(owner, "c1")
    # By somebody who keeps the change log from seeing it.
    with unrecorded():
        factories.make_address(kept, "SHIPPING")
    assert outcomes(undo(owner, load["requestId"])) == ["FAILED", "REMOVED"]
    assert Enrollment.objects.filter(customer=kept).exists()


# --- Who may, and when ----------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(owner, employee):
    load = bulk.load(owner, customer("c1"), customer("c2"), customer("c3", country="?"))
    url = f"/v1/customers/{bulk.id_of(owner, 'c2')}"
    assert employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200
    before = registry(), Change.objects.count(), BulkRequest.objects.count()
    told = ask(owner, load["requestId"], "?dryRun=true").json()
    assert outcomes(told) == ["REMOVED", "FAILED", "UNCHANGED"]
    assert told["dryRun"] is True
    assert (registry(), Change.objects.count(), BulkRequest.objects.count()) == before
    done = undo(owner, load["requestId"])
    assert done["items"] == told["items"]


def test_a_request_is_undone_once(owner):
    load = bulk.load(owner, customer("c1"))
    public_id = str(uuid4())
    answers = [ask(owner, load["requestId"], **{"X-CDLX-Request-Id": public_id}) for _ in "ab"]
    assert [each.json() for each in answers] == [{"requestId": public_id}] * 2
    for _ in "ab":
        answer = ask(owner, load["requestId"])
        assert refusal(answer) == (409, "This request was undone already, or is being undone.")
        bulk.run(public_id)
    assert ask(owner, load["requestId"], "?dryRun=true").status_code == 409


def test_an_undo_that_failed_may_be_asked_for_again(owner):
    load = bulk.load(owner, customer("c1"))
    first = bulk.request_of(bulk.accepted(ask(owner, load["requestId"])))
    assert first.abort("TIME_LIMIT", "It took too long.")
    assert outcomes(undo(owner, load["requestId"])) == ["REMOVED"]


def test_what_cannot_be_undone_is_refused(owner, settings):
    open_one = bulk.send(owner, customer("c1"))
    answer = ask(owner, open_one)
    assert refusal(answer) == (409, "This request has not ended yet.")
    bulk.run(open_one)
    ended = BulkRequest.objects.filter(public_id=open_one)
    ended.update(finished_at=timezone.now() - timedelta(days=settings.UNDO_DAYS, minutes=1))
    answer = ask(owner, open_one)
    assert refusal(answer) == (409, "A request can be undone for 30 days after its end.")
    failed = bulk.send(owner, customer("c2"))
    bulk.request_of(failed).abort("TIME_LIMIT", "It took too long.")
    answer = ask(owner, failed)
    assert refusal(answer) == (409, NOTHING)


def test_clients_of_the_account_and_of_those_above_may_undo(
    owner, colleague, parent, child, sibling, outsider, reader
):
    load = bulk.load(owner, customer("c1"))
    for stranger in (child, sibling, outsider):
        assert ask(stranger, load["requestId"]).status_code == 404
    assert ask(reader, load["requestId"]).status_code == 403
    assert ask(colleague, load["requestId"], "?dryRun=true").status_code == 200
    done = undo(parent, load["requestId"])
    assert outcomes(done) == ["REMOVED"]
    assert not Customer.objects.exists()
    assert bulk.request_of(done["requestId"]).business_account_id == owner.account.pk


def test_two_requests_with_one_trace_are_two_loads(owner):
    ids = []
    for number in "12":
        answer = owner.api.post(
            bulk.CUSTOMERS,
            {"customers": [customer("c1", organizationId=number), customer(f"only-{number}")]},
            headers={"X-Request-Id": "the-same"},
        )
        ids.append(bulk.accepted(answer))
        bulk.run(ids[-1])
    assert outcomes(undo(owner, ids[1])) == ["UPDATED", "REMOVED"]
    assert bulk.stored(owner, "c1").enrollment.organization_id == "1"
