"""From a bearer token to the `Actor` that it speaks for, in one query.

The same query, or the same message, answers what the call will ask first, where its view says so
(`config.api.ahead`).
"""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from psycopg.sql import SQL
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.api.actors import Actor
from config.api.ahead import NOTHING, Ahead, Row
from config.db import scope
from config.db.statements import Question, prepared_rows, together
from customers.actors import TokenRow, token_actor
from customers.querysets import TREE

if TYPE_CHECKING:  # DRF's views import the default authentication, so it cannot import them
    from config.api.views import ApiView

# A token with a user is a person's, through an app; one without is a service account's. Both need
# a client that is not revoked.
TOKEN_ROW = SQL("""
SELECT client.id, coalesce(client.last_used_at < now() - interval '1 minute', true),
       token.scope, client.client_id, account.id, account.parent_id, account.default_region,
       ARRAY({tree}) AS tree,
       service.id, service.scopes, person.id, person.customer_id,
       ARRAY(SELECT role.name FROM customers_user_groups member
             JOIN auth_group role ON role.id = member.group_id WHERE member.user_id = person.id),
       account.departmentalization, person.department_id,
       ARRAY(SELECT other.department_id FROM customers_user_foreign_departments other
             WHERE other.user_id = person.id)
FROM customers_accesstoken token
JOIN customers_oauthclient client ON client.id = token.application_id
LEFT JOIN customers_serviceaccount service ON service.id = client.service_account_id
LEFT JOIN customers_user person ON person.id = token.user_id
JOIN customers_businessaccount account ON account.id
    = CASE WHEN person.id IS NULL THEN service.business_account_id
                                  ELSE person.business_account_id END
WHERE token.token_checksum = %s AND token.expires > now() AND client.is_active
  AND CASE WHEN person.id IS NULL THEN service.is_active
                                  ELSE service.id IS NULL AND person.is_active END
""")
TOKEN = TOKEN_ROW.format(tree=SQL(TREE.format(root="account.id"))).as_string()

# With a row of nulls where there is no answer.
WITH_AHEAD = """
WITH told AS MATERIALIZED ({token})
SELECT told.*, ahead.* FROM told LEFT JOIN LATERAL ({ahead}) ahead ON true"""

# Nobody waits for a row that another request is marking at the same moment.
USED = """
UPDATE customers_oauthclient SET last_used_at = now() WHERE id = (
    SELECT id FROM customers_oauthclient
    WHERE id = %s AND coalesce(last_used_at < now() - interval '1 minute', true)
    FOR NO KEY UPDATE SKIP LOCKED)
"""


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; the `Actor` becomes `request.auth`.

    Under `/v2` a token may also come as `X-CDLX-Session-Token`.

    A token that is unknown, expired or revoked, or whose client, service account or user is
    inactive, is 401, and the answer does not say which. There is no `request.user`: a service
    account has none, and nothing needs an employee's row.
    """

    def authenticate(self, request: Request) -> tuple[None, Actor] | None:
        """`(None, actor)`; None without a bearer token. Raises `AuthenticationFailed`."""
        token = bearer_token(request)
        if token is None:
            return None
        view = cast("ApiView", (request.parser_context or {})["view"])
        actor, view.found_ahead = speaker_of(token, view.asks_ahead())
        if actor is None:
            raise AuthenticationFailed(_("The access token is invalid, expired or revoked."))
        scope.confine(actor.tree)
        return None, actor

    def authenticate_header(self, _request: Request) -> str:
        """What a 401 says in `WWW-Authenticate`."""
        return "Bearer"


def bearer_token(request: HttpRequest | Request) -> str | None:
    """The access token that a request carries, if any: as a bearer, or under `/v2` as a session's.

    Where both are there, the bearer counts.
    """
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    if request.path.startswith("/v2/"):
        return str(request.META.get("HTTP_X_CDLX_SESSION_TOKEN", "")).strip() or None
    return None


def checksum(token: str) -> str:
    """By what a token is found: only its SHA-256 is kept."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def actor_of(token: str) -> Actor | None:
    """Who speaks with this access token, with what it may do now; None if it is good for nothing.

    Notes that its client was used, at most once a minute.
    """
    return speaker_of(token, None)[0]


def speaker_of(token: str, ahead: Ahead | None) -> tuple[Actor | None, Row | None]:
    """The `actor_of` a token, and the row that was asked for with it."""
    row, found = token_row(token, ahead)
    if row is None:
        return None, None
    if row.is_idle:
        with connection.cursor() as cursor:
            cursor.execute(USED, [row.client])
    return token_actor(row), found


def token_row(token: str, ahead: Ahead | None) -> tuple[TokenRow | None, Row | None]:
    """What the database tells of a token, and the row that was asked for with it."""
    question = Question(TOKEN, [checksum(token)])
    if ahead is not None and ahead.is_apart:
        told, found = together([question, Question(ahead.sql, list(ahead.values))])
        row = TokenRow(*told[0]) if told else None
        is_seen = row is not None and bool(found) and found[0][0] in row.tree
        return row, found[0] if is_seen else NOTHING
    if ahead is not None:
        question = Question(with_ahead(ahead.sql), [*question.values, *ahead.values])
    rows = prepared_rows(*question)
    if not rows:
        return None, None
    width = len(TokenRow._fields)
    return TokenRow(*rows[0][:width]), rows[0][width:] or None


@lru_cache(maxsize=32)
def with_ahead(sql: str) -> str:
    """The statement that answers both."""
    return WITH_AHEAD.format(token=TOKEN, ahead=sql)
