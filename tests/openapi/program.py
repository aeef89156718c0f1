"""A program against Kith as an integrator writes it, on the client that is generated.

Its arguments are the server's address, and the id and the secret of an API key. It is checked with
mypy, and fails where an answer is not what the generated types say.
"""

import base64
import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from threading import Event
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

from kith_client import AuthenticatedClient
from kith_client.api.bulk_loads import (
    create_customers,
    load_file,
    read_bulk_request,
    read_bulk_results,
)
from kith_client.api.customers import (
    create_customer,
    list_customers,
    read_customer,
    update_customer,
)
from kith_client.api.immediate_search import search_customers
from kith_client.api.searches import download_result, read_search, submit_search
from kith_client.api.tokens import exchange_api_key
from kith_client.models import (
    Accepted,
    AcceptedOrTried,
    AddressBody,
    AddressType,
    CorePage,
    CustomerPage,
    CustomerType,
    CustomerUpdate,
    DataCustomerBody,
    DataCustomersToCreate,
    Email,
    Individual,
    Ledger,
    NewIndividual,
    OptInStatus,
    PhoneNumber,
    PhoneNumberUpdate,
    PhoneType,
    Recipient,
    RequestStatus,
    ResultFormat,
    SearchRequest,
    SearchState,
    SearchStatus,
    SearchSubmitted,
    TargetingIndicator,
    Token,
)
from kith_client.types import UNSET, File, Response

T = TypeVar("T")
WAIT_SECONDS = 60
BORN = date(1985, 12, 10)
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def signed_in(url: str, key: str, secret: str) -> AuthenticatedClient:
    """A client with an access token for the API key."""
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    token = exchange_api_key.sync(client=AuthenticatedClient(url, basic, prefix="Basic"))
    assert isinstance(token, Token), token
    return AuthenticatedClient(url, token.access_token)


def one_customer(client: AuthenticatedClient) -> None:
    """Create, read, update."""
    ada = NewIndividual(
        type_="INDIVIDUAL",
        first_name="Ada",
        last_name="Lovelace",
        primary_phone_number=PhoneNumber("+14155550142", PhoneType.MOBILE),
        primary_email=Email("ada@example.com"),
        date_of_birth=BORN,
        addresses=[
            AddressBody(
                type_=AddressType.SHIPPING,
                name=Recipient("Ada", "Lovelace"),
                street_line_1="1 Main Street",
                city_name="San Francisco",
                state_code="CA",
                country_code="USA",
                zip_code="94105",
            )
        ],
    )
    created = create_customer.sync_detailed(client=client, body=ada, idempotency_key="ada-1985")
    again = create_customer.sync_detailed(client=client, body=ada, idempotency_key="ada-1985")
    assert isinstance(created.parsed, Individual), created
    assert again.content == created.content
    customer_id = created.parsed.id
    read = read_customer.sync_detailed(customer_id, client=client)
    assert isinstance(read.parsed, Individual), read
    assert read.parsed.date_of_birth == BORN
    change = CustomerUpdate(primary_phone_number=PhoneNumberUpdate(extension="31"))
    updated = update_customer.sync(
        customer_id, client=client, body=change, if_match=read.headers["ETag"]
    )
    assert isinstance(updated, Individual), updated
    assert updated.primary_phone_number is not None
    assert updated.primary_phone_number.extension == "31"
    assert updated.sex is None


