"""The pages of customers in the back office: what they show, to whom, and what they change."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from customers.change_log import Via
from customers.models import Activity, AttributeDefinition, Change, Customer, Reveal
from customers.services.customers import delete_customer
from customers.words import NOTHING
from tests import bulk, factories
from tests.customers import ACME, ADA, HOME, create, put
from tests.undoing import undo

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"
SENSITIVE = {
    "socialId": "987654321",
    "socialIdCountryCode": "USA",
    "securityAnswer": "rosebud",
    "relationship": {"pin": "471147"},
    "customAttributes": {"secret": "s3cr3tive"},
}
HIDDEN = ("987654321", "rosebud", "471147", "s3cr3tive")


def page_of(customer, name="change"):
    pk = customer["id"] if isinstance(customer, dict) else customer.pk
    return f"{LIST}{pk}/{name}/"


def browser_of(account, role="Owner", **fields):
    browser = Browser()
    browser.force_login(factories.make_employee(account, role=role, is_staff=True, **fields))
    return browser


@pytest.fixture
def browser(account):
    return browser_of(account, name="Olivia Owner")


@pytest.fixture
def ada(owner, account):
    AttributeDefinition.objects.create(business_account=account, name="secret", is_encrypted=True)
    return create(owner, **SENSITIVE, addresses=[HOME])


def text_of(response):
    assert response.status_code == 200, response.content
    return response.content.decode()


# --- The list -------------------------------------------------------------------------------------


def listed(browser, **query):
    """The names on the list."""
    text = text_of(browser.get(LIST, query))
    return [name.strip() for name in re.findall(r'/change/">(.*?)</a>', text)]


def test_a_scrap_of_a_name_phone_or_email_finds_a_customer(browser, owner):
    create(owner)
    create(owner, ACME)
    assert listed(browser) == ["ACME", "Ada Lovelace"]
    for scrap in ("lovel", "415123", "ada@ex", "ADA lace"):
        assert listed(browser, q=scrap)[-1] == "Ada Lovelace"
    assert listed(browser, q="jsmith") == ["ACME"]
    assert listed(browser, q="nobody") == []
    assert listed(browser, q="one two " * 20) == []


def test_the_filters_narrow_the_list(browser, account, child_account, owner):
    department = factories.make_department(account, "Retail")
    factories.make_customer(account, first_name="Rita", department=department)
    factories.make_customer(child_account, first_name="Carl")
    factories.make_customer(account, first_name="Della", status="DELETED")
    factories.make_customer(account, first_name="Sue", status="SUSPENDED")
    create(owner, ACME)
    names = {name.split()[0] for name in listed(browser)}
    assert names == {"Rita", "Carl", "Sue", "ACME"}
    assert listed(browser, status__exact="DELETED") == ["Della Lovelace"]
    assert listed(browser, status__exact="SUSPENDED") == ["Sue Lovelace"]
    assert listed(browser, type__exact="BUSINESS") == ["ACME"]
    assert listed(browser, department="Retail") == ["Rita Lovelace"]
    assert listed(browser, account="Child Branch") == ["Carl Lovelace"]
    assert len(listed(browser, account="House Bank")) == 4
    today = timezone.now().date()
    assert len(listed(browser, created_from=today, created_to=today)) == 4
    assert listed(browser, created_from=today + timedelta(days=2)) == []
    for order in ("oldest", "changed", "name", "business"):
        assert len(listed(browser, order=order)) == 4
    assert listed(browser, order="oldest")[0] == "Rita Lovelace"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"account": "Parent Holding"}, "There is no such business account."),
        ({"department": "Nowhere"}, "There is no such department."),
        ({"created_from": "soon"}, "Enter a valid date."),
        ({"created_from": "2026-02-01", "created_to": "2026-01-01"}, "before the other date"),
        ({"status__exact": "DELETED", "order": "name"}, "in the order of time"),
        ({"after": "WzFd"}, "There is no such page."),
    ],
)
def test_a_filter_that_cannot_be_understood_says_so(browser, customer, query, message):
    text = text_of(browser.get(LIST, query))
    assert message in text
    assert "/change/" not in text


def test_a_filter_that_is_none_is_400(browser):
    assert browser.get(LIST, {"search_text__contains": "a"}).status_code == 400


def test_a_customer_without_a_name_is_listed_by_its_external_id(browser, owner, account):
    bulk.load(owner, bulk.customer("feed-17"))
    assert listed(browser) == ["feed-17"]
    Customer.objects.create(
        business_account=account,
        type="INDIVIDUAL",
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )
    assert listed(browser) == ["(no name)", "feed-17"]


@pytest.mark.parametrize("order", ["", "oldest", "changed", "name", "business"])
@pytest.mark.parametrize("exact", [10, 10_000])
@pytest.mark.parametrize("fields", [{}, {"is_superuser": True}])
def test_a_long_list_has_pages(account, child_account, monkeypatch, order, exact, fields):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", exact)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 5)
    wanted = set()
    for number in range(12):
        tenant = account if number % 3 else child_account
        wanted.add(str(factories.make_customer(tenant, first_name=f"Ada{number}").pk))
    browser, pages, url = browser_of(account, **fields), [], f"{LIST}?order={order}"

    def page(rel: str) -> str:
        """What is listed, and the address of the page that follows, or of the one before."""
        text = text_of(browser.get(url))
        pages.append(re.findall(r'customer/([0-9a-f-]+)/change/">', text))
        assert (f'href="?order={order}">First page</a>' in text) == (len(pages) not in {1, 5})
        link = re.search(rf'rel="{rel}" href="([^"]+)"', text)
        return LIST + html.unescape(link[1]) if link else ""

    for _ in "123":
        last, url = url, page("next")
    assert not url
    assert [len(each) for each in pages] == [5, 5, 2]
    assert {each for found in pages for each in found} == wanted
    url, pages = last, pages[:2]
    for _ in "123":
        url = page("prev")
    assert not url
    assert pages[:2] == pages[4:2:-1]


@pytest.mark.parametrize("order", ["", "oldest", "changed", "name", "business"])
@pytest.mark.parametrize("walks", [0, 1_000_000])
def test_many_that_a_search_finds_have_pages(account, child_account, monkeypatch, order, walks):
    """Whether they are walked through or sorted."""
    monkeypatch.setattr("customers.admin.customer_list.MOST_COUNTED", 3)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 5)
    monkeypatch.setattr("customers.admin.customer_walks.WALKS", walks)
    wanted = set()
    for number in range(12):
        tenant = account if number % 3 else child_account
        name = "Grace" if number % 4 else "Ada"
        customer = factories.make_customer(tenant, first_name=name)
        wanted |= {str(customer.pk)} if number % 4 else set()
    browser, seen, url = browser_of(account), [], f"{LIST}?q=grace&order={order}"
    for count in (5, 4):
        text = text_of(browser.get(url))
        found = re.findall(r'customer/([0-9a-f-]+)/change/">', text)
        assert len(found) == count
        seen += found
        link = re.search(r'rel="next" href="([^"]+)"', text)
        url = LIST + html.unescape(link[1]) if link else ""
    assert set(seen) == wanted


def test_many_that_a_search_finds_are_not_counted(browser, account, monkeypatch):
    monkeypatch.setattr("customers.admin.customer_list.MOST_COUNTED", 2)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 3)
    for _ in range(4):
        factories.make_customer(account)
    assert "1\N{EN DASH}3 of more than 2 customers" in text_of(browser.get(LIST, {"q": "ada"}))


@pytest.mark.parametrize("count", [1, 8])
def test_the_list_makes_so_many_queries_whatever_is_on_it(
    browser, owner, count, django_assert_num_queries
):
    for _ in range(count):
        create(owner, ACME)
    browser.get(LIST)
    session, user, permissions, tree = 1, 1, 2, 1
    total, ids, customers, contacts, points = 1, 1, 1, 1, 1
    numbers = (session, user, permissions, tree, total, ids, customers, contacts, points)
    with django_assert_num_queries(sum(numbers)):
        browser.get(LIST, {"q": "acme"})


def test_suggestions_are_of_the_own_tree(browser, account, child_account, parent_account):
    factories.make_department(parent_account, "Above")
    factories.make_department(child_account, "Below")
    url = f"{LIST}suggestions/"
    assert browser.get(url, {"of": "account"}).json()["names"] == ["Child Branch", "House Bank"]
    assert browser.get(url, {"of": "account", "term": "chi"}).json()["names"] == ["Child Branch"]
    assert browser.get(url, {"of": "department"}).json()["names"] == ["Below"]


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


@pytest.mark.parametrize("count", [0, 6])
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


# --- Activities -----------------------------------------------------------------------------------

CALL = {"type": "calltrack", "mode": "inbound", "sentDate": "2026-03-01T10:30", "subject": "Card"}


def test_an_activity_is_recorded_in_the_operators_time_and_marked(browser, customer):
    browser.cookies["kith_time_zone"] = "Asia/Tokyo"
    text = text_of(browser.post(page_of(customer, "activities"), CALL, follow=True))
    assert "The activity was recorded." in text
    assert "1 Mar 2026, 10:30" in text
    activity = Activity.objects.get()
    assert (activity.type, activity.is_read) == ("calltrack", False)
    assert activity.sent_date.isoformat() == "2026-03-01T01:30:00+00:00"
    mark = page_of(customer, f"activities/{activity.id}")
    assert f'action="{mark}"' in text
    assert "marked as read" in text_of(browser.post(mark, {"isRead": "true"}, follow=True))
    activity.refresh_from_db()
    assert activity.is_read


def test_an_activity_that_is_wrong_stays_in_the_dialog(browser, customer):
    for wrong in ({"sentDate": "soon"}, {"type": "letter"}, {"subject": "x" * 256}):
        response = browser.post(page_of(customer, "activities"), CALL | wrong)
        assert response.status_code == 400
        assert re.search(r'<dialog id="activity-dialog"[^>]* data-open>', response.content.decode())
    assert not Activity.objects.exists()


def test_an_activity_of_somebody_else_is_not_there(account, child_account, customer):
    foreign = browser_of(child_account)
    assert foreign.post(page_of(customer, "activities"), CALL).status_code == 404
    other = factories.make_customer(account)
    browser_of(account).post(page_of(other, "activities"), CALL)
    activity = Activity.objects.get()
    mark = page_of(customer, f"activities/{activity.id}")
    assert browser_of(account).post(mark, {"isRead": "true"}).status_code == 404


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
