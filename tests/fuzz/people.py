"""A registry with everything in it, and those who call it.

To be imported when the environment names the database.
"""

import base64
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 -- needs the apps
from django.db import connection  # noqa: E402
from inflection import camelize  # noqa: E402

from config.api.actors import Scope  # noqa: E402
from customers.models import AttributeDefinition  # noqa: E402
from tests import factories  # noqa: E402
from tests.factories import Speaker  # noqa: E402
from tests.inventory import make_documented  # noqa: E402
from tests.migrated import migrate  # noqa: E402

CUSTOMERS, CUSTOMERS_OF_CHILD = 300, 30


def prepare(seconds: float) -> dict[str, Any]:
    """Fill an empty database; the people, with tokens for so long, and the things by name."""
    migrate()
    parent = factories.make_business_account("Fuzz Holding")
    house = factories.make_business_account("Fuzz Bank", parent=parent)
    child = factories.make_business_account("Fuzz Branch", parent=house)
    sibling = factories.make_business_account("Fuzz Rival", parent=parent)
    for account, count in ((house, CUSTOMERS), (child, CUSTOMERS_OF_CHILD)):
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            call_command("generate_customers", count, business_account=str(account.pk))
        factories.make_department(account, "Sales")
    for name, is_encrypted in (("tier", False), ("secret", True)):
        AttributeDefinition.objects.create(
            business_account=house, name=name, is_encrypted=is_encrypted
        )
    confidant = factories.make_speaker(house, scopes=factories.ALL_SCOPES)
    things = make_documented(confidant)
    speakers = {
        "a program that may do everything": (12, confidant),
        "a program without sensitive values": (3, factories.make_speaker(house)),
        "a program that only reads": (
            1,
            factories.make_speaker(house, scopes=(Scope.CUSTOMERS_READ,)),
        ),
        "a program of the account above": (2, factories.make_speaker(parent)),
        "a program of the account below": (2, factories.make_speaker(child)),
        "a program of an account beside": (2, factories.make_speaker(sibling)),
        "a Clerk": (2, factories.make_employee_speaker(house, role="Clerk")),
        "an employee who may only look": (
            1,
            factories.make_employee_speaker(house, role="View Only"),
        ),
        "a customer": (1, factories.make_customer_speaker(factories.make_customer(house))),
    }
    people = {
        name: {"weight": weight, "bearer": bearer(speaker, seconds), "basic": basic(speaker)}
        for name, (weight, speaker) in speakers.items()
    }
    connection.close()
    named = {camelize(name, uppercase_first_letter=False): each for name, each in things.items()}
    return {"people": people, "things": named}


def bearer(speaker: Speaker, seconds: float) -> str:
    """A header with a token that is good to the end."""
    scopes = factories.ALL_SCOPES if speaker.user else None
    token = factories.make_token(
        speaker.oauth_client, user=speaker.user, scopes=scopes, seconds=round(seconds)
    )
    return f"Bearer {token}"


def basic(speaker: Speaker) -> str:
    """A header with the speaker's key; a person has none."""
    key = f"{speaker.key.id}:{speaker.key.secret}" if speaker.key else "nobody:nothing"
    return "Basic " + base64.b64encode(key.encode()).decode()
