"""Loads in the back office: the list, the page of one, and what can be done about it."""

from collections.abc import Callable, Iterable
from typing import ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, Conflict
from customers.admin.filters import ChoiceFilter
from customers.admin.jobs import EndedFilter, StateFilter, askers_of
from customers.admin.scope import Context, operator
from customers.timeline import register
from ingest import results, services
from ingest.admin import words
from ingest.admin.errors import page_of
from ingest.admin.origins import origins_of
from ingest.admin.upload import UploadPages
from ingest.downloads import JSON_LINES, TABLE, download
from ingest.models import BulkDraft, BulkRequest
from ingest.sheets import writing
from ingest.undo import services as undo

View = Callable[..., HttpResponseBase]
register("ingest.view_bulkrequest", origins_of)


class KindFilter(ChoiceFilter):
    """Loads that came in one way."""

    title = "kind"
    parameter_name = "kind"
    choices_by_name: ClassVar = {
        "files": ("Files", Q(action=BulkRequest.Action.LOAD_FILE)),
        "api": ("Customers by API", Q(action__in=BulkRequest.OF_ITEMS)),
        "undos": (words.KINDS[BulkRequest.Action.UNDO], Q(action=BulkRequest.Action.UNDO)),
    }


class DryRunFilter(ChoiceFilter):
    """Loads that stored something, or dry runs."""

    title = "dry run"
    parameter_name = "trial"
    choices_by_name: ClassVar = {
        "no": ("Loads", Q(is_dry_run=False)),
        "yes": ("Dry runs", Q(is_dry_run=True)),
    }


