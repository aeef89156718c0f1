"""The answers of `/v2/data`."""

from rest_framework import serializers

from ingest.models import BulkItem, BulkRequest


class Accepted(serializers.Serializer[object]):
    """A request that is stored and queued."""

    requestId = serializers.UUIDField(
        help_text="Your `X-CDLX-Request-Id` when it is a UUID, else a new one."
    )


class Counts(serializers.Serializer[object]):
    """How many items came out how."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    removed = serializers.IntegerField(required=False, help_text="Of an undo.")
    failed = serializers.IntegerField()


class ItemError(serializers.Serializer[object]):
    """One wrong place, or something to know about it."""

    pointer = serializers.CharField(
        help_text="A JSON Pointer into the body that was sent; of an undo, the kind of thing that "
        "was changed since."
    )
    code = serializers.RegexField(r"^[A-Z][A-Z0-9_]*$")
    message = serializers.CharField()


class LedgerItem(serializers.Serializer[object]):
    """The outcome of one item."""

    index = serializers.IntegerField(min_value=0, help_text="Its place in the body that was sent.")
    sourceCustomerId = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(BulkItem.Outcome.choices)
    customerId = serializers.UUIDField(allow_null=True, help_text="Its id in `/v1`.")
    errors = ItemError(many=True)  # type: ignore[assignment] # a field, not the property
    notices = ItemError(many=True, required=False, help_text="What also happened.")


class FileProgress(serializers.Serializer[object]):
    """How much of a file is loaded."""

    lines = serializers.IntegerField()
    totalLines = serializers.IntegerField()
    totalBytes = serializers.IntegerField(help_text="As sent.")
    percent = serializers.IntegerField(min_value=0, max_value=100)


class RequestSummary(serializers.Serializer[object]):
    """A request, without its items."""

    requestId = serializers.UUIDField()
    status = serializers.ChoiceField(["SUBMITTED", "STARTED", "FINISHED", "FAILED"])
    action = serializers.ChoiceField(BulkRequest.Action.choices)
    submittedAt = serializers.DateTimeField()
    startedAt = serializers.DateTimeField(allow_null=True)
    finishedAt = serializers.DateTimeField(allow_null=True)
    counts = Counts()
    progress = FileProgress(required=False, help_text="Of a file, or its undo.")
    dryRun = serializers.BooleanField(
        required=False,
        help_text="True of a file, or of an undo, that was only tried out: nothing was stored.",
    )
    retryOf = serializers.UUIDField(required=False, help_text="Whose failed items these are.")
    undoOf = serializers.UUIDField(required=False, help_text="Which request this undoes.")
    errorCode = serializers.CharField(
        required=False, help_text="When FAILED as a whole, or when a file was cut off."
    )
    message = serializers.CharField(required=False)


class Ledger(RequestSummary):
    """A request, with the outcome of each item once it has ended."""

    items = LedgerItem(many=True, help_text="None of a file: see `resultUrl`.")
    resultUrl = serializers.URLField(
        required=False, allow_null=True, help_text="Of a file: where the outcome of each line is."
    )


class LineResult(serializers.Serializer[object]):
    """The outcome of one line of a file."""

    line = serializers.IntegerField(min_value=1)
    sourceCustomerId = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(BulkItem.Outcome.choices)
    customerId = serializers.UUIDField(allow_null=True)
    errors = ItemError(many=True)  # type: ignore[assignment] # a field, not the property
    notices = ItemError(many=True, required=False)


class AcceptedOrTried(Ledger):
    """The id of a request that is queued; of one that was only tried out, the whole ledger."""

    def get_fields(self) -> dict[str, "serializers.Field[object, object, object, object]"]:
        """Those of a ledger, of which only the id is always there."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name == "requestId"
        return fields
