"""Custom attributes in the back office: defined, and converted by who may."""

import pytest
from django.test import Client as Browser

from customers.models import AttributeConversion, AttributeDefinition
from tests import factories

pytestmark = pytest.mark.django_db
ATTRIBUTES = "/admin/customers/attributedefinition/"


@pytest.fixture
def definition(account) -> AttributeDefinition:
    return AttributeDefinition.objects.create(business_account=account, name="color")


def signed_in(account, role: str) -> Browser:
    browser = Browser()
    browser.force_login(factories.make_employee(account, role=role, is_staff=True))
    return browser


def ask(browser: Browser, definition: AttributeDefinition, action: str, **answer: str):
    form = {"action": action, "_selected_action": str(definition.pk)} | answer
    return browser.post(ATTRIBUTES, form, follow=True)


def account_form(definition: AttributeDefinition, **changed: str) -> dict[str, str]:
    account = definition.business_account
    return {
        "name": account.name,
        "default_region": "US",
        "max_running_jobs": "2",
        "departments-TOTAL_FORMS": "0",
        "departments-INITIAL_FORMS": "0",
        "attribute_definitions-TOTAL_FORMS": "1",
        "attribute_definitions-INITIAL_FORMS": "1",
        "attribute_definitions-0-id": str(definition.pk),
        "attribute_definitions-0-business_account": str(account.pk),
        "attribute_definitions-0-target": "customer",
        "attribute_definitions-0-name": definition.name,
    } | {f"attribute_definitions-{name}": value for name, value in changed.items()}


@pytest.mark.parametrize(
    ("action", "words", "to_encrypted"),
    [("encrypt", "Encrypt values", True), ("decrypt", "Stop encrypting", False)],
)
def test_an_owner_converts_an_attribute_after_a_question(
    account, definition, action, words, to_encrypted
):
    if not to_encrypted:
        definition = AttributeDefinition.objects.create(
            business_account=account, name="secret", is_encrypted=True
        )
    browser = signed_in(account, "Owner")
    assert words in browser.get(ATTRIBUTES).content.decode()
    question = ask(browser, definition, action).content.decode()
    assert words in question
    assert definition.name in question
    assert not AttributeConversion.objects.exists()
    answer = ask(browser, definition, action, confirmed="yes")
    assert f"The values of {definition} are being converted." in answer.content.decode()
    job = AttributeConversion.objects.get()
    assert (job.definition, job.to_encrypted, job.actor_type) == (
        definition,
        to_encrypted,
        "employee",
    )
    again = ask(browser, definition, action, confirmed="yes").content.decode()
    assert "being converted; wait for it to end" in again
    page = browser.get("/admin/customers/attributeconversion/").content.decode()
    assert definition.name in page


@pytest.mark.parametrize("role", ["Manager", "Clerk", "Finance", "View Only"])
def test_nobody_else_converts_an_attribute(account, definition, role):
    browser = signed_in(account, role)
    assert "Encrypt values" not in browser.get(ATTRIBUTES).content.decode()
    ask(browser, definition, "encrypt", confirmed="yes")
    assert not AttributeConversion.objects.exists()


def test_an_attribute_of_another_tree_is_not_converted(definition):
    outside = factories.make_business_account("Outside Bank")
    ask(signed_in(outside, "Owner"), definition, "encrypt", confirmed="yes")
    assert not AttributeConversion.objects.exists()


def test_the_switch_is_refused_in_place_by_the_form(account, definition):
    browser = signed_in(account, "Owner")
    url = f"/admin/customers/businessaccount/{account.pk}/change/"
    sent = account_form(definition, **{"0-name": "colour", "0-is_encrypted": "on"})
    answer = browser.post(url, sent)
    assert answer.status_code == 302, answer.content.decode()
    definition.refresh_from_db()
    assert (definition.name, definition.is_encrypted) == ("colour", False)


def test_a_new_attribute_may_be_encrypted_from_the_start(account, definition):
    url = f"/admin/customers/businessaccount/{account.pk}/change/"
    new = {"1-target": "customer", "1-name": "secret", "1-is_encrypted": "on", "TOTAL_FORMS": "2"}
    answer = signed_in(account, "Owner").post(url, account_form(definition, **new))
    assert answer.status_code == 302, answer.content.decode()
    assert AttributeDefinition.objects.get(name="secret").is_encrypted


def test_a_conversion_is_cancelled_by_who_may_start_one(account, definition):
    browser = signed_in(account, "Owner")
    ask(browser, definition, "encrypt", confirmed="yes")
    job = AttributeConversion.objects.get()
    form = {"action": "cancel", "_selected_action": str(job.pk)}
    url = "/admin/customers/attributeconversion/"
    signed_in(account, "Clerk").post(url, form)
    job.refresh_from_db()
    assert job.status == "SUBMITTED"
    browser.post(url, form)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("ABORTED", "CANCELLED")