def many_customers(client: AuthenticatedClient) -> None:
    """A bulk request, and a file: its lines, and the outcome of each."""
    queued = create_customers.sync(
        client=client, body=DataCustomersToCreate([bulk_customer("C-1", "Grace")])
    )
    assert isinstance(queued, AcceptedOrTried), queued
    assert counted(finished(client, queued.request_id)) == 1
    lines = b"\n".join(
        json.dumps(bulk_customer(f"C-{number}", "Grace").to_dict()).encode()
        for number in range(2, 12)
    )
    sent = load_file.sync(client=client, body=File(BytesIO(lines)))
    assert isinstance(sent, Accepted), sent
    assert counted(finished(client, sent.request_id)) == 10
    results = read_bulk_results.sync(sent.request_id, client=client)
    assert isinstance(results, File), results
    outcomes = [json.loads(line) for line in results.payload.read().splitlines()]
    assert [outcome["line"] for outcome in outcomes] == list(range(1, 11))
    # What the generator has no type for goes through the same client's own HTTP client.
    answer = client.get_httpx_client().post(
        "/v2/data/files",
        content=gzip.compress(lines),
        headers={"Content-Type": "application/gzip"},
    )
    repeated = Accepted.from_dict(answer.raise_for_status().json())
    assert finished(client, repeated.request_id).counts.unchanged == 10


def bulk_customer(source_id: str, first_name: str) -> DataCustomerBody:
    """A customer of `/v2/data`."""
    return DataCustomerBody(
        source_customer_id=source_id,
        organization_id="50004",
        postal_code="78753",
        country="US",
        customer_creation_date=BEGIN,
        enrollment_start_date=BEGIN,
        enrollment_opt_in_status=OptInStatus.ACTIVE,
        alert_opt_in_status=[],
        targeting_indicator=TargetingIndicator.TARGET,
        accounts=[],
        type_=CustomerType.INDIVIDUAL,
        first_name=first_name,
        last_name="Hopper",
    )


def counted(ledger: Ledger) -> int:
    """How many customers a request created."""
    return ledger.counts.created


def finished(client: AuthenticatedClient, request_id: UUID) -> Ledger:
    """The ledger of a request at its end."""

    def ended() -> Ledger | None:
        ledger = read_bulk_request.sync(request_id, client=client)
        assert isinstance(ledger, Ledger), ledger
        return ledger if ledger.status == RequestStatus.FINISHED else None

    return wait_for(ended)


def found(client: AuthenticatedClient) -> None:
    """A list page by page, a search for a file, and a search that answers at once."""
    everybody = list(pages(client))
    assert len({customer.id for customer in everybody}) == len(everybody) == 12
    criteria = SearchRequest(CustomerType.INDIVIDUAL, result_format=ResultFormat.CSV)
    submitted = submit_search.sync(client=client, body=criteria)
    assert isinstance(submitted, SearchSubmitted), submitted

    def ended() -> SearchStatus | None:
        status = read_search.sync(submitted.query_id, client=client)
        assert isinstance(status, SearchStatus), status
        return status if status.status == SearchState.FINISHED else None

    search = wait_for(ended)
    assert search.row_count == 12
    assert isinstance(search.download_url, str)
    *_, signature, name = map(unquote, urlsplit(search.download_url).path.split("/"))
    file: Response[object] = download_result.sync_detailed(
        search.query_id, signature, name, client=client
    )
    assert file.content.count(b"\r\n") == 13
    page = search_customers.sync(client=client, email="ADA@example.com", customer_name="love")
    assert isinstance(page, CorePage), page
    assert [customer.customer_name for customer in page.customer] == ["Ada Lovelace"]


def pages(client: AuthenticatedClient) -> Iterator[Individual]:
    """All customers, five at a time."""
    cursor: str | None = ""
    while cursor is not None:
        page = list_customers.sync(client=client, size=5, cursor=cursor or UNSET)
        assert isinstance(page, CustomerPage), page
        for customer in page.content:
            assert isinstance(customer, Individual)
            yield customer
        cursor = page.next_cursor


def wait_for(condition: Callable[[], T | None]) -> T:
    """The first thing that `condition` gives."""
    end, pause = time.monotonic() + WAIT_SECONDS, Event()
    while (value := condition()) is None:
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.05)
    return value


if __name__ == "__main__":
    api = signed_in(*sys.argv[1:4])
    one_customer(api)
    many_customers(api)
    found(api)
    print("done")  # noqa: T201 -- a program's output
