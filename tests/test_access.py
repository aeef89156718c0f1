"""Which actor may make which call and see which members: one table, tested over all routes."""

from datetime import UTC, datetime

import pytest

from config.api import access
from config.api.actors import SCOPES, ActorType, Scope
from config.api.routes import api_routes
from config.db.crypto import associated_data, seal
from customers import history, schema
from customers.change_log import Via, recorded
from customers.models import Contact, Customer
from tests import factories
from tests.documented import call
from tests.factories import Client
from tests.inventory import make_inventory
from tests.tables import WITHOUT_SCOPE

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

CALLS = [(route, method) for route in api_routes() for method in route.methods]
GUARDED = [each for each in CALLS if each[0].pattern not in WITHOUT_SCOPE]
REASON = "caught lying about her income"
# What the company keeps for itself.
INTERNAL = {"metadata": {"risk": "watch-list"}, "industry": "mathematics"}


@pytest.fixture(autouse=True)
def files(storage):
    """Result files of these tests are thrown away."""


@pytest.fixture
def clerk(account):
    """An employee of the house who works on the customer."""
    return factories.make_employee_speaker(account, role="Owner")


@pytest.fixture
def ada(customer, clerk, owner, child_account):
    """A customer who has signed in, and whom employees and programs have worked on."""
    with recorded(clerk.actor, via=Via.BACK_OFFICE, reason=REASON) as at:
        Customer.objects.filter(pk=customer.pk).update(
            **INTERNAL,
            pin_sealed=seal("PIN-4711", associated_data(Customer, "pin_sealed", customer.pk)),
            created_by_type="service-account",
            created_by_id=owner.actor.id,
            updated_by_type="employee",
            updated_by_id=clerk.actor.id,
            updated_at=at,
        )
        customer.contacts.update(middle_name="King")
    with recorded(clerk.actor, via=Via.BACK_OFFICE, reason=REASON):
        Customer.objects.filter(pk=customer.pk).update(industry="poetry")
    factories.make_address(customer)
    customer.activities.create(
        type="email", mode="inbound", sent_date=datetime.now(UTC), created_at=datetime.now(UTC)
    )
    return factories.make_customer_speaker(customer)


@pytest.fixture
def own(ada, customer):
    """The ids of the customer's own things."""
    return {
        "customer_id": str(customer.pk),
        "address_id": str(customer.addresses.get().id),
        "activity_id": str(customer.activities.get().id),
        "account_id": str(customer.business_account_id),
    }


def is_open(route, method):
    return access.is_open(ActorType.CUSTOMER, method, route.pattern)


# --- The table ------------------------------------------------------------------------------------


def test_every_call_of_the_url_table_says_which_actors_may_make_it():
    served = {f"{method} {route.pattern}" for route, method in CALLS}
    assert access.CALLS.keys() == served, "declare new calls in config.api.access.CALLS"


def test_a_call_that_nobody_declared_is_closed_to_customers():
    assert not access.is_open(ActorType.CUSTOMER, "GET", "v1/forgotten")
    assert access.is_open(ActorType.SERVICE_ACCOUNT, "GET", "v1/forgotten")


def test_every_member_that_customers_see_is_a_member_of_its_object():
    person, company = schema.Individual().fields, schema.Business().fields
    assert access.SHOWN["customer"] <= person.keys() | company.keys()
    assert access.SHOWN["contact"] <= schema.ContactObject().fields.keys()
    assert access.SHOWN["businessAccount"] <= schema.BusinessAccountObject().fields.keys()
    for entity, columns in access.RECORDED.items():
        assert columns <= {name for name, _ in history.fields_of(entity).values()}


# --- Calls ----------------------------------------------------------------------------------------


def test_a_customer_makes_only_the_calls_that_are_open_to_customers(owner, ada, own):
    ids = make_inventory(owner) | own
    for route, method in GUARDED:
        answer = call(ada.api, route, method, ids, with_query=False)
        assert answer.status_code == (200 if is_open(route, method) else 403), route.pattern


@pytest.mark.usefixtures("each_mode")
def test_a_customer_never_sees_what_belongs_to_anybody_else(owner, child, ada, own):
    for speaker in (owner, child):
        foreign = make_inventory(speaker)
        for route, method in CALLS:
            answer = call(ada.api, route, method, foreign)
            if is_open(route, method) and set(route.variables) - {"account_id"}:
                assert answer.status_code == 404, route.pattern
            elif speaker is child and "account_id" in route.variables:
                assert answer.status_code in {403, 404}, route.pattern
            for name in ("customer_id", "address_id", "search_id", "request_id"):
                assert foreign[name] not in answer.content.decode()


def test_the_link_to_a_search_s_file_is_nothing_for_a_customer_s_token(owner, ada):
    (route,) = [route for route in api_routes() if "signature" in route.variables]
    assert call(ada.api, route, "GET", make_inventory(owner)).status_code == 403


def test_a_customer_s_token_has_no_scope_but_to_read(ada):
    assert ada.actor.scopes == {Scope.CUSTOMERS_READ, Scope.CORE_READ}
    assert set(ada.actor.scopes) < set(SCOPES)


