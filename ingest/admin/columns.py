"""The mapping step of an upload: which column of the file is which of ours."""

from collections.abc import Mapping

from django.http import QueryDict

from config.api.errors import Invalid
from config.api.text import trimmed
from customers import words
from customers.models import AttributeDefinition
from ingest.drafts import services
from ingest.drafts.preview import DATE, Preview, cells_at
from ingest.models import BulkDraft
from ingest.sheets import dates
from ingest.sheets.columns import ATTRIBUTE, METADATA, NAMES, Column, Sheet

LABELS = {
    "externalId": "External id",
    "type": "Type",
    "firstName": "First name",
    "middleName": "Middle name",
    "lastName": "Last name",
    "businessName": "Business name",
    "email": "Email",
    "phone": "Phone",
    "phoneType": "Type of phone",
    "dateOfBirth": "Date of birth",
    "addressType": "Type of address",
    "streetLine1": "Street",
    "streetLine2": "Street, second line",
    "cityName": "City",
    "stateCode": "State",
    "countryCode": "Country",
    "zipCode": "Postal code",
    "department": "Department",
}
MEANINGS = {
    "externalId": "Your own id. A known one updates that customer, otherwise a new one is made.",
    "type": "INDIVIDUAL, BUSINESS or GROUP; without it, a business is one with a business name.",
    "firstName": "Of the person, or of a business's primary contact.",
    "middleName": "Likewise.",
    "lastName": "Likewise.",
    "businessName": "Of a business or group.",
    "email": "The primary e-mail address.",
    "phone": "The primary phone number, with or without the country's code.",
    "phoneType": "MOBILE, HOME or WORK.",
    "dateOfBirth": "Such as 1980-12-31; other ways of writing it are recognised here.",
    "addressType": "MAILING, PHYSICAL or SHIPPING; MAILING unless it is given.",
    "streetLine1": "Street and number.",
    "streetLine2": "What else belongs to the street.",
    "cityName": "The city.",
    "stateCode": "Such as CA; required in the United States and Canada.",
    "countryCode": "Such as USA or US.",
    "zipCode": "The postal code.",
    "department": "The name of one of your departments.",
}
METADATA_KEY = 40
SAMPLES = 3


def shown_as(place: str, sheet: Sheet | None) -> str:
    """Where something is wrong, in words; a column of a table as the file heads it."""
    if sheet is None:
        return words.place(place) if place else ""
    if any(column.header == place for column in sheet.columns):
        return place
    return LABELS.get(place, place)


def documented() -> list[tuple[str, str]]:
    """Each column and what it is, for those who make a file."""
    return [
        *MEANINGS.items(),
        (f"{METADATA}KEY", "Any five facts of your own, each under a key."),
        (f"{ATTRIBUTE}NAME", "A custom attribute of the business account."),
    ]


class Choices:
    """What the columns of an uploaded file may be, and are; `problems` are sentences."""

    def __init__(self, draft: BulkDraft) -> None:
        self.draft = draft
        self.sheet = None if draft.sheet is None else Sheet.of(draft.sheet)
        self.columns = list(self.sheet.columns) if self.sheet is not None else []
        self.problems: list[str] = []
        own = AttributeDefinition.objects.filter(
            business_account=draft.business_account_id,
            target=AttributeDefinition.Target.CUSTOMER,
        )
        self.attributes = list(own.values_list("name", flat=True)) if self.columns else []

    def groups(self, column: Column) -> list[tuple[str, list[tuple[str, str]]]]:
        """The choices for a column, in groups."""
        groups = [("Customer", [(name, LABELS[name]) for name in NAMES])]
        attributes = dict.fromkeys(self.attributes)
        if column.name.startswith(ATTRIBUTE):
            attributes[column.name.removeprefix(ATTRIBUTE)] = None
        if attributes:
            groups.append(("Custom attributes", [(ATTRIBUTE + name, name) for name in attributes]))
        keys = {METADATA + trimmed(column.header)[:METADATA_KEY]} - {METADATA}
        if column.name.startswith(METADATA):
            keys.add(column.name)
        if keys:
            named = [(key, key.removeprefix(METADATA)) for key in sorted(keys)]
            groups.append(("Metadata", named))
        return groups

    def take(self, form: QueryDict) -> bool:
        """Take what a form says of the columns; whether it makes sense."""
        if self.sheet is None:
            return True
        self.columns = [
            self.chosen(place, column, form) for place, column in enumerate(self.columns)
        ]
        try:
            services.set_columns(draft=self.draft, columns=self.columns)
        except Invalid as refusal:
            self.problems = [
                f"{LABELS.get(each.path, each.path)}: {each.message}" if each.path else each.message
                for each in refusal.problems
            ]
        return not self.problems

    def chosen(self, place: int, column: Column, form: Mapping[str, str]) -> Column:
        """A column as a form has it; what is none of the choices leaves it as it was."""
        name = form.get(f"column-{place}", column.name)
        known = {value for _, group in self.groups(column) for value, _ in group}
        order = form.get(f"order-{place}", column.order)
        if name not in known | {""}:
            name = column.name
        return Column(column.header, name, order if order in dates.ORDERS else column.order)

    def rows(self, found: Preview) -> list[dict[str, object]]:
        """The columns as the page shows them."""
        cells = [row.cells for row in found.rows]
        shown = []
        for place, column in enumerate(self.columns):
            samples = [cell for cell in cells_at(cells, place) if cell]
            shown.append(
                {
                    "place": place,
                    "column": column,
                    "samples": list(dict.fromkeys(samples))[:SAMPLES],
                    "groups": self.groups(column),
                    "is_date": column.name == DATE,
                    "order": column.order or dates.recognised(samples),
                }
            )
        return shown

    def doubtful(self, found: Preview) -> list[str]:
        """The headers of dates whose day and month could be taken for each other."""
        cells = [row.cells for row in found.rows]
        return [
            column.header
            for place, column in enumerate(self.columns)
            if column.name == DATE and dates.is_ambiguous(cells_at(cells, place))
        ]
