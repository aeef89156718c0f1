"""A registry as 0.1.0 left it: rows of every table, by SQL of that schema."""

import hashlib
import json
from collections.abc import Iterator
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.db.crypto import blind_index, seal, seal_bytes
from customers import normalize

# The business accounts: a holding that owns the two others, and one beside it.
HOLDING, BANK, BRANCH, OUTSIDE = (UUID(f"00000000-0000-7000-8000-00000000000{n}") for n in "1234")
CLIENT, SERVICE, DEPARTMENT, OWNER, APP = (
    UUID(f"00000000-0000-7000-8000-0000000000{n}") for n in ("11", "12", "13", "14", "15")
)
SEGMENT, TAX_ID, NICKNAME = (
    UUID(f"00000000-0000-7000-8000-0000000000{n}") for n in ("21", "22", "23")
)
TOKEN = "an-access-token-of-0.1.0"
SCOPES = (
    "customers.read customers.write customers.sensitive search.run bulk.write core.customermgr.read"
)
FIRST = ["Ada", "Zoë", "Grace", "Łukasz", "Mary Ann", "Sørine", "Alan"]
LAST = ["Lovelace", "Ångström", "Hopper", "O'Brien", "Straße", "Nuñez"]
# Searched for with and without its dash, also as a part of a word.
NUMBERED = "CRM-555-0199"
# So many begin with ids that follow from an external id.
NAMED = 20

# `key` is the id of row n of a kind of row, `pick` one of several texts.
FUNCTIONS = """
CREATE FUNCTION pg_temp.key(kind int, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
    SELECT (lpad(to_hex(n), 8, '0') || lpad(to_hex(kind), 4, '0') || '70008000000000000000')::uuid
$$;
CREATE FUNCTION pg_temp.pick(texts text[], n bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT texts[1 + n %% array_length(texts, 1)]
$$;
CREATE TEMPORARY TABLE people AS
    SELECT n, coalesce((%(named)s::uuid[])[n::int], pg_temp.key(1, n)) AS id,
        CASE WHEN n <= %(last_named)s THEN 'CRM-555-' || lpad((198 + n)::text, 4, '0')
            ELSE '' END AS external_id,
        n %% 10 = 0 AS is_business,
        CASE WHEN n <= %(last_named)s THEN %(bank)s::uuid ELSE
            (ARRAY[%(bank)s, %(branch)s, %(outside)s]::uuid[])[1 + n %% 3] END AS account,
        pg_temp.pick(%(first)s, n) AS first, pg_temp.pick(%(first_folded)s, n) AS first_folded,
        pg_temp.pick(%(last)s, n) AS last, pg_temp.pick(%(last_folded)s, n) AS last_folded,
        CASE WHEN n %% 50 = 7 THEN 'p' || n || '@Bücher.example'
            ELSE 'Person' || n || '@example.com' END AS email,
        (1415 || lpad((n %% 10000000)::text, 7, '0')) AS phone,
        '2026-11-21 09:00Z'::timestamptz - make_interval(secs => %(count)s - n) AS at
    FROM generate_series(1, %(count)s) n;
CREATE UNIQUE INDEX ON people (n);
ANALYZE people;
SELECT set_config('kith.actor', %(act)s, false)"""

