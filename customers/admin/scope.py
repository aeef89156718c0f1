"""What an operator sees: the business accounts of the own tree; a superuser sees all."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline

from config.api.actors import Actor
from config.api.card_numbers import CARD_NUMBER, holds_card_number
from config.api.pagination import Total
from config.db.statements import AnyField, prepared_rows
from customers.actors import operator_actor
from customers.admin.navigation import TITLES, entries
from customers.models import BusinessAccount, User
from customers.querysets import TREE

M = TypeVar("M", bound=Model)
# What a page is made of: templates ask nothing of the types.
Context: TypeAlias = dict[str, object]
# Where a request keeps the accounts that its operator sees.
SEEN = "kith_visible_accounts"


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a big table: no page waits for a full count."""

    @property
    def count(self) -> int:
        """Exact up to the API's limit for exact totals, about right beyond."""
        return Total.of(self.object_list).count  # type: ignore[arg-type]


def refuse_card_numbers(value: object) -> None:
    """Raise `ValidationError` for a text that has a full card number in it."""
    if isinstance(value, str) and holds_card_number(value):
        raise ValidationError(*CARD_NUMBER)


class WithoutCardNumbers:
    """Texts that are typed in here have no card numbers in them, as everywhere else."""

    def formfield_for_dbfield(
        self, db_field: AnyField, request: HttpRequest, **options: object
    ) -> forms.Field | None:
        """The form field of a column."""
        field: forms.Field | None = super().formfield_for_dbfield(  # type: ignore[misc] # an admin's
            db_field, request, **options
        )
        if isinstance(field, forms.CharField):
            field.validators.append(refuse_card_numbers)
        return field


class Inline(WithoutCardNumbers, TabularInline):
    """Rows that are edited on the page of what they belong to."""

    # It would say what the first box says.
    hide_title = True

    def get_formset(
        self, request: HttpRequest, obj: Model | None = None, **options: object
    ) -> type[forms.models.BaseInlineFormSet]:  # type: ignore[type-arg] # not generic at run time
        """The form set of the rows.

        Django's own would read every row that a deleted one has below it, such as the values of
        all customers, to look for one that must not go: the database refuses that by itself.
        """
        formset: type[forms.models.BaseInlineFormSet] = super().get_formset(  # type: ignore[type-arg]
            request, obj, **options
        )
        formset.form.hand_clean_DELETE = lambda _form: None  # type: ignore[attr-defined] # Django's
        return formset

    def formfield_for_dbfield(
        self, db_field: AnyField, request: HttpRequest, **options: object
    ) -> forms.Field | None:
        """The form field of a column, named for screen readers: its label is the table's head."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field


class ScopedAdmin(WithoutCardNumbers, ModelAdmin, Generic[M]):
    """Shows the rows of the operator's tree. `account_path` leads from a row to its account.

    Of what an address may ask for, only the page's own filters are looked up: with any column and
    any comparison, even a hidden value could be guessed letter by letter.
    """

    account_path = "business_account_id"
    view_on_site = False
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    # Numbers beside filters would be as many full counts.
    show_facets = admin.ShowFacets.NEVER
    # Lists that are reached from this one: title and model of each.
    beside: Sequence[tuple[str, str]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """The rows that the operator may see."""
        return visible(request, super().get_queryset(request), self.account_path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the filters beside the list ask for."""
        names = [getattr(each, "parameter_name", each) for each in self.list_filter]
        return lookup in {f"{name}{how}" for name in names for how in ("", "__exact", "__isnull")}

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponseBase:
        """The list; what cannot be read in its address or its form is 400."""
        if any("\0" in text for query in (request.GET, request.POST) for text in every(query)):
            raise BadRequest("A NUL character.")
        title = TITLES.get(self.opts.label) or capfirst(str(self.opts.verbose_name_plural))
        beside = entries(request, [(*each, "") for each in self.beside])
        context = {"title": title, "beside": beside} | (extra_context or {})
        try:
            response: HttpResponseBase = super().changelist_view(request, context)
            if hasattr(response, "render"):
                response = response.render()
        except (ValidationError, ValueError, DataError) as error:
            raise BadRequest("The request cannot be understood.") from error
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponseBase:
        """What was done to a row here, by those whom the operator may know about."""
        if self.get_object(request, unquote(object_id)) is None:
            return super().history_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        done = log_of(request, self.model, unquote(object_id))
        paginator = Paginator(done.order_by("action_time", "pk"), 100)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        context = {
            "action_list": page,
            "page_range": paginator.get_elided_page_range(page.number),
            "pagination_required": paginator.num_pages > 1,
        }
        response: HttpResponseBase = super().history_view(
            request, object_id, context | (extra_context or {})
        )
        return response

    def get_form(
        self, request: HttpRequest, obj: M | None = None, change: bool = False, **options: object
    ) -> type[forms.ModelForm]:  # type: ignore[type-arg] # not generic at run time
        """The form; where nothing can be filled in, without advice on how to do that."""
        if obj is not None and not self.has_change_permission(request, obj):
            options["help_texts"] = {each.name: "" for each in self.opts.fields}
        form: type[forms.ModelForm] = super().get_form(request, obj, change, **options)  # type: ignore[type-arg]
        return form


class ReadOnlyAdmin(ScopedAdmin[M]):
    """Rows that are looked at here, and changed elsewhere."""

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody changes one here."""
        return False

    def has_delete_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody deletes one here."""
        return False


def every(query: QueryDict) -> Iterator[str]:
    """All names and values of a query or a form."""
    for name, values in query.lists():
        yield name
        yield from values


def own_account(request: HttpRequest) -> UUID | None:
    """The id of an operator's business account; None for a superuser, who belongs above all."""
    user = request.user
    if not isinstance(user, User) or user.is_superuser:
        return None
    return user.business_account_id


def offered_account(request: HttpRequest) -> BusinessAccount | None:
    """The business account that forms begin with: a superuser may belong to one, too."""
    return request.user.business_account if isinstance(request.user, User) else None


def visible_accounts(request: HttpRequest) -> list[UUID] | None:
    """The ids of the accounts that an operator sees; None means every one. One query a request."""
    known = vars(request)
    if SEEN not in known:
        known[SEEN] = tree_of_operator(request)
    seen: list[UUID] | None = known[SEEN]
    return seen


def tree_of_operator(request: HttpRequest) -> list[UUID] | None:
    """Likewise, from the database."""
    user = request.user
    if not isinstance(user, User) or user.business_account_id is None:
        return None if user.is_superuser else []
    if user.is_superuser:
        return None
    found = prepared_rows(TREE.format(root="%s::uuid"), [user.business_account_id])
    return [account for (account,) in found]


def visible(request: HttpRequest, rows: QuerySet[M], path: str = "business_account") -> QuerySet[M]:
    """Those of these rows that the operator sees; `path` leads from a row to its account."""
    accounts = visible_accounts(request)
    return rows if accounts is None else rows.filter(**{f"{path}__in": accounts})


def log_of(request: HttpRequest, model: type[Model], key: str) -> "QuerySet[LogEntry]":
    """What was done here to a row, by those whom the operator may know about."""
    kind = ContentType.objects.get_for_model(model)
    done = LogEntry.objects.filter(object_id=key, content_type=kind).select_related("user")
    return visible(request, done, "user__business_account")


def signed_in(request: HttpRequest) -> User:
    """Who is signed in, on a page for those who are. Raises `PermissionDenied`."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def operator(request: HttpRequest, account: BusinessAccount) -> Actor:
    """Whoever is signed in, acting for a business account of their tree."""
    return operator_actor(request.user.pk, account)
