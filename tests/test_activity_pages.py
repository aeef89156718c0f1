"""Activities on the pages of customers: recorded, marked, corrected, removed, and on record."""

import re
from datetime import UTC, datetime

import pytest

from customers.models import Activity, Customer
from tests import bulk, factories
from tests.customer_pages import page_of, text_of
from tests.factories import browser_of
from tests.undoing import undo

pytestmark = pytest.mark.django_db
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


# --- Corrected and removed ------------------------------------------------------------------------

BASE = re.compile(r'name="base" value="([^"]+)"')


@pytest.fixture
def activity(customer):
    at = datetime(2026, 3, 1, 10, 30, 12, 345, tzinfo=UTC)
    return Activity.objects.create(
        customer=customer,
        type="calltrack",
        mode="inbound",
        sent_date=at,
        subject="Card",
        created_at=at,
    )


def place(activity, verb="edit") -> str:
    return page_of(Customer(pk=activity.customer_id), f"activities/{activity.id}/{verb}")


def opened(browser, activity) -> str:
    """What the form was made from."""
    [base, *_] = BASE.findall(browser.get(place(activity)).content.decode())
    return base


def history(owner, customer):
    content = owner.api.get(f"/v1/customers/{customer.pk}/history").json()["content"]
    return [each for each in content if each["entity"] == "activity"]


def test_an_activity_is_corrected_and_the_history_says_so(browser, owner, customer, activity):
    form = CALL | {"base": opened(browser, activity), "subject": "Lost card", "isRead": "on"}
    text = text_of(browser.post(place(activity), form, follow=True))
    assert "The activity was corrected." in text
    assert "corrected an activity" in text
    assert "Lost card: Subject" in text
    before = activity.sent_date
    activity.refresh_from_db()
    assert (activity.subject, activity.is_read, activity.sent_date) == ("Lost card", True, before)
    [corrected, recorded] = history(owner, customer)
    assert (recorded["operation"], corrected["operation"]) == ("created", "updated")
    assert {each["field"]: (each["from"], each["to"]) for each in corrected["changes"]} == {
        "isRead": (False, True),
        "subject": ("Card", "Lost card"),
    }
    browser.post(place(activity), form | {"base": opened(browser, activity)})
    assert len(history(owner, customer)) == 2


def test_a_correction_that_is_wrong_changes_nothing(browser, activity):
    base = opened(browser, activity)
    for wrong in ({"sentDate": "soon"}, {"type": "letter"}, {"subject": "x" * 256}):
        response = browser.post(place(activity), CALL | wrong | {"base": base})
        assert response.status_code == 400
        assert 'class="kc-error"' in response.content.decode()
    activity.refresh_from_db()
    assert (activity.subject, activity.version) == ("Card", 1)


def test_of_two_who_correct_an_activity_the_second_sees_both_versions(
    browser, account, customer, activity
):
    base = opened(browser, activity)
    other = browser_of(account)
    other.post(page_of(customer, f"activities/{activity.id}"), {"isRead": "true"})
    other.post(place(activity), CALL | {"base": opened(other, activity), "subject": "Theirs"})
    other.post(page_of(customer, f"activities/{activity.id}"), {"isRead": "true"})
    answer = browser.post(place(activity), CALL | {"base": base, "subject": "Mine"})
    text = text_of(answer)
    assert "Somebody changed this activity" in text
    assert '<td data-label="Theirs">Theirs</td><td data-label="Yours">Mine</td>' in text
    assert 'name="isRead" checked' in text
    [merged, *_] = BASE.findall(answer.content.decode())
    browser.post(place(activity), CALL | {"base": merged, "subject": "Mine", "isRead": "on"})
    activity.refresh_from_db()
    assert (activity.subject, activity.is_read) == ("Mine", True)


def test_an_activity_is_removed_for_a_reason_and_stays_in_the_history(
    browser, owner, customer, activity
):
    base = opened(browser, activity)
    remove = place(activity, "remove")
    response = browser.post(remove, {"base": base, "reason": ""})
    assert response.status_code == 400
    assert re.search(r'<dialog id="remove-dialog"[^>]* data-open>', response.content.decode())
    text = text_of(browser.post(remove, {"base": base, "reason": "Wrong customer"}, follow=True))
    assert "The activity was removed." in text
    assert "removed an activity" in text
    assert "Wrong customer" in text
    assert not Activity.objects.exists()
    [removed, _] = history(owner, customer)
    assert (removed["operation"], removed["reason"]) == ("deleted", "Wrong customer")
    assert ("subject", "Card") in {(each["field"], each["from"]) for each in removed["changes"]}
    assert browser.post(remove, {"base": base, "reason": "Again"}).status_code == 404


def test_what_somebody_else_changed_meanwhile_is_looked_at_before_it_is_removed(
    browser, account, customer, activity
):
    base = opened(browser, activity)
    browser_of(account).post(page_of(customer, f"activities/{activity.id}"), {"isRead": "true"})
    form = {"base": base, "reason": "Wrong customer"}
    text = text_of(browser.post(place(activity, "remove"), form, follow=True))
    assert "Somebody changed this activity meanwhile." in text
    assert Activity.objects.exists()


def test_who_may_not_or_does_not_see_the_customer_changes_no_activity(
    browser, account, child_account, customer, activity
):
    form = CALL | {"reason": "No"}
    for verb in ("edit", "remove"):
        assert browser_of(account, "View Only").post(place(activity, verb), form).status_code == 403
        assert browser_of(child_account).post(place(activity, verb), form).status_code == 404
    assert place(activity) not in text_of(browser_of(account, "View Only").get(page_of(customer)))
    browser.post(page_of(customer, "delete"), {"reason": "Gone"})
    for verb in ("edit", "remove"):
        assert browser.post(place(activity, verb), form).status_code == 404
    activity.refresh_from_db()
    assert activity.version == 1


def test_older_activities_are_on_a_page_of_their_own(browser, customer, activity):
    at = activity.sent_date
    Activity.objects.bulk_create(
        Activity(customer=customer, type="chat", mode="inbound", sent_date=at, created_at=at)
        for _ in range(120)
    )
    assert page_of(customer, "activities") in text_of(browser.get(page_of(customer)))
    rows = [
        browser.get(page_of(customer, "activities") + f"?p={number}").content.count(b"Mark as")
        for number in (0, 1, 2)
    ]
    assert rows == [50, 50, 21]


# --- Undo -----------------------------------------------------------------------------------------


def test_activities_stand_in_the_way_of_an_undo_only_where_they_would_vanish(
    browser, owner, account
):
    bulk.load(owner, bulk.customer("c1"))
    load = bulk.load(owner, bulk.customer("c1", organizationId="2"), bulk.customer("c2"))
    c1, c2 = (bulk.stored(owner, source_id) for source_id in ("c1", "c2"))
    for customer in (c1, c2):
        browser.post(page_of(customer, "activities"), CALL)
    gone = c2.activities.get()
    form = {"base": opened(browser, gone), "reason": "Wrong customer"}
    browser.post(place(gone, "remove"), form)
    outcomes = [item["outcome"] for item in undo(owner, load["requestId"])["items"]]
    assert outcomes == ["UPDATED", "REMOVED"]
    assert c1.activities.exists()
