"""What an operator does with an uploaded file: say what its columns are, try it out, load it."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Value
from django.db.models.functions import Now

from config.api.actors import Actor
from config.api.errors import Invalid, NotFound, Problem
from customers.models import BusinessAccount, User
from customers.normalize import uuid7
from ingest import payload, services
from ingest.cleanup import ABANDONED
from ingest.drafts.preview import first_block, with_orders
from ingest.files.draft import DraftUpload
from ingest.files.frames import upload_name
from ingest.files.upload import Source
from ingest.models import BulkDraft, BulkFile, BulkRequest, BulkUpload, ColumnMapping
from ingest.sheets.columns import Column, Sheet, check_header, doubled, guessed, squeezed

logger = logging.getLogger(__name__)
# Of a file's name, and of a header that is remembered.
NAME_LENGTH, HEADER_LENGTH = 200, 400


def receive_draft(
    *, user: User, account: BusinessAccount, name: str, source: Source, announced: int | None
) -> BulkDraft:
    """Store a file while it is read, to be looked at. Raises as `services.submit_file` does.

    Its columns are guessed, as the business account had them before.
    """
    remembered = ColumnMapping.objects.of_account(account.pk)

    def name_columns(header: Sequence[str]) -> tuple[Column, ...]:
        check_header(header)
        return guessed(header, remembered)

    upload_id = uuid7()
    upload_row = BulkUpload.objects.create(request_id=upload_id)
    upload = DraftUpload(
        source,
        upload_id,
        name_columns=name_columns,
        must_be_utf_8=False,
    )
    try:
        services.receive(upload, upload_id, announced)
        draft = BulkDraft(
            upload=upload_row,
            business_account=account,
            user=user,
            name=name[:NAME_LENGTH],
            received=upload.received,
            lines=upload.lines,
            rows=upload.kept,
            blocks=upload.blocks,
            problem=upload.damage or "",
            content_digest=services.content_digest(upload),
            sheet=upload.sheet.as_json() if upload.sheet is not None else None,
        )
        if upload.sheet is not None:
            draft.sheet = with_orders(upload.sheet, first_block(draft, upload.sheet)).as_json()
        draft.save(force_insert=True)
    except (OperationalError, InterfaceError):
        logger.warning("an uploaded file may have been kept or not", exc_info=True)
        raise
    except BaseException:
        services.discard_upload(upload_id)
        raise
    return draft


def get_draft(*, user: User, draft_id: UUID) -> BulkDraft:
    """A file that this user has uploaded and not loaded yet. Raises `NotFound`."""
    found = BulkDraft.objects.filter(
        pk=draft_id, user=user, upload__started_at__gt=Now() - Value(ABANDONED)
    )
    draft = found.select_related("business_account").first()
    if draft is None:
        raise NotFound
    return draft


def set_columns(*, draft: BulkDraft, columns: Sequence[Column]) -> None:
    """Say what the columns of a file are; its business account's next files are read likewise.

    Raises `Invalid` when two columns are the same, or none is anything.
    """
    sheet = Sheet.of(draft.sheet or {})
    problems = [
        Problem(name, "More than one column is to be read as this.", "DUPLICATE")
        for name in doubled(columns)
    ]
    if not any(column.name for column in columns):
        problems = [Problem("", "At least one column has to be read.", "REQUIRED")]
    if problems:
        raise Invalid(problems)
    draft.sheet = Sheet(tuple(columns), sheet.delimiter, sheet.encoding).as_json()
    rows = {
        squeezed(column.header)[:HEADER_LENGTH]: ColumnMapping(
            business_account_id=draft.business_account_id,
            header=squeezed(column.header)[:HEADER_LENGTH],
            name=column.name,
            order=column.order,
        )
        for column in columns
        if squeezed(column.header)
    }
    with transaction.atomic():
        draft.save(update_fields=["sheet"])
        ColumnMapping.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["business_account", "header"],
            update_fields=["name", "order"],
        )


def submit_draft(*, actor: Actor, draft: BulkDraft, is_dry_run: bool) -> BulkRequest:
    """Queue the load of an uploaded file, or its trial, after which it is still there.

    Raises `Unavailable` when it is being loaded already.
    """
    request = services.file_request(is_dry_run=is_dry_run)
    if not is_dry_run:
        request.pk = draft.pk
    kind = b"draft dry run" if is_dry_run else b"draft"
    request.fingerprint = payload.fingerprint(kind, UUID(str(draft.pk)).bytes)
    file = BulkFile(
        request=request,
        storage_name=upload_name(UUID(str(draft.pk))),
        received=draft.received,
        lines=draft.lines,
        blocks=draft.blocks,
        problem=draft.problem,
        name=draft.name,
        content_digest=draft.content_digest,
        sheet=draft.sheet,
        sealed_for=draft.pk if is_dry_run else None,
    )
    if is_dry_run:
        with transaction.atomic():
            request.submit(actor, file)
    else:
        services.accept_file(actor, request, file)
    return request


def discard_draft(*, draft: BulkDraft) -> None:
    """Delete an uploaded file that is not to be loaded."""
    services.discard_upload(UUID(str(draft.pk)))
