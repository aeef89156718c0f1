"""What programs of 0.1.0 do while their database is upgraded: the statements that they send."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from customers.normalize import uuid7
from tests.upgrades import data, release

NAME = "kith-load"
PAUSE_SECONDS = 0.005
Session = psycopg.Connection[tuple[Any, ...]]

CUSTOMER = """
    id, business_account_id, department_id, type, status, external_id, business_name,
    business_name_folded, name, name_folded, search_text, metadata, role, pin, industry,
    market_segment, entitlements, level, how_referred, preferred_agent_id, version, created_at,
    created_by_type, created_by_id, updated_at, updated_by_type, updated_by_id"""
READ = f"""
SELECT {CUSTOMER} FROM customers_customer WHERE id = %(id)s AND status <> 'DELETED';
SELECT id, is_primary, first_name, last_name FROM customers_contact
WHERE customer_id = %(id)s
ORDER BY created_at, id;
SELECT id, contact_id, kind, value, value_key, is_primary FROM customers_contactpoint
WHERE customer_id = %(id)s
ORDER BY created_at, id;
SELECT id, type, street_line_1, city, is_primary FROM customers_address
WHERE customer_id = %(id)s
ORDER BY created_at, id;
SELECT id, contact_id, value, value_sealed, definition_id FROM customers_attributevalue
WHERE customer_id = %(id)s;
SELECT id, at, entity, before, after FROM customers_change WHERE customer_id = %(id)s
ORDER BY id DESC LIMIT 25"""
LIST = f"""
SELECT {CUSTOMER} FROM customers_customer
WHERE business_account_id = %(account)s AND status <> 'DELETED'
ORDER BY created_at DESC, id DESC LIMIT 25;
SELECT customer_id FROM customers_contactpoint WHERE value_key = %(phone)s AND kind = 'PHONE';
SELECT type, sent_date FROM customers_activity WHERE customer_id = %(id)s;
SELECT id, status, items FROM ingest_bulkrequest
WHERE business_account_id = %(account)s AND client_id = 'key-of-0.1.0' AND public_id = %(id)s;
SELECT id FROM search_customersearch WHERE business_account_id = %(account)s
ORDER BY submitted_at DESC, id DESC LIMIT 25"""
ACT = """
SELECT set_config('kith.actor', '{"type": "service-account", "via": "v1"}', true);"""
WRITE = f"""{ACT}
SELECT {CUSTOMER} FROM customers_customer WHERE id = %(id)s FOR NO KEY UPDATE;
UPDATE customers_customer
SET level = %(level)s, version = version + 1, updated_at = statement_timestamp()
WHERE id = %(id)s;
UPDATE customers_contact SET suffix = %(level)s WHERE customer_id = %(id)s;
INSERT INTO customers_activity (id, type, mode, is_read, is_secure, sent_date, subject, created_at,
    customer_id)
VALUES (%(new)s, 'CHAT', 'INBOUND', false, false, now(), 'Load', now(), %(id)s);
UPDATE customers_user SET last_login = now() WHERE customer_id = %(id)s"""
CREATE = f"""{ACT}
INSERT INTO customers_customer ({CUSTOMER})
VALUES (%(new)s, %(account)s, NULL, 'INDIVIDUAL', 'ACTIVE', '', '', '', 'Zoë Load', 'zoe load',
    'zoe load', '{{}}', '', '7777', '', '', '', '', '', NULL, 1, now(), 'service-account', '',
    now(), 'service-account', '');
INSERT INTO customers_contact (customer_id, id, is_primary, prefix, first_name, middle_name,
    last_name, suffix, first_name_folded, middle_name_folded, last_name_folded, sex, gender,
    pronoun, security_question, birth_city, birth_country, social_id_last4, social_id_country,
    citizenship_country, login_id, created_at, updated_at)
VALUES (%(new)s, %(new)s, true, '', 'Zoë', '', 'Load', '', 'zoe', '', 'load', '', '', '', '', '',
    '', '', '', '', '', now(), now());
INSERT INTO customers_contactpoint (customer_id, id, contact_id, kind, value, value_key, phone_type,
    provider, extension, is_primary, is_verified, created_at, updated_at)
