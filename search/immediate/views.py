"""`/core/customermgr/v3/customer`: immediate search."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import reads
from config.api.actors import Actor, ActorType, Scope
from config.api.dialects import JSON, XML, core_headers, preferred_type
from config.api.json import to_json
from config.api.translation import LANGUAGES, language_of, preferred_language, speaking
from config.api.views import ApiView, JSONRenderer, JSONResponse
from customers.permissions import HasScope
from customers.roles import have_console
from search.immediate import openapi, refusals
from search.immediate.definitions import departments_named, read_definitions
from search.immediate.links import BASE, href, link, neighbours, shown
from search.immediate.lists import read_lists
from search.immediate.lookup import Found, find, find_by_id, home_departments
from search.immediate.parameters import (
    BY_ID,
    EVERY,
    EVERYBODY,
    MAX_IDS,
    Lookup,
    read_attributes,
    read_lookup,
    read_sort,
    single_values,
)
from search.immediate.representation import Reader
from search.immediate.xml import to_xml


class XMLRenderer(BaseRenderer):
    """The format XML; documents are written by `CoreView.answer`."""

    media_type = XML
    format = "xml"
    charset = None

    def render(self, data: object, *_args: object, **_kwargs: object) -> bytes:
        """Nothing, as the body of a 204. Raises `TypeError` for what would be lost here."""
        if data is not None:
            raise TypeError("an XML document is made by `CoreView.answer`")
        return b""


class CoreNegotiation(BaseContentNegotiation):
    """Chooses the format by `Accept` and checks that `Accept-Language` can be satisfied."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """None: nothing is read here."""
        return None

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The renderer of the media type that is liked best. Raises `NotAcceptable`."""
        if preferred_language(request.META.get("HTTP_ACCEPT_LANGUAGE", "")) is None:
            raise refusals.unsupported_language(LANGUAGES)
        media_type = preferred_type(request)
        for renderer in renderers:
            if renderer.media_type == media_type:
                return renderer, media_type
        raise refusals.unsupported_format([JSON, XML])


class MaySearch(HasScope):
    """Needs the scope, and of an employee the permission "View Agent Console"."""

    missing_scope_code = refusals.NO_SCOPE

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises `Forbidden`, with the code of the dialect."""
        is_allowed = super().has_permission(request, view)
        actor = request.auth
        if (
            isinstance(actor, Actor)
            and actor.type == ActorType.EMPLOYEE
            and not have_console(actor.roles)
        ):
            raise refusals.no_permission()
        return is_allowed


class CoreView(ApiView):
    """A view of `/core`: JSON or XML, in the language of the request."""

    scopes = {"GET": Scope.CORE_READ}
    renderer_classes = [JSONRenderer, XMLRenderer]
    content_negotiation_class = CoreNegotiation
    permission_classes = [MaySearch]
    xml_root: ClassVar[str] = "customers"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer in the language of the request."""
        with speaking(language_of(request)):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Every answer tells its language, and by what it was chosen."""
        self.headers |= core_headers(request)
        super().initial(request, *args, **kwargs)

    def answer(self, tree: dict[str, object]) -> HttpResponse:
        """A tree in the format of the request; by REST framework's response it takes 4 % longer."""
        if self.request.accepted_media_type == XML:
            return HttpResponse(to_xml(self.xml_root, tree), content_type=XML)
        return JSONResponse(to_json(tree))

    def check_query(self, request: Request) -> None:
        """Nothing yet: which parameters there are depends on the actor, and `parameters` tells."""

    def perform_authentication(self, request: Request) -> None:
        """Who does not say who it is learns that before anything else."""
        super().perform_authentication(request)
        if request.successful_authenticator is None:
            raise NotAuthenticated


class CustomerLookup(CoreView):
    """Customers by criteria; for a signed-in customer, itself."""

    parameters = {"GET": EVERY}

    @openapi.search_customers
    def get(self, request: Request) -> HttpResponse:
        """Search customers

        All criteria must hold.
        """
        lookup = read_lookup(request.GET, self.actor)
        found = self.find(lookup)
        if not found.rows:
            return Response(status=204)
        return self.answer(self.body(lookup, found))

    def find(self, lookup: Lookup) -> Found:
        """The customers of the page."""
        actor, criteria = self.actor, lookup.criteria
        if criteria.department:
            departments: Sequence[object] | None = departments_named(actor, criteria.department)
        else:
            departments = home_departments(actor)
        definitions = read_definitions(
            actor, attributes=lookup.attributes, sort=lookup.sort, criteria=criteria
        )
        search = partial(
            find,
            actor=actor,
            criteria=criteria,
            definitions=definitions,
            departments=departments,
            sort=lookup.sort,
            window=lookup.window,
            attributes=lookup.attributes,
        )
        return reads.look_up(actor, lambda using: search(using=using))

    def body(self, lookup: Lookup, found: Found) -> dict[str, object]:
        """The page, with what surrounds it."""
        sent = lookup.parameters
        reader = Reader(self.actor, lookup.attributes)
        paging: dict[str, object] = {"count": found.count}
        if found.is_estimate:
            paging["countIsEstimate"] = True
        paging |= shown(lookup.window)
        if links := neighbours(sent, lookup.window, has_next=found.has_next):
            paging["link"] = links
        return {
            "link": [link("self", href(BASE, sent))],
            "customer": [reader.customer(row) for row in found.rows],
            "paginationInfo": paging,
        }


class CustomersById(CoreView):
    """Customers by their ids."""

    parameters = {"GET": BY_ID}

    @openapi.customers_by_id
    def get(self, request: Request, customer_ids: str) -> HttpResponse:
        """Read customers by id

        All of them, or 404.
        """
        values = single_values(request.GET, BY_ID)
        attributes, sort = read_attributes(values, self.actor), read_sort(values)
        ids = read_ids(customer_ids)
        definitions = read_definitions(self.actor, attributes=attributes, sort=sort)
        rows = find_by_id(
            actor=self.actor, ids=ids, sort=sort, attributes=attributes, definitions=definitions
        )
        known = {row.id for row in rows}
        if unknown := [each for each in ids if each not in known]:
            raise refusals.unknown_ids(unknown)
        reader = Reader(self.actor, attributes)
        return self.answer({"customer": [reader.customer(row) for row in rows]})


class AttributeLists(CoreView):
    """What can be searched and asked for."""

    parameters = {"GET": EVERYBODY}
    xml_root = "attributes"

    @openapi.attribute_lists
    def get(self, request: Request) -> HttpResponse:
        """List attributes

        The values of lists, and the custom attributes that can be searched.
        """
        return self.answer(read_lists(self.actor, request.GET))


def read_ids(text: str) -> list[UUID]:
    """The ids of a path, each once. What is no UUID is the id of no customer."""
    parts = [part.strip() for part in text.split(",")]
    if not 1 <= len(parts) <= MAX_IDS or not all(parts):
        raise refusals.bad_ids(MAX_IDS)
    ids, unknown = [], []
    for part in parts:
        try:
            ids.append(UUID(part))
        except ValueError:
            unknown.append(part)
    if unknown:
        raise refusals.unknown_ids(unknown)
    return list(dict.fromkeys(ids))
