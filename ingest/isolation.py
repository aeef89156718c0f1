"""What loads have to be looked at when `check_isolation` walks over all routes."""

import io
from uuid import UUID

from config.api.actors import Actor
from customers.isolation.holdings import Handle, Handles, Holding, Reach, handle, register
from ingest import runner, services
from ingest.batch.items import Action
from ingest.drafts.services import receive_draft
from ingest.models import BulkRequest
from ingest.payload import Content


@register
def things(holding: Holding) -> Handles:
    """A load that has ended, its one item failed, and an upload that its operator looks at."""
    public_id = make_failed_load(holding.actor, f"{holding.mark}-17")
    request = BulkRequest.objects.get(public_id=public_id)
    table = f"externalId,firstName\r\n{holding.mark}-1,Ada\r\n".encode()
    draft = receive_draft(
        user=holding.owner,
        account=holding.account,
        name=f"{holding.mark}.csv",
        source=io.BytesIO(table),
        announced=len(table),
    )
    return {
        "request_id": handle(public_id, reach=Reach.HOLDER, is_listed=True),
        # Taken back by any program of the tree.
        "request_id of undo": handle(public_id),
        "source_customer_id": Handle(f"{holding.mark}-17", "never-17", Reach.ANYBODY),
        "source_account_id": Handle(f"{holding.mark}-17-1", "never-17-1", Reach.ANYBODY),
        "object_id of ingest.bulkrequest": handle(request.pk, is_listed=True),
        "load_id of ingest.bulkrequest": handle(request.pk, is_listed=True),
        "draft_id of ingest.bulkrequest": handle(draft.pk, reach=Reach.HOLDER),
    }


def make_failed_load(actor: Actor, source_customer_id: str) -> UUID:
    """The `requestId` of a load of the actor's that has ended: its one item lacks all else."""
    sent = Content([{"sourceCustomerId": source_customer_id}])
    target = services.Target(Action.CREATE_CUSTOMERS)
    public_id = services.submit_request(actor=actor, target=target, sent=sent, fingerprint=b"")
    runner.run(BulkRequest.objects.get(public_id=public_id).pk)
    return public_id
