"""Custom attributes: from encrypted to clear and back."""

from dataclasses import replace

from django.db import transaction

from config.api.actors import Actor
from config.api.errors import Conflict
from config.db.locks import held
from customers.models import AttributeConversion, AttributeDefinition


def convert_attribute(
    *, actor: Actor, definition: AttributeDefinition, to_encrypted: bool
) -> AttributeConversion:
    """Queue the job that encrypts all values of an attribute, or decrypts them.

    One that has failed or was cancelled may be asked for again, in either direction, and goes on
    from there. Raises `Conflict` when there is nothing to do, or one has not ended.
    """
    with transaction.atomic():
        definition = held(AttributeDefinition.objects.all(), definition.pk, no_key=True).get()
        if definition.is_encrypted == to_encrypted and not definition.conversion:
            form = "encrypted" if to_encrypted else "in clear"
            raise Conflict(
                f"The values of {definition.name} are {form} already.", code="NOTHING_TO_CONVERT"
            )
        conversion = AttributeConversion(definition=definition, to_encrypted=to_encrypted)
        if not conversion.submit(
            replace(actor, business_account_id=definition.business_account_id)
        ):
            raise Conflict(
                f"The values of {definition.name} are being converted; wait for it to end.",
                code="CONVERSION_RUNNING",
            )
    return conversion
