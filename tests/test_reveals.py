"""An employee looks at sensitive values: with a reason, for two minutes, and on record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.api.actors import Actor, ActorType
from config.api.errors import Invalid, NotFound, TooManyRequests
from customers.change_log import Via
from customers.models import AttributeDefinition, Customer, Reveal
from customers.serializers import ReasonBody
from customers.services import reveals
from customers.services.customers import delete_customer
from tests import factories
from tests.customers import ACME, create

pytestmark = pytest.mark.django_db
SOCIAL_ID = "123456789"
SENSITIVE = {
    "socialId": SOCIAL_ID,
    "socialIdCountryCode": "USA",
    "securityAnswer": "rosebud",
    "relationship": {"pin": "4711"},
    "customAttributes": {"secret": "s3cret", "color": "blue"},
}


@pytest.fixture
def definitions(account):
    for target in AttributeDefinition.Target.values:
        for name in ("secret", "color"):
            AttributeDefinition.objects.create(
                business_account=account, target=target, name=name, is_encrypted=name == "secret"
            )


@pytest.fixture
def ada(owner, definitions):
    return Customer.objects.get(pk=create(owner, **SENSITIVE)["id"])


def actor_of(user, account):
    return Actor(ActorType.EMPLOYEE, str(user.pk), account.pk, (account.pk,))


def look(customer, actor, reason="The customer is on the phone"):
    return reveals.reveal_customer(
        actor=actor,
        customer_id=customer.pk,
        submission=ReasonBody().parse({"reason": reason}),
        via=Via.BACK_OFFICE,
    )


@pytest.fixture
def actor(clerk, account):
    return actor_of(clerk, account)


def test_the_values_are_those_that_leave_masked(ada, actor):
    assert reveals.revealed_values(look(ada, actor)) == {
        "socialId": SOCIAL_ID,
        "securityAnswer": "rosebud",
        "relationship.pin": "4711",
        "customAttributes.secret": "s3cret",
    }


def test_those_of_a_business_s_contacts_are_among_them(owner, definitions, actor):
    contact = ACME["contacts"][0] | {"customAttributes": {"secret": "x", "color": "red"}}
    acme = create(owner, ACME, contacts=[contact])
    values = reveals.revealed_values(look(Customer.objects.get(pk=acme["id"]), actor))
    assert values == {f"contacts.{acme['contacts'][0]['id']}.customAttributes.secret": "x"}


def test_a_look_stands_in_the_history_with_its_reason(ada, actor, owner):
    look(ada, actor)
    newest = owner.api.get(f"/v1/customers/{ada.pk}/history").json()["content"][0]
    assert (newest["entity"], newest["operation"]) == ("reveal", "created")
    assert newest["reason"] == "The customer is on the phone"
    assert newest["actor"] == {"id": actor.id, "type": "employee"}
    assert SOCIAL_ID not in str(newest)


def test_a_customer_does_not_read_who_looked(ada, actor):
    look(ada, actor)
    speaker = factories.make_customer_speaker(ada)
    assert "reveal" not in speaker.api.get(f"/v1/customers/{ada.pk}/history").content.decode()


def test_a_look_ends_after_two_minutes(ada, actor):
    made = look(ada, actor)
    assert reveals.open_reveal(actor=actor, customer_id=ada.pk) == made
    started = timezone.now() - reveals.LENGTH
    Reveal.objects.update(created_at=started, ends_at=started + reveals.LENGTH)
    assert reveals.open_reveal(actor=actor, customer_id=ada.pk) is None


def test_a_look_is_one_s_own_and_of_one_customer(ada, actor, account, customer):
    look(ada, actor)
    colleague = actor_of(factories.make_employee(account), account)
    assert reveals.open_reveal(actor=colleague, customer_id=ada.pk) is None
    assert reveals.open_reveal(actor=actor, customer_id=customer.pk) is None


@pytest.mark.parametrize("reason", ["", "  ", "4111111111111111"])
def test_there_has_to_be_a_reason(ada, actor, reason):
    with pytest.raises(Invalid):
        look(ada, actor, reason)
    assert not Reveal.objects.exists()


def test_who_is_deleted_or_foreign_is_not_looked_at(ada, actor, owner):
    other = factories.make_business_account()
    with pytest.raises(NotFound):
        look(ada, actor_of(factories.make_employee(other), other))
    delete_customer(actor=owner.actor, customer_id=ada.pk, via=Via.V1)
    with pytest.raises(NotFound):
        look(ada, actor)
    assert not Reveal.objects.exists()


def test_an_employee_looks_so_often_within_an_hour_and_no_more(ada, actor, account, settings):
    settings.REVEALS_PER_HOUR = 2
    first = look(ada, actor)
    look(ada, actor)
    with pytest.raises(TooManyRequests, match="Try again in 60 minutes"):
        look(ada, actor)
    look(ada, actor_of(factories.make_employee(account), account))
    Reveal.objects.filter(id=first.id).update(created_at=timezone.now() - timedelta(hours=1))
    look(ada, actor)
