"""`convert_attribute NAME --business-account ID (--encrypted | --clear) [--target T] [--wait]`

→ `{"id", "status", "converted", "masked", "unreadable"}`
"""

from threading import Event
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from customers.actors import internal_actor
from customers.management.output import JSONCommand, account_named
from customers.models import AttributeConversion, AttributeDefinition
from customers.services.attributes import convert_attribute

LOOK_SECONDS = 0.5


class Command(JSONCommand):
    """Queues the job that encrypts or decrypts the values of a custom attribute."""

    help = (
        "Encrypt all values of a custom attribute, or decrypt them. A worker does it; meanwhile "
        "all values leave masked, and can be read and changed as ever. Old versions of rows and "
        "backups keep what was in clear until they are overwritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--business-account", type=UUID, metavar="ID", required=True)
        form = parser.add_mutually_exclusive_group(required=True)
        form.add_argument("--encrypted", action="store_true", help="seal the values")
        form.add_argument("--clear", action="store_true", help="store the values in clear")
        parser.add_argument(
            "--target",
            choices=AttributeDefinition.Target.values,
            default=AttributeDefinition.Target.CUSTOMER,
            help="what the attribute is of (default: customer)",
        )
        parser.add_argument("--wait", action="store_true", help="end when the job has ended")

    def run(
        self,
        *,
        business_account: UUID,
        name: str,
        target: str,
        encrypted: bool,
        wait: bool,
        **_options: object,
    ) -> dict[str, object]:
        """Queue it, and with `--wait` see it end; `CommandError` when it fails."""
        account = account_named(business_account)
        definition = AttributeDefinition.objects.filter(
            business_account=account, target=target, name=name
        ).first()
        if definition is None:
            raise CommandError(f"{account} has no attribute {name}.")
        conversion = convert_attribute(
            actor=internal_actor(account), definition=definition, to_encrypted=encrypted
        )
        pause = Event()
        while wait and conversion.status in AttributeConversion.OPEN:
            pause.wait(LOOK_SECONDS)
            conversion.refresh_from_db()
        if conversion.status in {conversion.Status.FAILED, conversion.Status.ABORTED}:
            raise CommandError(conversion.error_message)
        return {
            "id": conversion.pk,
            "status": conversion.status,
            "converted": conversion.converted,
            "masked": conversion.masked,
            "unreadable": conversion.unreadable,
        }
