"""Bodies for `/v2/data`, and the short ways to send them and to see their outcomes."""

import itertools
from typing import Any
from uuid import UUID

from customers import normalize
from customers.models import Change, Customer
from ingest import runner
from ingest.models import BulkRequest
from tests.factories import Speaker

CUSTOMERS = "/v2/data/customers"
REQUESTS = "/v2/data/requests"
Body = dict[str, Any]
_numbers = itertools.count(1)


def card(
    source_customer_id: str, source_account_id: str, last4: str = "2345", **members: Any
) -> Body:
    return {
        "sourceAccountId": source_account_id,
        "sourceCustomerId": source_customer_id,
        "last4": last4,
        "iin": "123456",
        "cardType": "CREDIT",
        "status": "OPEN",
        "networkIdentifier": "4",
        "openDate": "2023-01-01T08:00:00Z",
        "closeDate": None,
    } | members


def account(source_customer_id: str, source_account_id: str = "", **members: Any) -> Body:
    """An account of one customer, with one card."""
    source_account_id = source_account_id or f"account-of-{source_customer_id}"
    return {
        "sourceAccountId": source_account_id,
        "sourceCustomerIds": [source_customer_id],
        "primarySourceCustomerId": source_customer_id,
        "status": "OPEN",
        "type": "DDA",
        "sourcePortfolioId": "portfolio",
        "accountOpenDate": "2018-05-12T20:30:00Z",
        "accountCloseDate": None,
        "cards": [card(source_customer_id, source_account_id)],
    } | members


def customer(source_customer_id: str = "", **members: Any) -> Body:
    """A customer with one account, which has one card."""
    source_customer_id = source_customer_id or f"customer-{next(_numbers)}"
    return {
        "sourceCustomerId": source_customer_id,
        "organizationId": "50004",
        "postalCode": "78753",
        "country": "US",
        "customerCreationDate": "2017-01-01T08:00:00Z",
        "enrollmentStartDate": "2023-01-01T08:00:00Z",
        "enrollmentOptInStatus": "ACTIVE",
        "alertOptInStatus": ["ALL"],
        "targetingIndicator": "TARGET",
        "accounts": [account(source_customer_id)],
    } | members


def without(body: Body, *members: str) -> Body:
    return {name: value for name, value in body.items() if name not in members}


def send(speaker: Speaker, *customers: Body, method: str = "post", **headers: str) -> str:
    """Send customers; gives the request's id."""
    return accepted(
        getattr(speaker.api, method)(CUSTOMERS, {"customers": list(customers)}, headers=headers)
    )


def put(speaker: Speaker, *customers: Body) -> str:
    return send(speaker, *customers, method="put")


def put_accounts(speaker: Speaker, source_customer_id: str, *accounts: Body) -> str:
    url = f"{CUSTOMERS}/{source_customer_id}/accounts"
    return accepted(speaker.api.put(url, {"accounts": list(accounts)}))


def put_cards(
    speaker: Speaker, source_customer_id: str, source_account_id: str, *cards: Body
) -> str:
    url = f"{CUSTOMERS}/{source_customer_id}/accounts/{source_account_id}/cards"
    return accepted(speaker.api.put(url, {"cards": list(cards)}))


def accepted(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return answer.json()["requestId"]


def request_of(public_id: str) -> BulkRequest:
    return BulkRequest.objects.get(public_id=public_id)


def run(*public_ids: str) -> None:
    """Do what a worker would do with these requests."""
    for public_id in public_ids:
        runner.run(request_of(public_id).pk)


def ledger(speaker: Speaker, public_id: str) -> Body:
    return speaker.api.get(f"{REQUESTS}/{public_id}").json()


def done(speaker: Speaker, public_id: str) -> Body:
    """Do a request, and give its ledger."""
    run(public_id)
    found = ledger(speaker, public_id)
    assert found["status"] == "FINISHED", found
    return found


def load(speaker: Speaker, *customers: Body) -> Body:
    """Send customers and have them loaded; gives the ledger."""
    return done(speaker, send(speaker, *customers))


def outcomes(found: Body) -> list[str]:
    return [item["outcome"] for item in found["items"]]


def errors(found: Body, index: int = 0) -> set[tuple[str, str]]:
    """Places and codes of an item's errors."""
    return {(error["pointer"], error["code"]) for error in found["items"][index]["errors"]}


def stored(speaker: Speaker, source_customer_id: str) -> Customer:
    return Customer.objects.get(pk=id_of(speaker, source_customer_id))


def id_of(speaker: Speaker, source_customer_id: str) -> UUID:
    return normalize.customer_id(speaker.account.pk, source_customer_id)


def changes(speaker: Speaker, source_customer_id: str) -> int:
    """How many rows the change log has of a customer."""
    return Change.objects.filter(customer_id=id_of(speaker, source_customer_id)).count()