FEW = """
INSERT INTO customers_businessaccount VALUES
    (%(holding)s, 'Holding', '', 'US', false, 2, '2026-11-21 08:00Z', NULL),
    (%(bank)s, 'House Bank', 'A bank', 'US', false, 2, '2026-11-21 08:00Z', %(holding)s),
    (%(branch)s, 'Branch', '', 'FR', true, 3, '2026-11-21 08:00Z', %(holding)s),
    (%(outside)s, 'Outside Bank', '', 'US', false, 2, '2026-11-21 08:00Z', NULL);
INSERT INTO customers_department VALUES (%(department)s, 'Retail', %(branch)s);
INSERT INTO auth_group (name) VALUES ('Owner');
INSERT INTO django_content_type (app_label, model) VALUES ('customers', 'customer');
INSERT INTO auth_permission (name, content_type_id, codename)
    SELECT 'Can view customer', id, 'view_customer' FROM django_content_type;
INSERT INTO auth_group_permissions (group_id, permission_id)
    SELECT auth_group.id, auth_permission.id FROM auth_group, auth_permission;
INSERT INTO customers_user (password, is_superuser, id, email, name, is_active, is_staff,
        date_joined, business_account_id)
    VALUES ('!', false, %(owner)s, 'olivia@example.com', 'Olivia', true, true, now(), %(bank)s);
INSERT INTO customers_user_groups (user_id, group_id) SELECT %(owner)s, id FROM auth_group;
INSERT INTO customers_user_foreign_departments (user_id, department_id)
    VALUES (%(owner)s, %(department)s);
INSERT INTO customers_user_user_permissions (user_id, permission_id)
    SELECT %(owner)s, id FROM auth_permission;
INSERT INTO customers_serviceaccount
    VALUES (%(service)s, 'Program', %(scopes)s, true, now(), %(holding)s);
INSERT INTO customers_oauthclient (client_id, redirect_uris, post_logout_redirect_uris, client_type,
        authorization_grant_type, client_secret, hash_client_secret, name, skip_authorization,
        created, updated, algorithm, allowed_origins, registration_source, id, is_active,
        service_account_id)
    VALUES ('key-of-0.1.0', '', '', 'confidential', 'client-credentials', '!', true, 'Key', false,
            now(), now(), '', '', 'manual', %(client)s, true, %(service)s),
        ('app-of-0.1.0', 'https://app.example/', '', 'public', 'authorization-code', '!', true,
            'App', false, now(), now(), '', '', 'manual', %(app)s, true, NULL);
INSERT INTO customers_accesstoken (token, token_checksum, expires, scope, resource, created,
        updated, application_id)
    VALUES ('', %(checksum)s, now() + interval '1 hour', %(scope)s, '[]', now(), now(), %(client)s);
INSERT INTO customers_refreshtoken (token, token_checksum, resource, created, updated,
        application_id, user_id)
    VALUES ('', 'none', '[]', now(), now(), %(app)s, %(owner)s);
INSERT INTO customers_idtoken (jti, expires, scope, created, updated, user_id, application_id)
    VALUES (%(app)s, now(), '', now(), now(), %(owner)s, %(app)s);
INSERT INTO customers_grant (expires, redirect_uri, scope, created, updated, code_challenge,
        code_challenge_method, nonce, claims, resource, code, user_id, application_id)
    SELECT now(), '', '', now(), now(), '', '', '', '', '[]', code, %(owner)s, %(app)s
    FROM unnest(ARRAY['one', 'two']) code;
INSERT INTO customers_attributedefinition VALUES
    (%(segment)s, 'customer', 'segment', false, %(bank)s),
    (%(tax_id)s, 'customer', 'tax id', true, %(bank)s),
    (%(nickname)s, 'contactPerson', 'nickname', false, %(branch)s);
INSERT INTO django_session VALUES ('a session', 'data', now() + interval '1 day');
INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message,
        content_type_id, user_id)
    SELECT now(), '', 'Ada', 2, '', id, %(owner)s FROM django_content_type"""

CUSTOMERS = """
INSERT INTO customers_customer
    SELECT id, CASE WHEN is_business THEN 'BUSINESS' ELSE 'INDIVIDUAL' END,
        CASE WHEN n %% 33 = 0 THEN 'SUSPENDED' WHEN n %% 41 = 0 THEN 'DELETED' ELSE 'ACTIVE' END,
        external_id, CASE WHEN is_business THEN 'Company ' || n ELSE '' END,
        CASE WHEN is_business THEN 'company ' || n ELSE '' END,
        CASE WHEN is_business THEN 'Company ' || n ELSE first || ' ' || last END,
        CASE WHEN is_business THEN 'company ' || n ELSE first_folded || ' ' || last_folded END,
        concat_ws(' ', CASE WHEN is_business THEN 'company ' || n || ' second' END, first_folded,
            last_folded, lower(nullif(external_id, '')), phone, lower(email)),
        CASE WHEN n %% 3 = 0 THEN '{{"tier": "gold"}}' ELSE '{{}}' END::jsonb,
        CASE WHEN n %% 5 = 0 THEN 'Reseller' ELSE '' END,
        CASE WHEN n %% 25 = 1 THEN lpad((n %% 10000)::text, 4, '0') ELSE '' END,
        '', '', '', CASE WHEN n %% 4 = 0 THEN 'Gold' ELSE '' END, '', 1, at, 'service-account',
        %(client)s, at, 'service-account', %(client)s, account, NULL,
        CASE WHEN account = %(branch)s THEN %(department)s::uuid END
    FROM people ORDER BY n"""

