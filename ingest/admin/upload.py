"""Uploading a file in the back office: choose it, look at it, say what its columns are, load it."""

from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, Invalid, NotFound, Unavailable
from config.server.bodies import streamed
from customers.admin.jobs import JobsAdmin
from customers.admin.scope import offered_account, operator, visible, visible_accounts
from customers.models import BusinessAccount, User
from ingest.admin import columns as choices
from ingest.admin.columns import Choices
from ingest.drafts import services
from ingest.drafts.preview import loaded_before, preview
from ingest.files.frames import ContentLost
from ingest.models import BulkDraft, BulkRequest
from ingest.sheets import dates, writing
from ingest.sheets.characters import NAMES as ENCODINGS
from ingest.sheets.columns import Sheet

# Rows of a preview of which it is told what is wrong with them.
MOST_WRONG = 20
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOST = "The uploaded file is not there any more. Please upload it again."


class UploadPages(JobsAdmin[BulkRequest]):
    """The pages from a file to its load."""

    def get_urls(self) -> list[URLPattern]:
        """Those of an upload, before Django's own."""
        wrap, start = self.admin_site.admin_view, "ingest_bulkrequest"
        one = "upload/<uuid:draft_id>/"
        return [
            path("upload/", wrap(self.upload_view), name=f"{start}_upload"),
            path("upload/template/", wrap(self.template_view), name=f"{start}_template"),
            path(one, wrap(self.preview_view), name=f"{start}_preview"),
            path(f"{one}discard/", wrap(require_POST(self.discard_view)), name=f"{start}_discard"),
            *super().get_urls(),
        ]

    def may_upload(self, request: HttpRequest) -> bool:
        """Whether the operator may load customers."""
        return bool(request.user.has_perm("ingest.add_bulkrequest"))

    def check_upload(self, request: HttpRequest) -> User:
        """Who uploads. Raises `PermissionDenied`."""
        if not self.may_upload(request) or not isinstance(request.user, User):
            raise PermissionDenied
        return request.user

    # --- Choosing a file --------------------------------------------------------------------------

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """The form; what its script posts is the file itself, whatever its size."""
        user = self.check_upload(request)
        accounts = choosable(request)
        if request.method == "POST":
            return self.received(request, user, list(accounts))
        context = self.admin_site.each_context(request) | {
            "title": "Upload customers",
            "opts": self.opts,
            "accounts": accounts,
            "offered": offered_account(request),
            "documented": choices.documented(),
        }
        return TemplateResponse(request, "admin/ingest/upload.html", context)

    def received(
        self, request: HttpRequest, user: User, accounts: list[BusinessAccount]
    ) -> JsonResponse:
        """Keep a file; where to look at it, or why not."""
        wanted = request.GET.get("account", "")
        chosen = [each for each in accounts if str(each.pk) == wanted or len(accounts) == 1]
        if not chosen:
            message = "Choose the business account whose customers these are."
            return JsonResponse({"message": message}, status=400)
        announced = request.META.get("CONTENT_LENGTH", "")
        try:
            draft = services.receive_draft(
                user=user,
                account=chosen[0],
                name=request.GET.get("name", "").strip() or "Upload",
                source=streamed(request, chosen[0].pk),
                announced=int(announced) if announced.isdecimal() else None,
            )
        except Invalid as refusal:
            said = " ".join(problem.message for problem in refusal.problems)
            return JsonResponse({"message": said}, status=refusal.status)
        except ApiError as refusal:
            return JsonResponse({"message": refusal.message}, status=refusal.status)
        return JsonResponse({"location": page_of(draft)})

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """A table to be filled in."""
        self.check_upload(request)
        headers = {"Content-Disposition": 'attachment; filename="customers-template.csv"'}
        return HttpResponse(
            writing.template(), content_type="text/csv; charset=utf-8", headers=headers
        )

    # --- Looking at it ----------------------------------------------------------------------------

    def preview_view(self, request: HttpRequest, draft_id: UUID) -> HttpResponse:
        """The first rows, and what the columns are; then on to the trial or the load."""
        user = self.check_upload(request)
        try:
            draft = self.draft(request, user, draft_id)
        except NotFound:
            return self.gone(request, draft_id)
        said = Choices(draft)
        sheet = None if draft.sheet is None else Sheet.of(draft.sheet)
        if request.method == "POST" and (answer := self.done(request, draft, said)):
            return answer
        try:
            found = preview(actor=operator(request, draft.business_account), draft=draft)
        except (ContentLost, FileNotFoundError):
            self.message_user(request, LOST, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:ingest_bulkrequest_upload"))
        context = self.admin_site.each_context(request) | {
            "title": draft.name,
            "opts": self.opts,
            "draft": draft,
            "preview": found,
            "wrong": [
                (row.number, choices.shown_as(place, sheet), message)
                for row in found.wrong[:MOST_WRONG]
                for place, message in row.errors
            ],
            "columns": said.rows(found),
            "problems": said.problems,
            "before": loaded_before(draft),
            "facts": facts_of(draft),
            "doubtful": said.doubtful(found),
            "twins": found.twins[:10],
            "more_twins": max(0, len(found.twins) - 10),
            "orders": dates.ORDERS,
            "is_whole": found.checked == draft.rows,
        }
        return TemplateResponse(request, "admin/ingest/preview.html", context)

    def draft(self, request: HttpRequest, user: User, draft_id: UUID) -> BulkDraft:
        """A file of this operator's, for an account of their tree as it is now.

        Raises `NotFound`.
        """
        found = services.get_draft(user=user, draft_id=draft_id)
        accounts = visible_accounts(request)
        if accounts is not None and found.business_account_id not in accounts:
            raise NotFound
        return found

    def done(self, request: HttpRequest, draft: BulkDraft, said: Choices) -> HttpResponse | None:
        """What one of the buttons asks for; None when something is wrong with the columns."""
        if not said.take(request.POST):
            return None
        wish = request.POST.get("do", "")
        if wish not in {"try", "load"}:
            return HttpResponseRedirect(page_of(draft))
        actor = operator(request, draft.business_account)
        try:
            load = services.submit_draft(actor=actor, draft=draft, is_dry_run=wish == "try")
        except Unavailable:
            return self.gone(request, UUID(str(draft.pk)))
        what = "dry run" if wish == "try" else "load"
        self.message_user(request, f"The {what} of {draft.name} has begun.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:ingest_bulkrequest_change", args=[load.pk]))

    def gone(self, request: HttpRequest, draft_id: UUID) -> HttpResponse:
        """To the load that a file became; otherwise there is no such file. Raises `Http404`."""
        load: BulkRequest | None = self.get_queryset(request).filter(pk=draft_id).first()
        if load is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:ingest_bulkrequest_change", args=[load.pk]))

    def discard_view(self, request: HttpRequest, draft_id: UUID) -> HttpResponse:
        """Delete a file that is not to be loaded."""
        user = self.check_upload(request)
        try:
            draft = self.draft(request, user, draft_id)
        except NotFound:
            return self.gone(request, draft_id)
        services.discard_draft(draft=draft)
        self.message_user(request, f"{draft.name} was discarded.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:ingest_bulkrequest_changelist"))


def page_of(draft: BulkDraft) -> str:
    """Where a file is looked at."""
    return reverse("admin:ingest_bulkrequest_preview", args=[quote(str(draft.pk))])


def choosable(request: HttpRequest) -> QuerySet[BusinessAccount]:
    """The business accounts for which an operator may load."""
    return visible(request, BusinessAccount.objects.order_by("name", "pk"), "pk")


def facts_of(draft: BulkDraft) -> list[str]:
    """How a file was understood, in a few words."""
    facts = [f"{draft.rows:,} {'row' if draft.rows == 1 else 'rows'}"]
    if draft.sheet is None:
        return [*facts, "JSON lines"]
    sheet = Sheet.of(draft.sheet)
    return [*facts, ENCODINGS[sheet.encoding], f"cells between {DELIMITERS[sheet.delimiter]}"]