# --- Members --------------------------------------------------------------------------------------


def test_no_answer_to_a_customer_names_an_employee_a_program_a_reason_or_internal_values(
    ada, own, clerk, owner
):
    secrets = [clerk.actor.id, owner.actor.id, REASON, "watch-list", "PIN-4711", "mathematics"]
    secrets += ["poetry", clerk.user.email, str(clerk.actor.client_id)]
    opened = [each for each in GUARDED if is_open(*each)]
    assert len(opened) >= 4
    for route, method in opened:
        text = call(ada.api, route, method, own).content.decode()
        for secret in secrets:
            assert secret not in text, (route.pattern, secret)


def test_a_customer_sees_its_own_profile_with_who_wrote_it_as_a_type_without_an_id(ada, own):
    seen = ada.api.get(f"/v1/customers/{own['customer_id']}").json()
    assert (seen["firstName"], seen["middleName"], seen["lastName"]) == ("Ada", "King", "Lovelace")
    assert seen["primaryEmail"]["value"] == "ada@example.com"
    assert seen["addresses"][0]["cityName"] == "San Francisco"
    assert seen["createdBy"] == {"id": "", "type": "service-account"}
    assert seen["updatedBy"] == {"id": "", "type": "employee"}
    assert seen["metadata"] == seen["customAttributes"] == {}


def test_a_customer_sees_its_own_id_as_the_one_who_wrote(ada, customer):
    Customer.objects.filter(pk=customer.pk).update(
        updated_by_type="customer", updated_by_id=str(customer.pk)
    )
    seen = ada.api.get(f"/v1/customers/{customer.pk}").json()
    assert seen["updatedBy"] == {"id": str(customer.pk), "type": "customer"}


def test_a_customer_s_history_has_the_changes_of_what_it_sees_and_nobody_s_id_or_reason(
    ada, customer
):
    with recorded(ada.actor, via=Via.V1, reason="mine"):
        customer.contacts.update(prefix="Countess")
    page = ada.api.get(f"/v1/customers/{customer.pk}/history").json()
    assert page["totalElements"] == page["numberOfElements"] == len(page["content"])
    assert {row["entity"] for row in page["content"]} == {
        *("customer", "contact", "contactPoint", "address")
    }
    mine = next(row for row in page["content"] if row["actor"]["type"] == "customer")
    assert mine["actor"]["id"] == str(customer.pk)
    updates = [row for row in page["content"] if row["operation"] == "updated" and row is not mine]
    assert [row["changes"] for row in updates] == [
        [{"field": "middleName", "from": None, "to": "King"}]
    ]
    for row in page["content"]:
        assert row["reason"] == row["requestId"] == ""
        assert row is mine or row["actor"]["id"] == ""


def test_an_employee_sees_ids_and_reasons_in_the_history(ada, customer, clerk, owner):
    for api in (clerk.api, owner.api):
        rows = api.get(f"/v1/customers/{customer.pk}/history").json()["content"]
        [row] = [each for each in rows if any(c["to"] == "King" for c in each["changes"])]
        assert (row["actor"]["id"], row["reason"]) == (clerk.actor.id, REASON)


def test_a_customer_sees_whose_customer_it_is_and_no_other_account(ada, account, child_account):
    account.description = "our least profitable branch"
    account.save()
    for name in ("self", account.pk):
        seen = ada.api.get(f"/v1/business-accounts/{name}").json()
        assert seen == {
            "id": str(account.pk),
            "parentId": None,
            "name": account.name,
            "description": "",
        }
    for pk in (child_account.pk, account.parent_id):
        assert ada.api.get(f"/v1/business-accounts/{pk}").status_code == 404
    assert ada.api.get("/v1/business-accounts/self/children").status_code == 403


def test_a_customer_s_refusal_says_that_the_call_is_for_programs_and_employees(ada):
    answer = ada.api.get("/v1/customers?search=ada")
    assert answer.status_code == 403
    assert "signed-in customers" in answer.json()["message"]


def test_a_customer_learns_only_about_its_own_token(ada, clerk):
    header = {"HTTP_AUTHORIZATION": f"Bearer {ada.token}"}
    seen = Client().post("/oauth2/introspect", {"token": clerk.token}, format="multipart", **header)
    assert seen.json() == {"active": False}
    seen = Client().post("/oauth2/introspect", {"token": ada.token}, format="multipart", **header)
    assert seen.json()["sub"] == ada.actor.id


def test_contacts_of_a_business_that_signs_in_show_only_declared_members(account):
    business = factories.make_customer(account, business_name="Engines Ltd")
    Contact.objects.filter(customer=business).update(login_id="LOGIN-17")
    speaker = factories.make_customer_speaker(business)
    seen = speaker.api.get(f"/v1/customers/{business.pk}").json()
    assert seen["businessName"] == "Engines Ltd"
    assert set(seen["contacts"][0]) >= {"id", "firstName", "lastName", "primary"}
    text = speaker.api.get(f"/v1/customers/{business.pk}/history").content.decode()
    assert "LOGIN-17" not in text
