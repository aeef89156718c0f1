"""A queued search on its way out: its status, and how far it is."""

from collections.abc import Mapping

from rest_framework import serializers

from search.models import CustomerSearch


class SearchProgress(serializers.Serializer[object]):
    """How far a running search is."""

    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    estimatedRows = serializers.IntegerField(
        allow_null=True, help_text="What the planner expects; null until it was asked."
    )
    percent = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=99, help_text="Of the estimated rows."
    )


class SearchSubmitted(serializers.Serializer[object]):
    """The answer to a submission."""

    queryId = serializers.UUIDField()


class SearchStatus(serializers.Serializer[object]):
    """A search as its status call shows it."""

    queryId = serializers.UUIDField()
    status = serializers.ChoiceField(CustomerSearch.Status.choices)
    downloadUrl = serializers.URLField(
        required=False, help_text="When FINISHED and not expired; good for 60 minutes."
    )
    fileName = serializers.CharField(required=False)
    manifestUrl = serializers.URLField(required=False, help_text="Likewise, of the manifest.")
    resultFormat = serializers.ChoiceField(CustomerSearch.Format.choices)
    compression = serializers.ChoiceField(CustomerSearch.Compression.choices)
    submittedAt = serializers.DateTimeField()
    startedAt = serializers.DateTimeField(required=False)
    finishedAt = serializers.DateTimeField(required=False)
    progress = SearchProgress(required=False, help_text="While PICKED or STARTED.")
    rowCount = serializers.IntegerField(required=False, help_text="When FINISHED.")
    byteCount = serializers.IntegerField(required=False)
    sha256 = serializers.CharField(required=False)
    snapshotAt = serializers.DateTimeField(
        required=False, help_text="The moment that all rows were read at."
    )
    expiresAt = serializers.DateTimeField(
        required=False, help_text="When the file is deleted, or was."
    )
    errorCode = serializers.CharField(required=False, help_text="When FAILED or ABORTED.")
    message = serializers.CharField(required=False)


def status_body(search: CustomerSearch, urls: Mapping[str, str]) -> dict[str, object]:
    """A search on the wire; `urls` are the links that it has at this moment."""
    body: dict[str, object] = {
        "queryId": str(search.pk),
        "status": search.status,
        **urls,
        "resultFormat": search.result_format,
        "compression": search.compression,
        "submittedAt": search.submitted_at,
        "startedAt": search.started_at,
        "finishedAt": search.finished_at,
    }
    if search.status in search.RUNNING:
        body["progress"] = {
            "rows": search.rows,
            "bytes": search.bytes,
            "estimatedRows": search.estimated_rows,
            "percent": search.percent,
        }
    elif search.status == search.Status.FINISHED:
        body |= {
            "rowCount": search.rows,
            "byteCount": search.bytes,
            "sha256": search.sha256,
            "snapshotAt": search.snapshot_at,
            "expiresAt": search.expires_at,
        }
    if search.error_code:
        body |= {"errorCode": search.error_code, "message": search.error_message}
    return {name: value for name, value in body.items() if value is not None}
