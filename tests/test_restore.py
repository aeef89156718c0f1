"""A deleted customer comes back, with all that it had."""

import pytest

from customers.models import Change, Customer
from tests import bulk
from tests.customers import ADA, HOME, codes, create

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]
REASON = {"reason": "Deleted by mistake"}


@pytest.fixture
def deleted(owner):
    customer = create(owner, ADA, externalId="A-1", addresses=[HOME])
    assert owner.api.delete(f"/v1/customers/{customer['id']}").status_code == 204
    return customer


def restore(speaker, customer, body=REASON, **headers):
    return speaker.api.put(f"/v1/customers/{customer['id']}/restore", body, headers=headers)


def test_it_is_there_again_with_all_that_it_had(owner, deleted):
    response = restore(owner, deleted)
    assert response.status_code == 200, response.content
    restored = response.json()
    assert restored["status"] == "ACTIVE"
    changed = {"updatedAt", "updatedBy"}
    assert {k: v for k, v in restored.items() if k not in changed} == {
        k: v for k, v in deleted.items() if k not in changed
    }
    url = f"/v1/customers/{deleted['id']}"
    assert owner.api.get(url).json() == restored
    assert owner.api.put(url, {"middleName": "B"}).status_code == 200
    listed = owner.api.get("/v1/customers", {"externalId": "A-1"}).json()["content"]
    assert [each["id"] for each in listed] == [deleted["id"]]


def test_the_reason_stands_in_the_history(owner, deleted):
    restore(owner, deleted)
    newest = owner.api.get(f"/v1/customers/{deleted['id']}/history").json()["content"][0]
    assert newest["reason"] == REASON["reason"]
    assert newest["changes"] == [{"field": "status", "from": "DELETED", "to": "ACTIVE"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "REQUIRED"),
        ({"reason": ""}, "REQUIRED"),
        ({"reason": " \n"}, "REQUIRED"),
        ({"reason": None}, "REQUIRED"),
        ({"reason": 7}, "INVALID_TYPE"),
        ({"reason": "x" * 256}, "TOO_LONG"),
        ({"reason": "card 4111 1111 1111 1111"}, "CARD_NUMBER"),
    ],
)
def test_there_has_to_be_a_reason(owner, deleted, body, code):
    response = restore(owner, deleted, body)
    assert (response.status_code, codes(response)) == (400, {"reason": code})
    assert Customer.objects.get().status == "DELETED"


def test_what_is_not_deleted_cannot_be_restored(owner):
    customer = create(owner)
    for verb in ("activate", "suspend"):
        owner.api.put(f"/v1/customers/{customer['id']}/{verb}")
        response = restore(owner, customer)
        assert (response.status_code, response.json()["errorCode"]) == (409, "NOT_DELETED")


def test_who_may_not_see_it_or_not_write_does_not_restore_it(
    deleted, child, sibling, outsider, reader, parent
):
    assert [restore(who, deleted).status_code for who in (child, sibling, outsider)] == [404] * 3
    assert restore(reader, deleted).status_code == 403
    assert restore(parent, deleted).status_code == 200


def test_an_old_version_is_not_restored(owner, deleted):
    assert restore(owner, deleted, **{"If-Match": '"1"'}).status_code == 412
    assert restore(owner, deleted, **{"If-Match": '"2"'}).status_code == 200
    assert Change.objects.filter(reason=REASON["reason"]).count() == 1


def test_loads_reach_it_again(owner, deleted):
    item = bulk.customer("A-1", firstName="Augusta")
    assert bulk.outcomes(bulk.load(owner, item)) == ["FAILED"]
    restore(owner, deleted)
    assert bulk.outcomes(bulk.load(owner, item)) == ["UPDATED"]
    assert owner.api.get(f"/v1/customers/{deleted['id']}").json()["firstName"] == "Augusta"
