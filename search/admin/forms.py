"""The form of a new search: the filters of the API's queued search in an operator's words."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from config.api.actors import Actor
from config.api.errors import Invalid
from customers.criteria import Criteria, Match
from customers.models import BusinessAccount, Contact, Customer
from customers.words import country_names
from search.admin.id_file import COLUMN, read_ids
from search.bi.filters import WIRE, read_request
from search.bi.serializers import MAX_EXTERNAL_IDS, FileValues
from search.models import CustomerSearch

TYPES = {"INDIVIDUAL": "Individuals", "BUSINESS": "Businesses", "GROUP": "Groups"}
MATCHES: dict[str, str] = {
    Match.EXACT: "Exactly",
    Match.PREFIX: "Beginning with",
    Match.CONTAINS: "Containing",
    Match.FUZZY: "Spelled alike",
}
FORMATS = {
    "CSV": "CSV",
    "CSV_EXCEL": "CSV for Excel",
    "JSON": "JSON",
    "NDJSON": "JSON, one customer a line",
    "XLSX": "Excel workbook",
    "PARQUET": "Parquet",
}
INDIVIDUALS = "Individuals only."
# A member's name in a message; those of one word are words of the message, too.
MEMBER = re.compile(r"\b[a-z]+[A-Z]\w*")
ONE_ID = re.compile(r"externalIds\[(\d+)\]")
# Of the wrong ids in a file: all of thousands may be.
MOST_TOLD = 3


def words_of(choices: Iterable[str], words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Choices for a select box; one that has no words yet is offered as it is."""
    return [(str(choice), words.get(choice, str(choice))) for choice in choices]


def text(label: str, help_text: str = "", **attrs: str) -> forms.CharField:
    """A filter that is typed in; it is checked where the API checks it."""
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"} | attrs)
    return forms.CharField(
        label=label, required=False, help_text=help_text, widget=widget, strip=False
    )


def choice(
    label: str, choices: Iterable[tuple[str, str]], *, required: bool = False
) -> forms.ChoiceField:
    """A filter that is chosen from a few words."""
    empty = [] if required else [("", "Any")]
    return forms.ChoiceField(
        label=label,
        choices=[*empty, *choices],
        required=required,
        widget=UnfoldAdminSelectWidget,
    )