# Of a customer's parts; businesses have a second contact.
PARTS = """
INSERT INTO customers_contact
    SELECT pg_temp.key(2, n), true, '', first, '', last, '', first_folded, '', last_folded, '', '',
        '', '', NULL::bytea, '1990-01-01'::date + (n %% 9000)::int, '', '', NULL::bytea,
        NULL::bytea, '', '', '', '', at, at, id
    FROM people
    UNION ALL
    SELECT pg_temp.key(3, n), false, '', 'Second', '', last, '', 'second', '', last_folded, '', '',
        '', '', NULL, NULL, '', '', NULL, NULL, '', '', '', '', at, at, id
    FROM people WHERE is_business;
INSERT INTO customers_contactpoint
    SELECT pg_temp.key(4, n), pg_temp.key(2, n), 'PHONE', '+' || phone, phone, 'MOBILE', '',
        CASE WHEN n %% 9 = 0 THEN '12' ELSE '' END, true, false, at, at, id FROM people
    UNION ALL
    SELECT pg_temp.key(5, n), pg_temp.key(2, n), 'EMAIL', email, lower(email), '', '', '', true,
        false, at, at, id FROM people;
INSERT INTO customers_address
    SELECT pg_temp.key(6, n), 'MAILING', '', '', '', n || ' Main St', '', '', '', '',
        lower(n || ' Main St'), '', '', 'Greenville', 'greenville', 'MO', 'USA', '63368', true, at,
        at, id
    FROM people;
INSERT INTO customers_attributevalue
    SELECT pg_temp.key(7, n), NULL::uuid, pg_temp.pick('{{retail,private,vip}}', n), NULL::bytea,
        at, at,
        %(segment)s, id
    FROM people WHERE account = %(bank)s
    UNION ALL
    SELECT pg_temp.key(9, n), pg_temp.key(2, n), 'nick' || n, NULL, at, at, %(nickname)s, id
    FROM people WHERE account = %(branch)s;
INSERT INTO customers_activity
    SELECT pg_temp.key(10, n), pg_temp.pick('{{EMAIL,CHAT}}', n), 'INBOUND', n %% 2 = 0, false, at,
        'About ' || n, at, id
    FROM people;
INSERT INTO customers_enrollment
    SELECT id, '', CASE WHEN n %% 4 = 0 THEN pg_temp.key(1, n - 1) END, 'ORG', '63368', 'USA', at,
        at, NULL, 'OPTED_IN', '{{}}', 'TARGETED', 'YES', at, at
    FROM people WHERE n %% 2 = 0;
INSERT INTO customers_account
    SELECT pg_temp.key(11, n), 'A-' || n, ARRAY['S-' || n], 'S-' || n, 'OPEN', 'DEBIT', '', '', at,
        NULL, at, at, account, id
    FROM people WHERE n %% 2 = 0;
INSERT INTO customers_card
    SELECT pg_temp.key(12, n), pg_temp.key(11, n), '0042', '', 'DEBIT', 'OPEN', 'VISA', at, NULL,
        at, at, id
    FROM people WHERE n %% 2 = 0"""

JOBS = """
INSERT INTO ingest_bulkrequest (id, status, actor_type, actor_id, client_id, request_id,
        submitted_at, picked_at, finished_at, lease_until, claim_id, attempts, worker, error_code,
        error_message, public_id, action, source_customer_id, source_account_id, fingerprint, items,
        created, updated, unchanged, failed, business_account_id)
    SELECT pg_temp.key(13, n), 'FINISHED', 'service-account', %(client)s, 'key-of-0.1.0',
        'request-' || n, at, at, at, at, pg_temp.key(13, n), 1, '', '', '', pg_temp.key(14, n),
        'CREATE_CUSTOMERS', '', '', '\\x00', 1, 1, 0, 0, 0, %(holding)s
    FROM people;
INSERT INTO ingest_bulkitem
    SELECT 0, 'S-' || n, 'CREATED', id, '[]', '[]', pg_temp.key(13, n) FROM people;
INSERT INTO ingest_bulkpart
    SELECT 0, 1, 1, 0, 0, 0, '\\x00', pg_temp.key(13, n) FROM people;
INSERT INTO ingest_bulkfile
    SELECT pg_temp.key(13, n), '', '', 10, 1, '' FROM people WHERE n %% 2 = 0;
INSERT INTO search_customersearch (id, status, actor_type, actor_id, client_id, request_id,
        submitted_at, attempts, worker, error_code, error_message, criteria, result_format,
        accounts, rows, bytes, sha256, storage_name, business_account_id)
    SELECT pg_temp.key(15, n), 'SUBMITTED', 'service-account', %(client)s, 'key-of-0.1.0', '', at,
        0, '', '', '', '{{}}', 'CSV', '{{}}', 0, 0, '', '', %(holding)s
    FROM people WHERE n %% 10 = 0"""

