"""A search in words: what it looks for, how far it is, and what to do when it failed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format

from customers.criteria import Criteria, Match
from customers.models import BusinessAccount, Contact, Customer
from customers.words import country_names
from search.admin.forms import MATCHES, TYPES, SearchForm
from search.models import CustomerSearch

Status = CustomerSearch.Status
WORDS: dict[str, Mapping[str, str]] = {
    "customer_account_type": TYPES,
    "customer_account_status": dict(Customer.Status.choices),
    "match": MATCHES,
    "sex": dict(Contact.Sex.choices),
    "country": country_names(),
}
LABELS = {name: str(field.label) for name, field in SearchForm.base_fields.items()} | {
    "business_account_ids": "Only the accounts",
    "time_zone": "Time zone of these days",
}
# What `match` is about.
COMPARED = frozenset(
    {"first_name", "middle_name", "last_name", "business_name", "city"}
    | {f"address_line_{number}" for number in (1, 2, 3)}
)
# Left out of the summary.
UNSAID = frozenset({"customer_account_status", "match", "time_zone"})
ADVICE = {
    "STORAGE_FULL": "Ask whoever runs this installation to make room, then run it again.",
    "TEXT_TOO_LONG": "Search for CSV instead.",
    "FORMAT_UNAVAILABLE": "Ask whoever runs this installation, or search for another format.",
    "UNAVAILABLE": "Run it again in a few minutes.",
    "WORKER_LOST": "Run it again; if it stops again, narrow it down with more filters.",
    "INTERNAL_ERROR": "Run it again; if it fails again, report the request id",
    "CANCELLED": "Run it again if it is still needed.",
}


def filters_of(criteria: Criteria, accounts: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Label and value of each filter as it was understood; `accounts` are names, if known."""
    given = {field.name: getattr(criteria, field.name) for field in fields(criteria)}
    if not any(given[name] for name in COMPARED):
        del given["match"]
    if not criteria.from_created_at and not criteria.to_created_at:
        del given["time_zone"]
    for name, value in given.items():
        if name == "business_account_ids" and value:
            yield LABELS[name], ", ".join(accounts) or str(len(value))
        elif value:
            yield LABELS[name], in_words(name, value)


def ids_of(search: CustomerSearch) -> list[tuple[str, str]]:
    """How many external ids are asked for, as a filter; none when all are."""
    count = search.id_count
    return [("External ids", f"{intcomma(count)} of them")] if count else []


def in_words(name: str, value: object) -> str:
    """The value of a filter."""
    if isinstance(value, tuple):
        return ", ".join(WORDS[name][each] for each in value)
    if isinstance(value, date):
        return date_format(value, "j M Y")
    text = str(value)
    return WORDS.get(name, {}).get(text, text)


def names_of(accounts: Iterable[UUID], search: CustomerSearch) -> list[str]:
    """The names of business accounts, of those that still belong to the search's tree."""
    tree = BusinessAccount.objects.tree_of(search.business_account_id)
    return list(tree.filter(pk__in=accounts).order_by("name").values_list("name", flat=True))


def summary(search: CustomerSearch) -> str:
    """What a search looks for, on one line."""
    criteria = search.wanted
    how = "" if criteria.match == Match.EXACT else f"{MATCHES[criteria.match].lower()} "
    labels = {label: name for name, label in LABELS.items()}
    parts = []
    for label, value in filters_of(criteria):
        name = labels[label]
        if name == "customer_account_type":
            parts.append(value)
        elif name not in UNSAID:
            parts.append(f"{label.lower()} {how if name in COMPARED else ''}{value}")
    if count := search.id_count:
        parts.append(f"by {intcomma(count)} external {'id' if count == 1 else 'ids'}")
    return ", ".join(parts)


def progress(search: CustomerSearch) -> str:
    """How far it is, or what came out."""
    rows = f"{intcomma(search.rows)} {'customer' if search.rows == 1 else 'customers'}"
    match search.status:
        case Status.SUBMITTED:
            return "Begins as soon as a worker is free"
        case Status.PICKED:
            return "Begins"
        case Status.STARTED if search.estimated_rows:
            return f"{rows} of about {intcomma(search.estimated_rows)}"
        case Status.STARTED | Status.FINISHED:
            return rows
    return search.error_message


def advice(search: CustomerSearch) -> str:
    """What to do about a search that came to nothing."""
    words = ADVICE.get(search.error_code, "")
    if search.error_code == "INTERNAL_ERROR":
        return f"{words} {search.request_id}."
    return words
