"""`fill SOURCE_URL ACCOUNT_ID ...`: the customers of a registry, in the textbook's tables."""

import os

import psycopg
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from rest_framework.authtoken.models import Token

from tests.benchmarks.textbook.models import Customer

COPIES = {
    "account (id, name)": "SELECT id, name FROM customers_businessaccount",
    "customer (id, account_id, external_id, status, first_name, last_name, date_of_birth,"
    " created_at, updated_at)": """
        SELECT c.id, c.business_account_id, c.external_id, c.status, coalesce(p.first_name, ''),
            coalesce(p.last_name, ''), p.date_of_birth, c.created_at, c.updated_at
        FROM customers_customer c
        LEFT JOIN customers_contact p ON p.customer_id = c.id AND p.is_primary
        WHERE c.status <> 'DELETED'""",
    "email (customer_id, value, is_primary)": """
        SELECT p.customer_id, p.value, p.is_primary FROM customers_contactpoint p
        JOIN customers_customer c ON c.id = p.customer_id AND c.status <> 'DELETED'
        WHERE p.kind = 'EMAIL'""",
    "phone (customer_id, number, type, extension, is_primary)": """
        SELECT p.customer_id, p.value, p.phone_type, p.extension, p.is_primary
        FROM customers_contactpoint p
        JOIN customers_customer c ON c.id = p.customer_id AND c.status <> 'DELETED'
        WHERE p.kind = 'PHONE'""",
    "address (customer_id, type, street_line_1, street_line_2, city, state, country, zip_code)": """
        SELECT a.customer_id, a.type, a.street_line_1, a.street_line_2, a.city, a.state, a.country,
            a.zip_code
        FROM customers_address a
        JOIN customers_customer c ON c.id = a.customer_id AND c.status <> 'DELETED'""",
}


class Command(BaseCommand):
    """The user `benchmark` is a member of the accounts; its token is printed."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the customers are, and whose the user sees."""
        parser.add_argument("source")
        parser.add_argument("accounts", nargs="+")

    def handle(self, *, source: str, accounts: list[str], **options: object) -> None:
        """Make what is missing."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        call_command("migrate", run_syncdb=True, verbosity=0)
        if not Customer.objects.exists():
            copy(source, os.environ["DATABASE_URL"])
        user, _ = User.objects.get_or_create(username="benchmark")
        user.accounts.set(accounts)
        self.stdout.write(Token.objects.get_or_create(user=user)[0].key)


def copy(source: str, target: str) -> None:
    """Copy all customers that are not deleted, and gather statistics."""
    with psycopg.connect(source) as here, psycopg.connect(target) as there:
        for columns, select in COPIES.items():
            table = f"textbook_{columns}"
            with (
                here.cursor().copy(f"COPY ({select}) TO STDOUT") as rows,
                there.cursor().copy(f"COPY {table} FROM STDIN") as into,
            ):
                for row in rows:
                    into.write(row)
    with psycopg.connect(target, autocommit=True) as there:
        there.execute("VACUUM ANALYZE")
