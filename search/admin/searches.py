"""Queued searches in the back office: made, watched, downloaded, and run again."""

import csv
import io
import logging
from http import HTTPStatus
from typing import ClassVar, TypedDict
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST, require_safe

from config import files
from customers.admin import jobs
from customers.admin.filters import ChoiceFilter
from customers.admin.scope import (
    Context,
    log_of,
    offered_account,
    operator,
    own_account,
    visible,
    visible_accounts,
)
from customers.models import BusinessAccount
from search import results, services
from search.admin import words
from search.admin.forms import FORMATS, SearchForm
from search.admin.id_file import COLUMN
from search.bi.files import file_response
from search.models import CustomerSearch

logger = logging.getLogger(__name__)
# More than a list shows.
MOST_LIVE = 100
DELETED = "The file of this search was deleted. Run the search again to have a new one."


class FormatFilter(ChoiceFilter):
    """Searches with files of one format."""

    title = "format"
    parameter_name = "format"
    choices_by_name: ClassVar = {
        name: (words, Q(result_format=name)) for name, words in FORMATS.items()
    }


@admin.register(CustomerSearch)
class CustomerSearchAdmin(jobs.JobsAdmin[CustomerSearch]):
    """The searches of the operator's tree, newest first, those of programs among them."""

    nothing_yet = "A search writes the customers that match into a file."
    list_display = ("what", "state", "file_format", "asker", "asked", "business_account")
    list_filter = (jobs.StateFilter, jobs.EndedFilter, FormatFilter)
    list_select_related = ("business_account",)
    sortable_by = ("asked",)
    actions = None

    # --- Who may do what --------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerSearch]:
        """Those that read nothing but what the operator sees."""
        rows = CustomerSearch.objects.at_now().with_id_counts()
        accounts = visible_accounts(request)
        return rows if accounts is None else rows.within(accounts)

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        """Who may run searches."""
        return bool(request.user.has_perm("search.run_customersearch"))

    def may_cancel(self, request: HttpRequest, search: CustomerSearch) -> bool:
        """Who asked for it, and who may change others' searches."""
        is_own = not search.client_id and search.actor_id == str(request.user.pk)
        may_change = request.user.has_perm("search.change_customersearch")
        return self.has_add_permission(request) and (is_own or may_change)

    def found(self, request: HttpRequest, object_id: str) -> CustomerSearch:
        """A search that the operator sees. Raises `Http404`, and `PermissionDenied`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        search: CustomerSearch | None = self.get_object(request, object_id)
        if search is None:
            raise Http404
        return search

    # --- The list ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """The pages of a search, and what makes them live."""
        view, name = self.admin_site.admin_view, "search_customersearch_{}".format
        of_one = {
            "file": require_safe(self.file_view),
            "unknown": require_safe(self.unknown_view),
            "again": require_POST(self.again_view),
            "cancel": require_POST(self.cancel_view),
        }
        own = [
            path("live/", view(require_safe(self.live_view)), name=name("live")),
            *(
                path(f"<path:object_id>/{word}/", view(page), name=name(word))
                for word, page in of_one.items()
            ),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description="customers")
    def what(self, search: CustomerSearch) -> str:
        """What was looked for."""
        return words.summary(search)

    @admin.display(description="status")
    def state(self, search: CustomerSearch) -> str:
        """How far it is; kept up to date by `kith/searches.js`."""
        return render_to_string("admin/job_state.html", {"job": live(search)})

    @admin.display(description="format")
    def file_format(self, search: CustomerSearch) -> str:
        """The format in words."""
        return FORMATS.get(search.result_format, search.result_format)

    @admin.display(description="asked", ordering="submitted_at")
    def asked(self, search: CustomerSearch) -> str:
        """When, by the operator's clock."""
        return date_format(timezone.localtime(search.submitted_at), "j M Y, H:i")

    def live_view(self, request: HttpRequest) -> JsonResponse:
        """How far the searches are whose ids are given; those that are not seen are left out."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [each for each in map(as_id, request.GET.getlist("id")[:MOST_LIVE]) if each]
        found = [live(search) for search in self.get_queryset(request).filter(pk__in=ids)]
        return JsonResponse({"jobs": found}, headers={"Cache-Control": "no-store"})

    # --- A new one --------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponseBase:
        """The form of a new search; once it is understood, the search's page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        own = own_account(request)
        form = SearchForm(
            request.POST if request.method == "POST" else None,
            request.FILES or None,
            accounts=visible(request, BusinessAccount.objects.all(), "pk"),
            own=BusinessAccount.objects.filter(pk=own).first() if own else None,
            offered=offered_account(request),
        )
        if search := self.submitted(request, form):
            self.log_change(request, search, "Asked for.")
            self.message_user(
                request,
                "The search is queued, and begins as soon as a worker is free.",
                messages.SUCCESS,
            )
            return HttpResponseRedirect(page_of(search))
        context = self.admin_site.each_context(request) | {
            "title": "New search",
            "form": form,
            "media": form.media,
        }
        return TemplateResponse(request, "admin/search/customersearch/new.html", context)

    @staticmethod
    def submitted(request: HttpRequest, form: SearchForm) -> CustomerSearch | None:
        """The search of a form that was sent; None when there is none, or something is wrong."""
        form.full_clean()
        if not form.is_bound or form.account is None:
            return None
        actor = operator(request, form.account)
        if (understood := form.read(actor)) is None:
            return None
        criteria, file = understood
        return services.submit_search(actor=actor, criteria=criteria, **file)

    # --- The page of one --------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponseBase:
        """What was asked for, how far it is, and what can be done with it."""
        search = self.found(request, object_id)
        may_run = self.has_add_permission(request)
        is_open = search.status in search.OPEN
        narrowed = words.names_of(search.wanted.business_account_ids, search)
        context = self.admin_site.each_context(request) | {
            "title": words.summary(search),
            "opts": self.opts,
            "original": search,
            "search": search,
            "summary": words.summary(search),
            "filters": list(words.filters_of(search.wanted, narrowed)) + words.ids_of(search),
            "job": live(search),
            "file_format": self.file_format(search),
            "asker": jobs.askers_of(request, [search])[search.pk],
            "advice": words.advice(search),
            "unknown": unknown_ids_of(search) if may_run else [],
            "covered": words.names_of(search.accounts, search),
            "log": log_of(request, CustomerSearch, str(search.pk)).order_by("-action_time")[:20],
            "may_run": may_run,
            "may_download": may_run and services.has_file(search),
            "may_cancel": is_open and self.may_cancel(request, search),
        }
        return TemplateResponse(request, "admin/search/customersearch/page.html", context)

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file, noted in the search's history and in the log."""
        search = self.found(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            response = self.stored(request, search)
        except FileNotFoundError:
            self.message_user(request, DELETED, messages.ERROR)
            return HttpResponseRedirect(page_of(search))
        if request.method == "GET" and response.status_code != HTTPStatus.NOT_MODIFIED:
            self.log_change(request, search, "Downloaded the file.")
            facts = {"searchId": str(search.pk), "userId": str(request.user.pk)}
            logger.info("a search's file was downloaded", extra=facts)
        return response

    @staticmethod
    def stored(request: HttpRequest, search: CustomerSearch) -> HttpResponseBase:
        """The file, or the part of it that is asked for. Raises `FileNotFoundError`."""
        if not services.has_file(search):
            raise FileNotFoundError
        return file_response(
            request,
            search.storage_name,
            file_name=search.file_name,
            content_type=search.content_type,
            etag=search.sha256,
        )

    def unknown_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The ids that nobody has, as a file that can be corrected and searched for again."""
        search = self.found(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        lines = io.StringIO()
        csv.writer(lines).writerows([[COLUMN], *([each] for each in unknown_ids_of(search))])
        headers = {"Content-Disposition": f'attachment; filename="unknown-ids-{search.pk}.csv"'}
        return HttpResponse(
            lines.getvalue(), content_type="text/csv; charset=utf-8", headers=headers
        )

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Submit it once more, in the operator's name."""
        search = self.found(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = operator(request, search.business_account)
        new = services.run_again(actor=actor, search=search)
        self.log_change(request, new, "Asked for, as a search was run again.")
        self.message_user(request, "The search is queued again, as a new one.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(new))

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Stop it, if it has not ended."""
        search = self.found(request, object_id)
        if not self.may_cancel(request, search):
            raise PermissionDenied
        if search.status in search.OPEN:
            services.cancel_search(search=search)
            self.log_change(request, search, "Cancelled.")
            self.message_user(request, "The search was cancelled.", messages.SUCCESS)
        else:
            self.message_user(request, "The search had ended already.", messages.WARNING)
        return HttpResponseRedirect(page_of(search))


def page_of(search: CustomerSearch) -> str:
    """The address of a search's page."""
    return reverse("admin:search_customersearch_change", args=[search.pk])


def unknown_ids_of(search: CustomerSearch) -> list[str]:
    """The ids that were asked for and that nobody has; none where its file is gone."""
    if not (services.has_file(search) and search.external_ids):
        return []
    try:
        return results.unknown_ids(search.storage_name)
    except (FileNotFoundError, files.StorageAway):
        return []


def as_id(text: str) -> UUID | None:
    """An id as it was typed into an address; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


class Live(TypedDict):
    """What a page shows of a search while it runs."""

    id: str
    name: str
    state: str
    words: str
    percent: int
    detail: str
    isOpen: bool


def live(search: CustomerSearch) -> Live:
    """How far a search is."""
    state = jobs.state_of(search)
    percents = {"waiting": 0, "finished": 100}
    return {
        "id": str(search.pk),
        "name": words.summary(search),
        "state": state,
        "words": jobs.WORDS[search.status],
        "percent": percents.get(state, search.percent or 0),
        "detail": words.progress(search),
        "isOpen": search.status in search.OPEN,
    }
