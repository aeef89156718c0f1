"""What the app `customers` has to be looked at: customers, people, programs, attributes."""

from typing import cast
from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from config.api.bodies import Submission
from customers.actors import operator_actor
from customers.change_log import Via
from customers.isolation.holdings import Handle, Handles, Holding, Reach, handle, register
from customers.models import ContactPoint, Customer, SignInAttempt, User
from customers.services import customers as services
from customers.services.activities import record_activity
from customers.services.attributes import convert_attribute
from customers.services.business import create_attribute, create_department
from customers.services.people import create_employee
from customers.services.reveals import reveal_customer
from customers.services.sign_ins import create_customer_login, create_oauth_client
from customers.values import CustomerValues


@register
def things(holding: Holding) -> Handles:
    """One of everything, through the services that the API and the back office use."""
    account, mark = holding.account, holding.mark
    create_department(business_account=account, name=f"{mark} department")
    attribute = create_attribute(business_account=account, name=f"{mark}", target="customer")
    person = create(holding, individual(mark))
    business = create(holding, company(mark))
    deleted = create(holding, individual(f"{mark} deleted"))
    services.delete_customer(actor=holding.actor, customer_id=deleted.pk, via=Via.COMMAND)
    activity = record_activity(
        actor=holding.actor,
        customer_id=person.pk,
        submission=Submission(
            {
                "type": "email",
                "mode": "inbound",
                "sent_date": timezone.now(),
                "subject": f"{mark} subject",
            }
        ),
        via=Via.COMMAND,
    )
    conversion = convert_attribute(actor=holding.actor, definition=attribute, to_encrypted=True)
    manager = create_employee(
        email=f"{mark}-manager@example.com", business_account=account, role="Manager", name=mark
    )
    reveal_customer(
        actor=operator_actor(manager.pk, account),
        customer_id=person.pk,
        submission=Submission({"reason": f"{mark} reason"}),
        via=Via.BACK_OFFICE,
    )
    create_customer_login(
        actor=holding.actor,
        customer_id=person.pk,
        email=f"{mark}-customer@example.com",
        via=Via.COMMAND,
    )
    contact = person.contacts.get()
    point = ContactPoint.objects.get(contact_id=contact.id, kind=ContactPoint.Kind.TWITTER)
    other = business.contacts.get(is_primary=False)
    in_lists = handle(person.pk, is_listed=True)
    return {
        "customer_id": in_lists,
        "customer_ids": in_lists,
        "customer_id of contacts": handle(business.pk, is_listed=True),
        "customer_id of restore": handle(deleted.pk),
        "address_id": handle(person.addresses.get().id),
        "point_id": handle(point.id),
        "contact_id": handle(other.id),
        "activity_id": handle(activity.id),
        "account_id": handle(account.pk),
        "object_id of customers.customer": in_lists,
        "activity_id of customers.customer": handle(activity.id),
        "object_id of customers.businessaccount": handle(account.pk),
        "object_id of customers.attributedefinition": handle(attribute.pk, is_listed=True),
        "object_id of customers.attributeconversion": handle(conversion.pk, is_listed=True),
        **people(holding, manager),
    }


def people(holding: Holding, manager: User) -> Handles:
    """Who works for the account, and which programs and apps it has."""
    account, mark = holding.account, holding.mark
    sign_in = SignInAttempt.objects.create(
        person=manager, business_account=account, door="APP", outcome="SIGNED_IN"
    )
    app = create_oauth_client(
        business_account=account,
        name=f"{mark} app",
        grant="authorization-code",
        redirect_uris=["https://app.example.com/callback"],
        is_public=True,
    ).client
    program = holding.client.service_account_id
    return {
        # Customers may be in the care of somebody who works for an account above theirs.
        "agent_id": handle(manager.pk, reach=Reach.ABOVE),
        "object_id of customers.user": handle(manager.pk, is_listed=True),
        "object_id of customers.signinattempt": handle(sign_in.pk, is_listed=True),
        "object_id of customers.oauthclient": handle(app.pk, is_listed=True),
        "object_id of customers.serviceaccount": handle(program, is_listed=True),
        "pk of customers.serviceaccount": handle(holding.client.pk),
        **link_of(manager.pk, default_token_generator.make_token(manager)),
    }


def link_of(person: UUID, token: str) -> Handles:
    """The two parts of a link by which a person chooses a password: who has it, may."""
    encoded, other = (
        urlsafe_base64_encode(force_bytes(key)) for key in (person, handle(person).never)
    )
    return {
        "uidb64": Handle(encoded, other, Reach.ANYBODY),
        "token": Handle(token, token, Reach.ANYBODY),
    }


def create(holding: Holding, values: CustomerValues) -> Customer:
    """A customer, made by the holding's program."""
    created = services.create_customer(
        actor=holding.actor, submission=Submission(values), via=Via.COMMAND
    )
    return Customer.objects.get(pk=created.id)


def individual(mark: str) -> CustomerValues:
    """A person whom the examples of the API's documentation find."""
    return {
        "type": "INDIVIDUAL",
        "first_name": "Ada",
        "middle_name": mark,
        "last_name": "Lovelace",
        "phone": {"value": "+14155550142", "phone_type": "MOBILE"},
        "email": {"value": "ada@example.com"},
        "contact_points": [{"kind": "TWITTER", "value": mark.replace(" ", "")}],
        "addresses": [
            {
                "type": "MAILING",
                "street_line_1": f"1 {mark} Street",
                "city": "San Francisco",
                "state": "CA",
                "country": "USA",
                "zip_code": "94105",
                "is_primary": True,
            }
        ],
    }


def company(mark: str) -> CustomerValues:
    """A business with two people."""
    persons = [
        {
            "first_name": name,
            "last_name": mark,
            "is_primary": name == "Jack",
            "phone": {"value": "+14155550142", "phone_type": "WORK"},
            "email": {"value": f"{name}-{mark}@example.com"},
        }
        for name in ("Jack", "Jill")
    ]
    values = {"type": "BUSINESS", "business_name": f"{mark} Limited", "contacts": persons}
    return cast("CustomerValues", values)
