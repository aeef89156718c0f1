"""What each role may do in the back office: as the README says, and as the pages do."""

import re

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from config.launcher.guard import CHECKOUT
from customers.criteria import Criteria
from customers.models import AttributeDefinition
from customers.roles import ACTIONS, ROLES
from search import services
from tests import bulk, factories

pytestmark = pytest.mark.django_db
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
REASON = {"reason": "As asked"}


def page(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)


def pages(account, owner) -> dict[str, tuple[str, str, dict[str, str]]]:
    """How each of the actions is asked for: method, address, and form."""

    def of_customer(name: str) -> str:
        return page(f"customers_customer_{name}", factories.make_customer(account).pk)

    def of_activity(verb: str) -> str:
        customer, at = factories.make_customer(account), timezone.now()
        activity = customer.activities.create(
            type="chat", mode="inbound", sent_date=at, created_at=at
        )
        return page(f"customers_customer_{verb}", customer.pk, activity.id)

    load = bulk.request_of(bulk.send(owner, bulk.customer()))
    search = services.submit_search(
        actor=owner.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="CSV",
    )
    return {
        "see customers and their history": ("get", of_customer("history"), {}),
        "add and edit customers": ("get", of_customer("edit"), {}),
        "record activities": ("post", of_customer("activities"), {}),
        "correct activities": ("get", of_activity("correct"), {}),
        "remove activities": ("post", of_activity("remove"), {}),
        "suspend and activate customers": ("post", of_customer("suspend"), REASON),
        "delete and restore customers": ("post", of_customer("delete"), REASON),
        "reveal sensitive values": ("post", of_customer("reveal"), REASON),
        "see who revealed what": ("get", page("customers_customer_reveals"), {}),
        "give customers a sign-in": ("get", of_customer("give_sign_in"), {}),
        "see searches": ("get", page("search_customersearch_change", search.pk), {}),
        "run searches and download their files": ("get", page("search_customersearch_add"), {}),
        "cancel searches of others": ("post", page("search_customersearch_cancel", search.pk), {}),
        "see loads and their results": ("get", page("ingest_bulkrequest_change", load.pk), {}),
        "upload, try out, load, retry, undo": ("get", page("ingest_bulkrequest_upload"), {}),
        "cancel loads": ("post", page("ingest_bulkrequest_cancel", load.pk), {}),
        "see business accounts": ("get", page("customers_businessaccount_changelist"), {}),
        "edit business accounts, departments, attributes": (
            "post",
            page("customers_businessaccount_change", account.pk),
            {},
        ),
        "look after people, see sign-ins": ("get", page("customers_user_changelist"), {}),
        "look after API keys": ("get", page("customers_serviceaccount_changelist"), {}),
        "look after OAuth clients": ("get", page("customers_oauthclient_changelist"), {}),
    }


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_readme_says_and_nothing_else(role, account, owner, storage):
    header, _, *rows = re.findall(r"^\| .*$", README.split("## The back office")[1], re.MULTILINE)[
        : len(ACTIONS) + 2
    ]
    place = cells(header).index(role)
    told = {cells(row)[0]: cells(row)[place] == "yes" for row in rows}
    person = factories.make_employee(account, role=role, is_staff=True)
    assert told == {words: person.has_perm(name) for words, name in ACTIONS.items()}
    browser = Browser()
    browser.force_login(person)
    for words, (method, url, form) in pages(account, owner).items():
        status = getattr(browser, method)(url, form).status_code
        assert (status != 403) is told[words], (words, status)
    AttributeDefinition.objects.create(business_account=account, name="tier")
    text = browser.get(page("customers_attributedefinition_changelist")).content.decode()
    offers = 'value="encrypt"' in text
    assert offers is told["encrypt and decrypt attributes"]


def cells(row: str) -> list[str]:
    """The cells of a row of a table."""
    return [cell.strip() for cell in row.strip("|").split("|")]
