"""One thing of every kind that a path can name, by the name of its variable in the URL table."""

from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from customers.examples import KEY_ID, KEY_SECRET
from customers.models import OAuthClient
from customers.normalize import uuid7
from ingest.isolation import make_failed_load
from search import isolation, services
from search.models import CustomerSearch
from tests import factories
from tests.factories import Speaker

ROWS = b"id\r\n"


def make_inventory(speaker: Speaker) -> dict[str, str]:
    """A customer with an address and an activity, and a finished search, of a speaker's account.

    ``customer_id of contacts`` is for the path whose customer has to be a business,
    ``customer_id of restore`` for the one whose customer has to be deleted.
    """
    customer = factories.make_customer(speaker.account)
    person = customer.contacts.get()
    handle = factories.make_contact_point(person, "TWITTER", "ada1815", is_primary=False)
    business = factories.make_customer(speaker.account, business_name="Acme")
    other = factories.make_contact(business, is_primary=False, first_name="Jill")
    deleted = factories.make_customer(speaker.account, status="DELETED")
    address = factories.make_address(customer)
    activity = customer.activities.create(
        type="email", mode="inbound", sent_date=timezone.now(), created_at=timezone.now()
    )
    made = make_finished_search(speaker)
    search = services.get_search(actor=speaker.actor, search_id=made.pk)
    return {
        "customer_id": str(customer.pk),
        "customer_ids": str(customer.pk),
        "address_id": str(address.id),
        "point_id": str(handle.id),
        "customer_id of contacts": str(business.pk),
        "customer_id of restore": str(deleted.pk),
        "contact_id": str(other.id),
        "activity_id": str(activity.id),
        "account_id": str(speaker.account.pk),
        "search_id": str(search.pk),
        "signature": services.sign(search, search.file_name),
        "file_name": search.file_name,
        "request_id": str(make_bulk_request(speaker)),
        "source_customer_id": customer.external_id or "17",
        "source_account_id": "17-1",
    }


def make_documented(speaker: Speaker) -> dict[str, str]:
    """The same, and the API key that examples of the documentation show; its secret, too."""
    key = factories.make_api_key(speaker.account, scopes=factories.ALL_SCOPES)
    OAuthClient.objects.filter(pk=key.client.pk).update(
        client_id=KEY_ID, client_secret=make_password(KEY_SECRET, hasher="machine_secret")
    )
    return make_inventory(speaker)


def make_bulk_request(speaker: Speaker) -> UUID:
    """The id of a bulk request that has ended, its one item failed."""
    return make_failed_load(speaker.actor, "17")


def make_finished_search(speaker: Speaker) -> CustomerSearch:
    """A search that found nobody, and its file."""
    return isolation.make_finished_search(speaker.actor, ROWS)


def make_nothing() -> dict[str, str]:
    """The same names, for things that never were."""
    search = CustomerSearch(pk=uuid7())
    search.now = timezone.now()
    return {
        "customer_id": str(uuid7()),
        "customer_id of contacts": str(uuid7()),
        "customer_id of restore": str(uuid7()),
        "customer_ids": str(uuid7()),
        "point_id": str(uuid7()),
        "contact_id": str(uuid7()),
        "activity_id": str(uuid7()),
        "address_id": str(uuid7()),
        "account_id": str(uuid4()),
        "search_id": str(search.pk),
        "signature": services.sign(search, search.file_name),
        "file_name": search.file_name,
        "request_id": str(uuid4()),
        "source_customer_id": "71",
        "source_account_id": "71-1",
    }
