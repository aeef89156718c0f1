"""`distribute [--plan | --check]`: a distributed database out of a migrated one."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from customers.distribution.catalog import Catalog, NotDistributable, read
from customers.distribution.check import problems
from customers.distribution.plan import SESSION, SHARDS, left_out, plan, script


class Command(BaseCommand):
    """Distributes the tables of customers over the nodes of an engine such as Citus."""

    help = (
        "Distribute the tables of customers over the nodes of a Citus cluster, whose coordinator "
        "DATABASE_URL names. Nothing else may use the database meanwhile. It may be stopped at any "
        "time and run again, and is to be run after each migration. Then set KITH_DISTRIBUTED=1."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--plan", action="store_true", help="print the SQL, and do nothing")
        action.add_argument("--check", action="store_true", help="look at each node and shard")
        shards = f"of the customers, while they are not distributed yet ({SHARDS})"
        parser.add_argument("--shards", type=int, default=SHARDS, metavar="N", help=shards)

    def handle(self, *_args: object, shards: int, **options: object) -> None:
        """Do it, and say what is done."""
        try:
            found = read()
        except NotDistributable as error:
            raise CommandError(str(error)) from error
        if options["plan"]:
            self.stdout.write("\n".join(script(found, plan(found, shards=shards))))
        elif options["check"]:
            self.check_all(found)
        else:
            self.distribute(found, shards)

    def check_all(self, found: Catalog) -> None:
        """Say what is wrong. Raises `CommandError` with all of it."""
        if wrong := list(problems(found)):
            raise CommandError("\n".join(wrong))
        self.stdout.write("every node and every shard is as it should be")

    def distribute(self, found: Catalog, shards: int) -> None:
        """Take all steps that are left."""
        with connection.cursor() as cursor:
            for statement in SESSION:
                cursor.execute(statement)
            for step in plan(found, shards=shards):
                self.stdout.write(step.title)
                with transaction.atomic():
                    for statement in step.statements:
                        cursor.execute(statement)
        for key in left_out(read()):
            self.stdout.write(f"left out: foreign key {key.name} of {key.table} to {key.refers_to}")
