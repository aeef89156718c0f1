"""`/v1/search/customer-accounts`: searches whose answer is a file."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.actors import Actor, Scope
from config.api.cursors import PARAMETERS
from config.api.errors import Forbidden, Unavailable
from config.api.pagination import PageRequest
from config.api.views import ApiView
from customers.permissions import missing_scope
from search import results, services
from search.bi import openapi
from search.bi.files import file_response
from search.bi.filters import read_request
from search.bi.status import status_body
from search.models import CustomerSearch


def urls_of(search: CustomerSearch) -> dict[str, str]:
    """Fresh links to a search's file and manifest, while it has them."""
    if not services.has_file(search):
        return {}
    name = search.file_name
    return {
        "downloadUrl": url_of(search, name),
        "fileName": name,
        "manifestUrl": url_of(search, results.manifest_name(name)),
    }


def url_of(search: CustomerSearch, file_name: str) -> str:
    """A signed, absolute URL."""
    signature = services.sign(search, file_name)
    return settings.PUBLIC_URL + reverse("search-result", args=[search.pk, signature, file_name])


class CustomerSearches(ApiView):
    """Submit a search, list the client's searches."""

    scopes = {"GET": Scope.SEARCH_RUN, "POST": Scope.SEARCH_RUN}
    parameters = {"GET": PARAMETERS, "POST": ()}
    repeatable = {"sort"}
    sorts: ClassVar[dict[str, str]] = {"submittedAt": "submitted_at", "status": "status"}

    @openapi.submit_search
    def post(self, request: Request) -> Response:
        """Check the filters, store the search and queue it."""
        criteria, file = read_request(request.data, self.actor)
        search = services.submit_search(actor=self.actor, criteria=criteria, **file)
        return Response({"queryId": str(search.pk)})

    @openapi.list_searches
    def get(self, request: Request) -> Response:
        """The client's searches, newest first."""
        page_request = PageRequest.read(request, self.sorts, "submittedAt,DESC")
        searches = CustomerSearch.objects.visible_to(self.actor)
        page = page_request.take(searches)
        found = searches.in_bulk(page.ids)
        content = [status_body(found[pk], urls_of(found[pk])) for pk in page.ids if pk in found]
        return Response(page.envelope(content))


class CustomerSearchDetail(ApiView):
    """One search: its status, and its end."""

    scopes = {"GET": Scope.SEARCH_RUN, "DELETE": Scope.SEARCH_RUN}

    @openapi.read_search
    def get(self, request: Request, search_id: UUID) -> Response:
        """Status, progress, and links to the file when it is there."""
        search = services.get_search(actor=self.actor, search_id=search_id)
        return Response(status_body(search, urls_of(search)), headers={"Cache-Control": "no-store"})

    @openapi.cancel_search
    def delete(self, request: Request, search_id: UUID) -> Response:
        """Cancel it, or delete its file."""
        search = services.get_search(actor=self.actor, search_id=search_id)
        services.cancel_search(search=search)
        return Response(status=204)


class SearchResult(ApiView):
    """A result file or its manifest, by the signed URL that the status call gives.

    The link is enough for a download manager, as long as its client may still search. A token is
    not needed; where one is sent, it must be one that sees the search.
    """

    permission_classes = [AllowAny]

    @openapi.download_result
    def get(
        self, request: Request, search_id: UUID, signature: str, file_name: str
    ) -> HttpResponseBase:
        """The file, or a range of it."""
        actor = request.auth if isinstance(request.auth, Actor) else None
        if actor is not None and not actor.may(Scope.SEARCH_RUN):
            raise Forbidden(missing_scope(Scope.SEARCH_RUN, actor))
        search = services.follow_link(
            search_id=search_id, signature=signature, file_name=file_name, actor=actor
        )
        is_manifest = file_name != search.file_name
        stored = search.storage_name
        try:
            return file_response(
                request,
                results.manifest_name(stored) if is_manifest else stored,
                file_name=file_name,
                content_type="application/json" if is_manifest else search.content_type,
                etag=f"{search.sha256}-manifest" if is_manifest else search.sha256,
            )
        except FileNotFoundError:
            raise services.Gone("The result no longer exists. Run the search again.") from None
        except ConnectionError as error:
            raise Unavailable from error
