"""What the variables of paths may be."""

from uuid import UUID

from django.urls import register_converter
from django.urls.converters import UUIDConverter


class AnyCaseUUID(UUIDConverter):
    """A UUID in either case, as clients write them: ``<id:…>``."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)


register_converter(AnyCaseUUID, "id")