VALUES (%(new)s, %(new)s, %(new)s, 'EMAIL', 'zoe@Bücher.example', 'zoe@bücher.example', '', '', '',
    true, false, now(), now());
INSERT INTO customers_address (customer_id, id, type, first_name, middle_name, last_name,
    street_line_1, street_line_2, street_line_3, street_line_4, street_line_5, street_line_1_folded,
    street_line_2_folded, street_line_3_folded, city, city_folded, state, country, zip_code,
    is_primary, created_at, updated_at)
VALUES (%(new)s, %(new)s, 'MAILING', '', '', '', '', '', '', '', '', '', '', '', '', '', '', 'USA',
    '', true, now(), now());
INSERT INTO customers_attributevalue (customer_id, id, value, created_at, updated_at, definition_id)
VALUES (%(new)s, %(new)s, 'vip', now(), now(), '{data.SEGMENT}');
INSERT INTO ingest_bulkrequest (id, status, actor_type, actor_id, client_id, request_id, attempts,
    worker, error_code, error_message, public_id, action, source_customer_id, source_account_id,
    fingerprint, items, created, updated, unchanged, failed, business_account_id)
VALUES (%(new)s, 'SUBMITTED', 'service-account', '', 'key-of-0.1.0', '', 0, '', '', '', %(new)s,
    'CREATE_CUSTOMERS', '', '', '', 1, 0, 0, 0, 0, %(account)s);
INSERT INTO ingest_bulkitem (request_id, index, source_customer_id, outcome, customer_id, errors,
    notices)
VALUES (%(new)s, 0, '', 'CREATED', %(new)s, '[]', '[]');
INSERT INTO ingest_bulkpart (request_id, number, lines, created, updated, unchanged, failed,
    results)
VALUES (%(new)s, 0, 1, 1, 0, 0, 0, '')"""
# So many threads send each of them.
THREADS = [(READ, 2), (LIST, 2), (WRITE, 2), (CREATE, 1)]


class Load:
    """Threads that send statements over and over, and when they were refused first."""

    def __init__(self, url: str, customers: int) -> None:
        self.url, self.customers = url, customers
        self.sent = 0
        self.refused_at: float | None = None
        self.broken: list[str] = []
        self._numbers = itertools.count()
        self._ended = threading.Event()

    def values(self, random: Random) -> dict[str, object]:
        """Whom a round of statements is about."""
        number = random.randrange(data.NAMED, self.customers) + 1
        return {
            "id": UUID(f"{number:08x}-0001-7000-8000-000000000000"),
            "account": random.choice([data.BANK, data.BRANCH, data.OUTSIDE]),
            "phone": f"1415{number % 10_000_000:07}",
            "level": random.choice(["Gold", "Silver", "Bronze"]),
            "new": uuid7(),
        }

    def send(self, statements: str) -> None:
        """Send these, each round a transaction, until the end."""
        random = Random(next(self._numbers))
        with psycopg.connect(self.url, application_name=NAME) as session:
            while not self._ended.wait(PAUSE_SECONDS):
                values = self.values(random)
                try:
                    with session.transaction():
                        for statement in statements.split(";\n"):
                            session.execute(statement.encode(), values)
                            self.sent += 1
                except psycopg.errors.UndefinedColumn:
                    # These programs are shut out, at the end of the upgrade only.
                    self.refused_at = self.refused_at or time.monotonic()
                    return
                except psycopg.Error as error:
                    self.broken.append(f"{type(error).__name__}: {error}")
                    return

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """While it is entered, all threads send."""
        threads = [
            threading.Thread(target=self.send, args=[statements], daemon=True)
            for statements, count in THREADS
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def sampling(url: str, note: Callable[[float], None], ended: threading.Event) -> None:
    """Tell, every 20 ms, how long in seconds each of them waits for a lock that it has not got."""
    waiting = (
        "SELECT extract(epoch FROM clock_timestamp() - waitstart)::float FROM pg_locks"
        " JOIN pg_stat_activity USING (pid) WHERE NOT granted AND application_name = %s"
    )
    with release.session(url) as session:
        while not ended.wait(0.02):
            for (seconds,) in session.execute(waiting, [NAME]).fetchall():
                if seconds is not None:
                    note(seconds)
