"""What searches have to be looked at when `check_isolation` walks over all routes."""

import hashlib
import io
from datetime import timedelta

from django.utils import timezone

from config.api.actors import Actor
from customers.criteria import Criteria
from customers.isolation.holdings import Handle, Handles, Holding, Reach, handle, register
from customers.normalize import uuid7
from search import results, services
from search.models import CustomerSearch


@register
def things(holding: Holding) -> Handles:
    """A finished search with its file, and the signed link to it."""
    made = make_finished_search(holding.actor, f"id\r\n{holding.mark}\r\n".encode())
    search = services.get_search(actor=holding.actor, search_id=made.pk)
    never = CustomerSearch(pk=uuid7())
    never.now = timezone.now()
    return {
        "search_id": Handle(str(search.pk), str(never.pk), Reach.HOLDER, is_listed=True),
        "signature": Handle(
            services.sign(search, search.file_name),
            services.sign(never, never.file_name),
            Reach.HOLDER,
        ),
        "file_name": Handle(search.file_name, never.file_name, Reach.HOLDER),
        "object_id of search.customersearch": handle(search.pk, is_listed=True),
    }


def make_finished_search(actor: Actor, rows: bytes) -> CustomerSearch:
    """A search of the actor's that has ended, with `rows` as its file."""
    criteria = Criteria(customer_account_type="INDIVIDUAL")
    submitted = services.submit_search(actor=actor, criteria=criteria, result_format="CSV")
    search = CustomerSearch.claim(submitted.pk, worker="check")
    if search is None:
        raise RuntimeError("a search that was just submitted cannot be claimed")
    search.start()
    name = results.name_for(search)
    search.note(accounts=list(actor.tree), storage_name=name, snapshot_at=timezone.now())
    results.store(name, io.BytesIO(rows))
    search.finish(
        rows=rows.count(b"\n") - 1,
        bytes=len(rows),
        sha256=hashlib.sha256(rows).hexdigest(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return search
