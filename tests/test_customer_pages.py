"""The pages of customers in the back office: what they show, to whom, and what they change."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from customers.change_log import Via
from customers.models import AttributeDefinition, Change, Customer, Reveal
from customers.services.customers import delete_customer
from customers.words import NOTHING
from tests import bulk, factories
from tests.customer_pages import LIST, page_of, text_of
from tests.customers import ADA, HOME, create, put
from tests.factories import browser_of
from tests.undoing import undo

pytestmark = pytest.mark.django_db
SENSITIVE = {
    "socialId": "987654321",
    "socialIdCountryCode": "USA",
    "securityAnswer": "rosebud",
    "relationship": {"pin": "471147"},
    "customAttributes": {"secret": "s3cr3tive"},
}
HIDDEN = ("987654321", "rosebud", "471147", "s3cr3tive")


@pytest.fixture
def ada(owner, account):
    AttributeDefinition.objects.create(business_account=account, name="secret", is_encrypted=True)
    return create(owner, **SENSITIVE, addresses=[HOME])


# --- The page -------------------------------------------------------------------------------------


def test_the_page_has_all_that_is_known_and_nothing_sensitive(browser, ada, owner):
    put(owner, ada, {"socialId": "111987654", "securityAnswer": "xanadu"})
    text = text_of(browser.get(page_of(ada)))
    for heading in (
        "Profile",
        "Contacts",
        "Addresses",
        "Accounts and cards",
        "Activities",
        "History",
    ):
        assert f">{heading}</h2>" in text
    for known in ("+14151234", "Ada@example.com", "100 Main St", "United States", "•••• 7654"):
        assert known in text
    for hidden in (*HIDDEN, "111987654", "xanadu"):
        assert hidden not in text
    assert "no-store" in browser.get(page_of(ada))["Cache-Control"]


def test_the_page_of_a_loaded_customer_has_enrollment_accounts_and_cards(browser, owner):
    bulk.load(owner, bulk.customer("feed-17"))
    text = text_of(browser.get(page_of(Customer.objects.get())))
    for known in ("50004", "account-of-feed-17", "•••• 2345", "Enrolled from"):
        assert known in text


@pytest.mark.parametrize("count", [1, 6])
def test_the_page_makes_so_many_queries_whatever_the_customer_has(
    browser, owner, ada, count, django_assert_num_queries
):
    for number in range(count):
        put(
            owner, ada, {"addresses": [HOME | {"zipCode": str(number)}], "middleName": "x" * number}
        )
        sent = {"type": "chat", "mode": "inbound", "sentDate": "2026-01-01T00:00:00Z"}
        owner.api.post(f"/v1/customers/{ada['id']}/activities", sent)
    with django_assert_num_queries(24):
        browser.get(page_of(ada))


def test_the_history_is_told_in_words(browser, account, owner, ada, parent_account):
    other = HOME | {"id": ada["addresses"][0]["id"], "cityName": "Springfield"}
    put(owner, ada, {"primaryPhoneNumber": {"extension": "31"}, "addresses": [other]})
    browser.post(page_of(ada, "suspend"), {"reason": "Lost phone"})
    browser.post(page_of(ada, "reveal"), {"reason": "Calls from abroad"})
    browser_of(parent_account, name="Paula Parent").post(
        page_of(ada, "activate"), {"reason": "Found"}
    )
    for url in (page_of(ada), page_of(ada, "history")):
        text = re.sub(r"<[^>]+>|\s+", " ", text_of(browser.get(url)))
        text = re.sub(r"\s+", " ", text)
        program = owner.oauth_client.service_account.name
        assert "An employee of another business account activated the customer" in text
        assert "Paula" not in text
        assert "Olivia Owner revealed sensitive values" in text
        assert "Reason: Calls from abroad" in text
        assert "Olivia Owner suspended the customer in the back office" in text
        assert "Reason: Lost phone" in text
        assert "Status Active → became Suspended" in text
        assert f"{program} changed the customer through the API" in text
        assert f"Phone: Extension {NOTHING} → became 31" in text
        assert "Mailing address: City Greenville → became Springfield" in text
        assert f"{program} created the customer" in text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text.split("History")[-1])


def test_a_long_history_has_pages(browser, owner, ada, monkeypatch):
    monkeypatch.setattr("customers.admin.customer_page.CHANGES_PER_PAGE", 3)
    for number in range(4):
        put(owner, ada, {"middleName": f"No{number}"})
    url, seen = page_of(ada, "history"), ""
    for _ in range(6):
        text = text_of(browser.get(url))
        seen += text
        link = re.search(r'rel="next" href="(\?before=[^"]+)"', text)
        if not link:
            break
        url = page_of(ada, "history") + link[1]
    assert 'rel="prev"' in text
    back = text
    while link := re.search(r'rel="prev" href="(\?after=[^"]+)"', back):
        back = text_of(browser.get(page_of(ada, "history") + link[1]))
    newest = text_of(browser.get(page_of(ada, "history")))
    assert re.findall("No[0-9]", back) == re.findall("No[0-9]", newest)
    assert 'rel="next"' in back
    for known in ("No0", "No1", "No2", "No3", "created the customer"):
        assert known in seen
    assert browser.get(page_of(ada, "history") + "?before=x").status_code == 400
    assert browser.get(page_of(ada, "history") + "?after=x_1").status_code == 400


def test_the_history_says_where_older_changes_are_not_kept(browser, ada, settings):
    told = "Older changes may be gone: they are kept for 365 days."
    pages = [page_of(ada), page_of(ada, "history")]
    settings.CHANGE_RETENTION_DAYS = 365
    assert not any(told in text_of(browser.get(page)) for page in pages), "it is all there"
    Customer.objects.filter(pk=ada["id"]).update(created_at=F("created_at") - timedelta(days=366))
    assert all(told in text_of(browser.get(page)) for page in pages)
    settings.CHANGE_RETENTION_DAYS = 0
    assert not any(told in text_of(browser.get(page)) for page in pages)


def test_a_change_by_a_load_leads_to_the_load(browser, owner, account, client):
    load = bulk.request_of(bulk.load(owner, bulk.customer("c1"))["requestId"])
    again = bulk.load(owner, bulk.customer("c1", organizationId="2"))
    undone = undo(owner, again["requestId"])
    page = page_of({"id": str(bulk.id_of(owner, "c1"))})
    text = text_of(browser.get(page))
    for name, public_id in (
        ("New customers by API", load.public_id),
        ("New customers by API", again["requestId"]),
        ("Undo of a load", undone["requestId"]),
    ):
        url = reverse("admin:ingest_bulkrequest_change", args=[bulk.request_of(public_id).pk])
        assert f'href="{url}">{name}</a>' in text
        assert browser.get(url).status_code == 200
    person = factories.make_employee(account, role="Clerk", is_staff=True)
    person.groups.clear()
    seeing = Permission.objects.get(codename="view_customer")
    person.user_permissions.add(seeing)
    client.force_login(person)
    text = text_of(client.get(page))
    assert "bulkrequest" not in text.split(">History<")[-1]


# --- Changes of status ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "verb", "after"),
    [
        ("ACTIVE", "suspend", "SUSPENDED"),
        ("SUSPENDED", "activate", "ACTIVE"),
        ("ACTIVE", "delete", "DELETED"),
        ("DELETED", "restore", "ACTIVE"),
    ],
)
def test_each_change_of_status_has_its_reason_in_the_history(browser, account, before, verb, after):
    customer = factories.make_customer(account, status=before)
    response = browser.post(page_of(customer, verb), {"reason": "As asked"}, follow=True)
    assert f"Ada Lovelace was {verb.rstrip('e')}" in text_of(response)
    customer.refresh_from_db()
    assert customer.status == after
    change = Change.objects.filter(customer_id=customer.pk).first()
    assert (change.reason, change.via, change.actor_type) == ("As asked", "back-office", "employee")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 256, "4111111111111111"])
def test_without_a_proper_reason_the_dialog_stays_open(browser, customer, reason):
    response = browser.post(page_of(customer, "suspend"), {"reason": reason})
    assert response.status_code == 400
    assert re.search(r'<dialog id="suspend-dialog"[^>]* data-open>', response.content.decode())
    customer.refresh_from_db()
    assert customer.status == "ACTIVE"


def test_what_makes_no_sense_is_told(browser, customer, owner):
    response = browser.post(page_of(customer, "restore"), {"reason": "x"}, follow=True)
    assert "was not restored. This customer is not deleted." in text_of(response)
    delete_customer(actor=owner.actor, customer_id=customer.pk, via=Via.V1)
    response = browser.post(page_of(customer, "suspend"), {"reason": "x"}, follow=True)
    assert "was not suspended. It is deleted." in text_of(response)


def test_a_deleted_customer_is_shown_and_only_restored(browser, account):
    customer = factories.make_customer(account, status="DELETED")
    text = text_of(browser.get(page_of(customer)))
    assert 'data-opens="restore-dialog"' in text
    for verb in ("suspend", "activate", "delete", "reveal"):
        assert f'data-opens="{verb}-dialog"' not in text
    assert browser.get(page_of(customer, "edit")).status_code == 302
    assert browser.post(page_of(customer, "reveal"), {"reason": "x"}).status_code == 404


def test_the_address_of_an_action_leads_to_the_page(browser, customer):
    for verb in ("suspend", "activate", "delete", "restore"):
        assert browser.get(page_of(customer, verb)).url == page_of(customer)
    customer.refresh_from_db()
    assert customer.status == "ACTIVE"


# --- Sensitive values -----------------------------------------------------------------------------


def test_values_are_revealed_for_two_minutes(browser, ada):
    assert browser.get(page_of(ada, "reveal")).status_code == 404
    response = browser.post(page_of(ada, "reveal"), {"reason": "On the phone"})
    assert set(response.json()["values"].values()) == set(HIDDEN)
    assert 110 < response.json()["seconds"] <= 120
    assert "no-store" in response["Cache-Control"]
    assert browser.get(page_of(ada, "reveal")).json()["values"] == response.json()["values"]
    text = text_of(browser.get(page_of(ada)))
    assert not any(hidden in text for hidden in HIDDEN)
    ended = timezone.now() - timedelta(seconds=1)
    Reveal.objects.update(ends_at=ended)
    assert browser.get(page_of(ada, "reveal")).status_code == 404


def test_a_look_without_a_reason_or_beyond_the_limit_is_refused(browser, ada, settings):
    response = browser.post(page_of(ada, "reveal"), {"reason": " "})
    assert (response.status_code, response.json()) == (400, {"error": "This is required."})
    settings.REVEALS_PER_HOUR = 1
    assert browser.post(page_of(ada, "reveal"), {"reason": "x"}).status_code == 200
    response = browser.post(page_of(ada, "reveal"), {"reason": "x"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 3500
    assert "values" not in response.json()


def test_the_looks_are_listed_for_the_own_tree(browser, ada, owner, outsider):
    browser.post(page_of(ada, "reveal"), {"reason": "On the phone"})
    foreign = create(outsider, firstName="Foreign")
    browser_of(outsider.account).post(page_of(foreign, "reveal"), {"reason": "Elsewhere"})
    text = text_of(browser.get(f"{LIST}reveals/"))
    for known in ("Ada Lovelace", "Olivia Owner", "On the phone"):
        assert known in text
    assert "Elsewhere" not in text
    assert "Foreign" not in text


# --- Roles and trees ------------------------------------------------------------------------------

WORK = {"list", "page", "add", "edit", "suspend", "activate", "delete", "restore"}
MAY = {
    "Owner": WORK | {"reveal", "audit"},
    "Admin": WORK | {"reveal", "audit"},
    "Manager": WORK | {"reveal"},
    "Clerk": WORK,
    "Finance": WORK,
    "View Only": {"list", "page"},
}


@pytest.mark.parametrize(("role", "allowed"), MAY.items())
def test_each_role_may_do_what_the_table_says(account, owner, ada, role, allowed):
    browser = browser_of(account, role)
    calls = {
        "list": browser.get(LIST),
        "page": browser.get(page_of(ada)),
        "add": browser.get(f"{LIST}add/"),
        "edit": browser.get(page_of(ada, "edit")),
        "audit": browser.get(f"{LIST}reveals/"),
    }
    for verb in ("reveal", "suspend", "activate", "delete", "restore"):
        calls[verb] = browser.post(page_of(ada, verb), {"reason": "Because"})
    assert {name for name, call in calls.items() if call.status_code in {200, 302}} == allowed
    assert {call.status_code for name, call in calls.items() if name not in allowed} <= {403}


@pytest.mark.parametrize(("role", "allowed"), MAY.items())
def test_each_role_sees_only_the_buttons_that_it_may_press(account, ada, role, allowed):
    browser = browser_of(account, role)
    text = text_of(browser.get(page_of(ada)))
    for verb in ("reveal", "suspend", "delete"):
        assert (f'data-opens="{verb}-dialog"' in text) == (verb in allowed), verb
    assert (">Edit</button>" in text) == ("edit" in allowed)
    text = text_of(browser.get(LIST))
    assert (">Add customer</button>" in text) == ("add" in allowed)
    assert (f"{LIST}reveals/" in text) == ("audit" in allowed)


def test_nobody_acts_on_a_customer_of_a_foreign_tree(ada, owner, sibling, child, outsider):
    for stranger in (sibling, child, outsider):
        browser = browser_of(stranger.account)
        for name in ("change", "edit", "history", "reveal"):
            assert browser.get(page_of(ada, name)).status_code == 404, name
        for name in ("edit", "suspend", "activate", "delete", "restore", "reveal"):
            assert browser.post(page_of(ada, name), {"reason": "x"}).status_code == 404, name
    assert owner.api.get(f"/v1/customers/{ada['id']}").json()["updatedAt"] == ada["updatedAt"]
    assert not Reveal.objects.exists()


def test_the_parent_s_employee_acts_for_the_account_of_the_customer(parent_account, ada, owner):
    response = browser_of(parent_account).post(page_of(ada, "suspend"), {"reason": "Asked"})
    assert response.status_code == 302
    assert owner.api.get(f"/v1/customers/{ada['id']}").json()["status"] == "SUSPENDED"


def test_a_customer_is_added_through_the_form(browser, owner):
    form = {"firstName": "Grace", "lastName": "Hopper", "primaryEmail.value": "g@example.com"}
    form |= {"primaryPhoneNumber.number": "4151234", "primaryPhoneNumber.type": "MOBILE"}
    response = browser.post(f"{LIST}add/", form, follow=True)
    assert "The customer was added." in text_of(response)
    [grace] = owner.api.get("/v1/customers?search=hopper").json()["content"]
    assert grace["primaryPhoneNumber"]["number"] == "+14151234"
    assert grace["createdBy"]["type"] == "employee"
    assert grace["firstName"] != ADA["firstName"]