class SearchForm(forms.Form):
    """A field for each filter, by the names of `Criteria`; the rules are those of the API.

    `accounts` are the business accounts that the operator may choose from; `offered` is what the
    form begins with for one who has to choose.
    """

    customer_account_type = choice(
        "Customer type", words_of(Customer.Type.values, TYPES), required=True
    )
    customer_account_status = forms.MultipleChoiceField(
        label="Status",
        choices=Customer.Status.choices,
        required=False,
        initial=["ACTIVE", "SUSPENDED"],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    business_account = forms.ModelChoiceField(
        BusinessAccount.objects.none(),
        label="Business account",
        required=False,
        widget=AutocompleteSelect(
            CustomerSearch._meta.get_field("business_account"),
            admin.site,
            attrs={"class": "unfold-admin-autocomplete"},
        ),
    )
    external_ids = forms.FileField(
        label="File of external ids",
        required=False,
        allow_empty_file=True,
        help_text=f"Only these customers are found: one id a line, or a CSV with a column {COLUMN}."
        f" Up to {MAX_EXTERNAL_IDS:,} ids.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    match = choice("Names and places compare", words_of(Match, MATCHES), required=True)
    first_name = text("First name")
    middle_name = text("Middle name")
    last_name = text("Last name")
    business_name = text("Business name", "Businesses and groups only.")
    prefix = text("Prefix", INDIVIDUALS)  # type: ignore[assignment] # a field, not the form's own
    suffix = text("Suffix", INDIVIDUALS)
    gender = text("Gender", INDIVIDUALS)
    sex = choice("Sex", Contact.Sex.choices)
    email = text("Email", "The whole address, of any contact.", inputmode="email")
    phone_number = text("Phone", "The whole number, of any contact.", inputmode="tel")
    address_line_1 = text("Street")
    address_line_2 = text("Address line 2")
    address_line_3 = text("Address line 3")
    city = text("City")
    state = text("State", "Its code, such as CA.")
    postal_code = text("Postal code")
    country = choice("Country", country_names().items())
    from_created_at = text("Created from", type="date")
    to_created_at = text("Created to", "Both days are included.", type="date")
    result_format = choice("Format", words_of(CustomerSearch.Format.values, FORMATS), required=True)

    GROUPS = (
        (
            "Which customers",
            *("customer_account_type", "customer_account_status", "business_account"),
            "external_ids",
        ),
        ("Name", "match", "first_name", "middle_name", "last_name", "business_name"),
        ("Email and phone", "email", "phone_number"),
        (
            "Address",
            *("address_line_1", "address_line_2", "address_line_3", "city", "state"),
            *("postal_code", "country"),
        ),
        ("Person", "prefix", "suffix", "gender", "sex"),
        ("When they were added", "from_created_at", "to_created_at"),
        ("File", "result_format"),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: "MultiValueDict[str, UploadedFile[bytes]] | None" = None,
        *,
        accounts: "QuerySet[BusinessAccount]",
        own: BusinessAccount | None,
        offered: BusinessAccount | None = None,
    ) -> None:
        initial = {"business_account": own or offered}
        super().__init__(data, files, initial=initial, use_required_attribute=False)
        field = self.fields["business_account"]
        field.queryset = accounts  # type: ignore[attr-defined] # of a ModelChoiceField
        field.required = own is None
        field.help_text = "With all accounts below it."
        field.error_messages["required"] = "Choose whose customers are searched."
        self.fields["country"].error_messages["invalid_choice"] = "There is no such country."
        self.own = own
        # Of a file that was read when another field was wrong: browsers forget which it was.
        self.kept_ids = json_list(self.data.get("kept_ids", ""))

    def clean_external_ids(self) -> list[str]:
        """The ids of the file that was chosen, else those of one that was chosen before."""
        file: UploadedFile[bytes] | None = self.cleaned_data["external_ids"]
        if file is not None:
            self.kept_ids = []
            self.kept_ids = read_ids(file.read())
        if count := len(self.kept_ids):
            self["external_ids"].help_text = (
                f"{count:,} {'id' if count == 1 else 'ids'} of the file that you chose are kept."
                " Another file replaces them."
            )
        return self.kept_ids

    @property
    def kept(self) -> str:
        """The ids as the page sends them again."""
        return json.dumps(self.kept_ids) if self.kept_ids else ""

    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The fields in the order of the page, under their headings."""
        for title, *names in self.GROUPS:
            yield title, [self[name] for name in names]

    @property
    def account(self) -> BusinessAccount | None:
        """The business account that is searched, with those below it; None: none was chosen."""
        chosen: BusinessAccount | None = self.cleaned_data.get("business_account")
        return chosen or self.own

    def read(self, actor: Actor) -> tuple[Criteria, FileValues] | None:
        """Criteria and file as the API understands them; None when a field says what is wrong."""
        body = {
            WIRE[name]: value for name, value in self.cleaned_data.items() if name in WIRE and value
        }
        if "fromCreatedAt" in body or "toCreatedAt" in body:
            body["timeZone"] = timezone.get_current_timezone_name()
        try:
            understood = read_request(body, actor)
        except Invalid as refusal:
            sources = {wire: name for name, wire in WIRE.items()}
            wrong_ids = 0
            for problem in refusal.problems:
                if found := ONE_ID.fullmatch(problem.path):
                    wrong_ids += 1
                    if wrong_ids <= MOST_TOLD:
                        wrong = self.kept_ids[int(found[1])]
                        self.add_error("external_ids", f"“{wrong[:40]}”: {problem.message}")
                    continue
                name = sources.get(problem.path)
                known = name if name in self.fields else None
                self.add_error(known, self.in_words(str(problem.message)))
            return None
        return None if self.errors else understood

    def in_words(self, message: str) -> str:
        """A message of the API, in which other members are called as their fields are."""
        labels = {
            wire: self.fields[name].label for name, wire in WIRE.items() if name in self.fields
        }
        return MEMBER.sub(
            lambda found: f"“{labels[found[0]]}”" if found[0] in labels else found[0], message
        )


def json_list(text: str) -> list[str]:
    """A list of strings; nothing where somebody made up something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    is_list = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return found if is_list else []