PEOPLE = """
INSERT INTO customers_user (password, is_superuser, id, email, name, customer_id, is_active,
        is_staff, date_joined, business_account_id)
    SELECT '!', false, pg_temp.key(16, n), 'customer' || n || '@example.com', '', id, true, false,
        at, account
    FROM people"""

HISTORY = """
UPDATE customers_customer SET level = 'Silver', version = 2, updated_at = updated_at + '1 minute'
WHERE id IN (SELECT id FROM people WHERE n %% 20 = 1);
UPDATE customers_customer SET pin = pin || '9' WHERE pin <> '' AND id IN (
    SELECT id FROM people WHERE n %% 100 = 1);
DELETE FROM customers_activity WHERE customer_id IN (SELECT id FROM people WHERE n %% 500 = 3)"""


def fill(count: int, *, is_large: bool = False) -> None:
    """Fill the schema of 0.1.0 with so many customers; of `is_large` only they are logged."""
    named = [normalize.customer_id(BANK, f"CRM-555-{198 + n:04}") for n in range(1, NAMED + 1)]
    act = {"type": "service-account", "id": str(CLIENT), "via": "v1", "requestId": "first"}
    names = {"first": FIRST, "last": LAST}
    folded = {f"{name}_folded": [*map(normalize.fold, texts)] for name, texts in names.items()}
    accounts = {"holding": HOLDING, "bank": BANK, "branch": BRANCH, "outside": OUTSIDE}
    access = {"client": CLIENT, "service": SERVICE, "app": APP, "owner": OWNER}
    attributes = {"segment": SEGMENT, "tax_id": TAX_ID, "nickname": NICKNAME}
    values = names | folded | accounts | access | attributes
    values |= {"count": count, "named": named, "last_named": NAMED, "act": json.dumps(act)}
    values |= {"department": DEPARTMENT, "scope": SCOPES, "scopes": SCOPES.split()}
    values["checksum"] = hashlib.sha256(TOKEN.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS, values)
        for part in (FEW, CUSTOMERS, PARTS, JOBS, PEOPLE, HISTORY):
            for statement in part.replace("{{", "{").replace("}}", "}").split(";\n"):
                is_silent = is_large and part is not CUSTOMERS
                cursor.execute(f"SET kith.recording = '{'off' if is_silent else 'on'}'")
                cursor.execute(statement, values)
        for statement, rows in sealed(cursor):
            cursor.executemany(statement, rows)
        cursor.execute("RESET kith.recording; RESET kith.actor; DROP TABLE people; ANALYZE")


SET_SECRETS = """
UPDATE customers_contact SET social_id_last4 = '1120', social_id_country = 'USA',
    (social_id_sealed, social_id_digest, security_answer_sealed) = (%s, %s, %s)
WHERE id = %s"""


def tax_id(key: UUID) -> bytes:
    """The sealed value of an encrypted attribute."""
    return seal(f"tax {key}", f"customers_attributevalue.value_sealed:{key}")


def sealed(cursor: CursorWrapper) -> Iterator[tuple[str, list[list[object]]]]:
    """What 0.1.0 sealed before it stored it."""
    cursor.execute("SELECT n, id, at FROM people WHERE account = %s AND n <= 2000", [BANK])
    people = cursor.fetchall()
    found = [(UUID(f"{n:08x}-0008-7000-8000-{0:012}"), customer, at) for n, customer, at in people]
    yield (
        "INSERT INTO customers_attributevalue VALUES (%s, NULL, '', %s, %s, %s, %s, %s)",
        [[key, tax_id(key), at, at, TAX_ID, customer] for key, customer, at in found],
    )
    cursor.execute("SELECT id FROM customers_contact WHERE first_name = 'Ada' LIMIT 50")
    contacts = [key for (key,) in cursor.fetchall()]
    column = "customers_contact.{}_sealed:{}"
    yield (
        SET_SECRETS,
        [
            [
                seal("078-05-1120", column.format("social_id", key)),
                blind_index("078051120"),
                seal("Rex", column.format("security_answer", key)),
                key,
            ]
            for key in contacts
        ],
    )
    request = UUID("00000001-000d-7000-8000-000000000000")
    yield (
        "INSERT INTO ingest_bulkcontent VALUES (%s, %s, '[]')",
        [[request, seal_bytes(b"{}", f"ingest_bulkcontent.body_sealed:{request}")]],
    )
    yield (
        "INSERT INTO platform_idempotencykey VALUES (%s, '', 200, '{}', %s, now())",
        [[APP, seal_bytes(b"{}", f"platform_idempotencykey.body_sealed:{APP}")]],
    )