@admin.register(BulkRequest)
class LoadAdmin(UploadPages):
    """The loads of the operator's tree, by whichever way they came, newest first."""

    nothing_yet = "Upload a file, or send customers through the API."
    list_display = ("name", "business_account", "counted", "state", "asker", "submitted_at")
    list_display_links = ("name",)
    list_filter = (StateFilter, EndedFilter, KindFilter, DryRunFilter)
    list_before_template = "admin/ingest/loads_before.html"
    sortable_by = ()

    class Media:
        css = {"all": ["kith/loads.css"]}
        js = ["kith/live.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkRequest]:
        """With what each row of the list shows."""
        rows: QuerySet[BulkRequest] = super().get_queryset(request)
        return rows.select_related("business_account", "file")

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponseBase:
        """The list, with what may be done."""
        context = {"title": "Loads", "may_upload": self.may_upload(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="load")
    def name(self, load: BulkRequest) -> str:
        """What it is called."""
        return f"{words.name_of(load)}{' (dry run)' if load.is_dry_run else ''}"

    @admin.display(description="customers")
    def counted(self, load: BulkRequest) -> SafeString:
        """How many came out how."""
        return render_to_string("admin/ingest/counted.html", {"load": load})

    @admin.display(description="status")
    def state(self, load: BulkRequest) -> SafeString:
        """How it stands."""
        return render_to_string("admin/ingest/state.html", state_of(load))

    # --- Pages ------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """What can be done about a load, before Django's own."""
        pages: Iterable[tuple[str, View]] = (
            ("failed", self.failed_view),
            ("results", self.results_view),
            ("cancel", require_POST(self.cancel_view)),
            ("retry", require_POST(self.retry_view)),
            ("undo", require_POST(self.undo_view)),
        )
        own = [
            path(
                f"<uuid:load_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"ingest_bulkrequest_{name}",
            )
            for name, view in pages
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The page of a load."""
        load = self.get_object(request, unquote(object_id))
        if load is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return missing
        if not self.has_view_permission(request, load):
            raise PermissionDenied
        text = request.GET.get("page", "1")
        page = page_of(load, int(text) if text.isdecimal() and len(text) < 6 else 1)
        context = self.admin_site.each_context(request) | {
            "title": words.name_of(load),
            "subtitle": None,
            "opts": self.opts,
            "load": load,
            "errors": page,
            "pages": {"before": page.number - 1, "after": page.number + 1},
            "who": askers_of(request, [load])[load.pk],
            "is_file": load.is_by_file,
            "is_undo": load.action == BulkRequest.Action.UNDO,
            "has_ended": load.status not in load.OPEN,
            "may_cancel": self.may_change(request) and load.status in load.OPEN,
            "may_upload": self.may_upload(request),
            "may_retry": self.may_upload(request) and may_be_retried(load),
            "may_undo": self.may_upload(request) and may_be_undone(load),
            "may_see_lines": self.may_see_lines(request, load),
            "draft": self.draft_of(request, load),
        }
        return TemplateResponse(request, "admin/ingest/load.html", context | state_of(load))

    def load_of(self, request: HttpRequest, load_id: UUID) -> BulkRequest:
        """A load that the operator may see. Raises `Http404` and `PermissionDenied`."""
        load: BulkRequest | None = self.get_queryset(request).filter(pk=load_id).first()
        if load is None:
            raise Http404
        if not self.has_view_permission(request, load):
            raise PermissionDenied
        return load

    def failed_view(self, request: HttpRequest, load_id: UUID) -> HttpResponseBase:
        """The failed lines as they were sent, to be corrected."""
        load = self.load_of(request, load_id)
        if not self.may_see_lines(request, load):
            raise PermissionDenied
        kind = ("csv", TABLE) if results.is_table(load) else ("ndjson", JSON_LINES)
        return self.sent(request, load, lambda: results.failed_of(request=load), "failed", kind)

    def results_view(self, request: HttpRequest, load_id: UUID) -> HttpResponseBase:
        """The outcome of each line, as a table."""
        load = self.load_of(request, load_id)
        sheet = load.file.table if results.is_table(load) else None
        return self.sent(
            request,
            load,
            lambda: writing.results(results.results_of(request=load), sheet),
            "results",
            ("csv", TABLE),
        )

    def sent(
        self,
        request: HttpRequest,
        load: BulkRequest,
        lines: Callable[[], Iterable[bytes]],
        what: str,
        kind: tuple[str, str],
    ) -> HttpResponseBase:
        """A file; back to the page of the load, which says why, when there is none."""
        try:
            found = lines()
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return self.back(load)
        name = f"{what}-{load.submitted_at:%Y-%m-%d-%H%M}.{kind[0]}"
        return download(found, name, kind[1])

    def cancel_view(self, request: HttpRequest, load_id: UUID) -> HttpResponse:
        """Stop a load."""
        load = self.load_of(request, load_id)
        if not self.may_change(request):
            raise PermissionDenied
        if services.cancel_request(request=load):
            self.message_user(request, f"{words.name_of(load)} was cancelled.", messages.SUCCESS)
        else:
            self.message_user(request, "It had ended already.", messages.WARNING)
        return self.back(load)

    def retry_view(self, request: HttpRequest, load_id: UUID) -> HttpResponse:
        """Queue the failed items of a request again, as it was sent."""
        load = self.load_of(request, load_id)
        if not self.may_upload(request):
            raise PermissionDenied
        actor = operator(request, load.business_account)
        try:
            public_id = services.retry_request(actor=actor, request=load)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return self.back(load)
        self.message_user(request, "What failed is tried again.", messages.SUCCESS)
        return self.back(services.get_request(actor=actor, public_id=public_id))

    def undo_view(self, request: HttpRequest, load_id: UUID) -> HttpResponse:
        """Queue the undo of a load."""
        load = self.load_of(request, load_id)
        if not self.may_upload(request):
            raise PermissionDenied
        actor = operator(request, load.business_account)
        try:
            public_id = undo.undo_request(actor=actor, request=load)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return self.back(load)
        self.message_user(
            request, f"The undo of {words.name_of(load)} has begun.", messages.SUCCESS
        )
        return self.back(services.get_request(actor=actor, public_id=public_id))

    @staticmethod
    def back(load: BulkRequest) -> HttpResponse:
        """To the page of a load."""
        page = reverse("admin:ingest_bulkrequest_change", args=[load.pk])
        return HttpResponseRedirect(page)

    # --- Who may what -----------------------------------------------------------------------------

    def may_change(self, request: HttpRequest) -> bool:
        """Whether the operator may stop loads."""
        return bool(request.user.has_perm("ingest.change_bulkrequest"))

    def may_see_lines(self, request: HttpRequest, load: BulkRequest) -> bool:
        """Whether the operator may have the lines as they were sent, sensitive values and all.

        Whoever sent them has them already.
        """
        is_own = not load.client_id and load.actor_id == str(request.user.pk)
        may_reveal = bool(request.user.has_perm("customers.reveal_sensitive"))
        return self.may_upload(request) and (is_own or may_reveal)

    @staticmethod
    def draft_of(request: HttpRequest, load: BulkRequest) -> BulkDraft | None:
        """The file of a trial, as long as its operator can still have it loaded."""
        if not load.is_dry_run or load.file.sealed_for is None:
            return None
        return BulkDraft.objects.filter(pk=load.file.sealed_for, user=request.user.pk).first()


def may_be_retried(load: BulkRequest) -> bool:
    """Whether a request keeps what failed of it."""
    return load.action in load.OF_ITEMS and load.status not in load.OPEN and bool(load.failed)


def may_be_undone(load: BulkRequest) -> bool:
    """Whether a load can be undone now, and anything came of it that an undo would change."""
    if not (load.created or load.updated or load.removed):
        return False
    try:
        undo.check_undoable(load)
    except Conflict:
        return False
    return True


def state_of(load: BulkRequest) -> Context:
    """How a load stands, for templates."""
    status, kind = words.status_of(load)
    return {
        "load": load,
        "status": status,
        "kind": kind,
        "percent": words.percent_of(load),
        "is_open": load.status in load.OPEN,
    }
