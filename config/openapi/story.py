"""What the API documentation tells before it lists calls, and its sections.

The lines of its shell blocks run as they are, one block after the other; a test runs them.
"""

from typing import NamedTuple

from django.conf import settings

from config.api.actors import SCOPES


class Tag(NamedTuple):
    """A section; `paths` is a pattern for the beginning of the paths that belong to it."""

    name: str
    paths: str
    description: str


TAGS = [
    Tag(
        "Tokens",
        "/v1/api-keys|/v2/session",
        "An access token for an API key; every other call needs one.",
    ),
    Tag("Customers", "/v1/customers", "One customer account at a time, and what happened to it."),
    Tag(
        "Searches",
        "/v1/search",
        "Searches that may return everything: a worker runs them, and the answer is a file.",
    ),
    Tag(
        "Immediate search",
        "/core",
        "Customers at once, for agents and their programs: JSON or XML, in fifteen languages.",
    ),
    Tag(
        "Bulk loads",
        "/v2/data",
        "Customers with accounts and cards, many at a time: each request is answered at once, a "
        "worker does it, and its ledger has the outcome of each item.",
    ),
    Tag(
        "Business accounts",
        "/v1/business-accounts",
        "The tenants: companies that own customers, in a tree. A token sees its own account and "
        "all below it.",
    ),
]

