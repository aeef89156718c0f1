"""The request's side of a search: submit, cancel, hand out and check links, delete files."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models.functions import Now

from config.api.actors import Actor, Scope
from config.api.errors import ApiError, NotFound
from config.db.scope import Reason, confined_to, unconfined
from config.jobs.retention import delete_in_batches, without_workers
from customers.actors import job_actor_today
from customers.criteria import Criteria
from customers.models import OAuthClient
from search import results
from search.models import CustomerSearch

logger = logging.getLogger(__name__)
# Of one run: it comes every minute.
MOST_FILES = 10_000
signer = signing.Signer(salt="search.result")


class Gone(ApiError):
    """The link or the file was there once, and its time is over."""

    status = 410
    code = "GONE"


def submit_search(
    *,
    actor: Actor,
    criteria: Criteria,
    result_format: str = CustomerSearch.Format.CSV,
    columns: Sequence[str] = (),
    compression: str = CustomerSearch.Compression.NONE,
    external_ids: Sequence[str] = (),
) -> CustomerSearch:
    """Store a search and queue it; a worker runs it in the actor's name.

    `columns` are of `search.columns.CHOICES`; none: all of them. With `external_ids` only these
    customers are found.
    """
    search = CustomerSearch(
        criteria=criteria.as_json(),
        result_format=result_format,
        columns=list(columns),
        compression=compression,
        external_ids=list(external_ids),
    )
    search.submit(actor)
    return search


def run_again(*, actor: Actor, search: CustomerSearch) -> CustomerSearch:
    """Submit what a search looked for once more, over what its business account has now."""
    return submit_search(
        actor=actor,
        criteria=search.wanted,
        result_format=search.result_format,
        columns=search.columns,
        compression=search.compression,
        external_ids=search.external_ids,
    )


def get_search(*, actor: Actor, search_id: UUID) -> CustomerSearch:
    """A search of the actor's client. Raises `NotFound`."""
    search = CustomerSearch.objects.visible_to(actor).filter(pk=search_id).first()
    if search is None:
        raise NotFound
    return search


def cancel_search(*, search: CustomerSearch) -> None:
    """Stop a search that waits or runs; delete the file of a finished one, whose status stays."""
    if search.abort("CANCELLED", "The search was cancelled."):
        return
    finished = CustomerSearch.objects.filter(pk=search.pk, expires_at__gt=Now())
    if finished.update(expires_at=Now()):
        transaction.on_commit(lambda: delete_files(search=search))


def delete_files(*, search: CustomerSearch) -> bool:
    """Delete what storage has of a search; False: it cannot be deleted now, and is tried later.

    As long as a worker may still store something for it, it is known that there may be more.
    """
    try:
        results.remove(search)
    except Exception:
        logger.exception("the files of search %s cannot be deleted", search.pk)
        return False
    stays = CustomerSearch.objects.filter(pk=search.pk, storage_name=search.storage_name)
    stays.filter(without_workers()).update(storage_name="")
    return True


def delete_dead_files() -> int:
    """Delete the files of expired and failed searches, each for itself; of how many."""
    dead = CustomerSearch.objects.with_dead_files().only("pk", "storage_name")[:MOST_FILES]
    return sum(delete_files(search=search) for search in dead)


def delete_old_searches() -> int:
    """Delete searches that ended `SEARCH_RETENTION_DAYS` ago; how many."""
    return delete_in_batches(CustomerSearch.objects.past_retention())


# --- Links ----------------------------------------------------------------------------------------


def has_file(search: CustomerSearch) -> bool:
    """Whether a file can be fetched."""
    return (
        search.status == search.Status.FINISHED
        and search.expires_at is not None
        and search.expires_at > search.now
    )


def sign(search: CustomerSearch, file_name: str) -> str:
    """What makes a link to `file_name` of a search good for `RESULT_LINK_SECONDS`.

    It says itself when it runs out, by the database's clock: those of web servers may differ.
    """
    value = f"{search.pk}/{file_name}"
    end = int(search.now.timestamp()) + settings.RESULT_LINK_SECONDS
    return signer.sign(f"{value}:{end}").removeprefix(f"{value}:")


def follow_link(
    *, search_id: UUID, signature: str, file_name: str, actor: Actor | None
) -> CustomerSearch:
    """The finished search that a link leads to, checked again.

    With a token it must be the token's to see; without one, its client must still be one that may
    run searches, and still be entitled to all that the search covered. Raises `NotFound`, or
    `Gone` when the link's or the file's time is over.
    """
    try:
        signed = signer.unsign(f"{search_id}/{file_name}:{signature}")
        end = int(signed.rpartition(":")[2])
    except (signing.BadSignature, ValueError):
        raise NotFound from None
    with unconfined(Reason.SIGNED_LINK):
        search = CustomerSearch.objects.at_now().filter(pk=search_id).first()
    if search is None or (actor is None and not is_entitled(search)):
        raise NotFound
    if actor is not None:
        search = get_search(actor=actor, search_id=search_id)
    if search.status != search.Status.FINISHED:
        raise NotFound
    if search.now.timestamp() > end:
        raise Gone("This link has run out; ask for the status again to get a new one.")
    if not has_file(search):
        raise Gone("The result was deleted; run the search again.")
    return search


def is_entitled(search: CustomerSearch) -> bool:
    """Whether the client that made a search may still run one, and still see all it covered."""
    client = (
        OAuthClient.objects.select_related("service_account")
        .filter(client_id=search.client_id, is_active=True)
        .first()
    )
    actor = job_actor_today(search, client) if client else None
    if actor is None or not actor.may(Scope.SEARCH_RUN):
        return False
    with confined_to(actor.tree):
        return CustomerSearch.objects.visible_to(actor).filter(pk=search.pk).exists()
