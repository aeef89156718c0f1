"""Columns that only the tables of loads have."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from config.db.statements import Slot, array


class NumbersField(ArrayField):  # type: ignore[type-arg] # not generic at run time
    """An array of numbers, as text on its way in: one by one they take ten times as long."""

    def get_db_prep_value(
        self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> object:
        """The array as PostgreSQL reads it."""
        if isinstance(value, list):
            return array(value)
        return super().get_db_prep_value(value, connection, prepared)


@NumbersField.register_lookup
class Overlap(models.Lookup):
    """`overlap`, with the array as one parameter: Django writes, and reads, one for each number."""

    lookup_name = "overlap"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        """Whether any number is in both arrays."""
        column, parameters = self.process_lhs(compiler, connection)
        numbers = self.rhs.place if isinstance(self.rhs, Slot) else array(self.rhs)
        return f"{column} && %s::bigint[]", (*parameters, numbers)