STORY = """
Kith is the system of record in which a company, and the companies below it, keep their customers,
find them, and load them in bulk. This page documents every call. For programs the same is at
[`/schema`](/schema), as OpenAPI 3.1 in JSON, or with `?format=yaml` in YAML.

# Five minutes

You need an API key with its secret; `./kith up` prints one. Get a token for it:

```bash
curl -sS -f -X POST -u "$KITH_KEY:$KITH_SECRET" \\
  $KITH_URL/v1/api-keys/exchange | tee token.json
TOKEN=$(sed -E 's/.*"access_token":"([^"]+)".*/\\1/' token.json)
```

Create a customer. The `Idempotency-Key` makes it safe to send this again when no answer came:

```bash
curl -sS -f -D headers.txt $KITH_URL/v1/customers \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: my-first-customer" \\
  -d '{
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "primaryPhoneNumber": {"number": "+14155550142", "type": "MOBILE"},
    "primaryEmail": {"value": "ada@example.com"}
  }'
CUSTOMER=$(sed -n 's/^[Ll]ocation: *//p' headers.txt | tr -d '\\r')
```

Change one thing about her. What the body does not name stays as it is:

```bash
curl -sS -f -X PUT $KITH_URL$CUSTOMER \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"primaryPhoneNumber": {"extension": "31"}}'
```

Find her again, and see who did what:

```bash
curl -sS -f -H "Authorization: Bearer $TOKEN" "$KITH_URL/v1/customers?search=lovelace&size=10"
curl -sS -f -H "Authorization: Bearer $TOKEN" $KITH_URL$CUSTOMER/history
```

Or search for her as a contact centre does, at once, by whatever is known of her:

```bash
curl -sS -f -H "Authorization: Bearer $TOKEN" -H "Accept-Language: fr-FR" \\
  "$KITH_URL/core/customermgr/v3/customer?email=ada@example.com&customerName=love"
```

Ask for a file of all individuals, and wait until a worker has written it:

```bash
curl -sS -f $KITH_URL/v1/search/customer-accounts \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"customerAccountType": "INDIVIDUAL"}' | tee search.json
SEARCH=$(sed -E 's/.*"queryId":"([^"]+)".*/\\1/' search.json)
until curl -sS -f -H "Authorization: Bearer $TOKEN" \\
  $KITH_URL/v1/search/customer-accounts/$SEARCH | tee status.json | grep '"FINISHED"'
do sleep 1; done
```

Fetch the file, whose address the status names, and look at its first lines:

```bash
DOWNLOAD=$(sed -E 's/.*"downloadUrl":"([^"]+)".*/\\1/' status.json)
curl -sS -f -o customers.csv "$DOWNLOAD"
head -n 3 customers.csv
```

# Tokens and scopes

Every call but the exchange carries `Authorization: Bearer <access token>`. A token is good for
%(token_seconds)s seconds and comes from

- `POST /v1/api-keys/exchange` with `Authorization: Basic base64(key:secret)`, for programs;
- OAuth 2 at `/oauth2/`: client credentials for programs, authorization code with PKCE for people.
  The endpoints, also for revocation and introspection, are listed at
  [`/.well-known/oauth-authorization-server`](/.well-known/oauth-authorization-server).

A token acts for one business account. It sees that account and all below it; whatever lies
elsewhere does not exist for it: 404, with the same body as for a thing that never was. What it may
do there its scopes say; each call names the one that it needs.

| scope | what a token may do with it |
| --- | --- |
%(scopes)s

# Values

Bodies are JSON in UTF-8 with `Content-Type: application/json`; member names are camelCase. Ids are
UUIDs. Date-times leave in UTC as `2026-03-01T12:00:00.123Z`, and come in with any ISO 8601 offset;
dates are `2026-03-01`. Countries are ISO 3166-1 alpha-3 and `XKX` for Kosovo, states ISO 3166-2
without the country, and `AA`, `AE`, `AP` in the United States. Phone numbers leave as E.164:
`+14151234`, `14151234` and `4151234` all mean `+14151234` where the business account's region is
the United States. E-mail addresses keep their spelling; they are compared without case, and with
the domain in its ASCII form.

An empty string means "not given", and so does a text in which nothing is visible. What is not set
leaves as `""` where it is free text, and as `null` where it is a word of a list, a date, a code of
a country or state, or an object. Names and address lines are one line: control characters,
characters that override the direction of writing, and noncharacters are refused. Lengths count
composed letters. External ids are kept and compared exactly as they are. Unknown members and
parameters are refused, so that a typo does not pass silently. The social id and the security answer
leave whole only for a token with the scope `customers.sensitive`; others see the last four
characters, or nothing.

# Errors

Every error of `/v1` has the same body; `/core` and `/v2` have bodies of their own. `errorCode` is
for programs and does not change, `message` is for people, and `errors` names every wrong place of
the request at once. Nothing was changed.

| status | meaning |
| --- | --- |
| 400 | the request is wrong |
| 401 | no token, or none that is good (`WWW-Authenticate` says so) |
| 403 | the token lacks the scope, which is named |
| 404 | there is no such thing, for this token |
| 405 | the resource does not have this method; `Allow` names those it has |
| 406 | none of the languages or media types that are asked for (`/core`) |
| 408 | the body did not arrive in time, or too slowly |
| 409 | it conflicts with what is stored |
| 410 | it was there, and its time is over |
| 412 | it does not have the version that `If-Match` names, or has that of `If-None-Match` |
| 413, 414, 415 | body or path are too long, or the body is of a type that is not taken |
| 422 | the `Idempotency-Key` was used for another request |
| 429 | too many requests; `Retry-After` tells when to go on |
| 500, 503 | our fault, or a server is unavailable for now: try again after `Retry-After` |
| 507 | there is no space left for the file that was sent |

Every answer has an `X-Request-Id`: the one you sent, if it is 1 to 64 letters, digits and `._:-`,
or a new one. It is the `traceId` of errors; quote it to support.

# Lists

Lists come in pages: `page` counts from 0, `size` goes to 200, `sort` is a name with `,ASC` or
`,DESC` behind it and may be repeated. To walk a long list, give the `nextCursor` of each page as
`cursor` instead of a page number, with the same filters and `sort`: a deep page then costs what the
first one costs. Totals are exact up to 10,000; beyond, they are estimates, and `totalIsEstimate`
says so.

# Writing safely

A POST with an `Idempotency-Key` (6 to 255 printable ASCII characters, such as a UUID) happens once.
Sent again within 24 hours with the same body, it gets the first answer again, byte for byte, with
`Idempotent-Replayed: true`; with another body it is 422, and while the first still runs 409. A
request that failed does not use its key up: corrected, it may come again under it.

`GET /v1/customers/{customerId}` gives an `ETag`. A write that sends it back as `If-Match` is done
only if the customer has not changed since; otherwise it is 412, and nothing happened. Without it,
two updates at once never lose each other's members, for an update is a merge. A GET with the tag
as `If-None-Match` is 304 while it is the right one.

Full card numbers are refused everywhere, with the code `CARD_NUMBER`, and stored nowhere: 12 to 19
digits, whatever stands between them, that pass the Luhn check and begin as a card network's do.
An id is looked at as a whole, and a phone number is exempt where one belongs.

# Limits

Each client may make a number of requests in a minute; `RateLimit-Policy: "client";q=60000;w=60`
tells how many, and `RateLimit: "client";r=59998;t=41` that 59998 are left for the next 41 seconds.
Beyond, the answer is 429 with `Retry-After` in seconds. A request body may have %(body_bytes)s
bytes.
"""


def told() -> str:
    """The story in CommonMark, with this installation's limits."""
    return STORY.strip() % {
        "token_seconds": f"{settings.ACCESS_TOKEN_SECONDS:,}",
        "body_bytes": f"{settings.MAX_BODY_BYTES:,}",
        "scopes": "\n".join(f"| `{scope}` | {words} |" for scope, words in SCOPES.items()),
    }
