"""Makes up customers that look like real ones, as rows for COPY.

The same seed gives the same people, whatever the number of processes. Ids and external ids are new
each time, so that the same seed can be loaded twice, and moments count back from `Plan.now`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple, TypeVar
from uuid import UUID

from config.db.crypto import associated_data, blind_index, seal
from customers import normalize, phones, samples
from customers.bulk import text_array
from customers.cultures import NO_NAME, Culture, cultures, metadata_patterns
from customers.models import Address, AttributeValue, Contact, ContactPoint, Customer
from customers.models.customer import NAME_KEY_LENGTH, SORT_LENGTH
from customers.rules.person import last_characters
from customers.tables import NULL, Table, escaped

BATCH = 2_000
YEARS = 6
FIRST_BIRTH = date(1935, 1, 1)
DAYS_OF_BIRTH = 25_500


class Attribute(NamedTuple):
    """A custom attribute that customers, or contacts, of an account may have."""

    id: UUID
    is_of_contacts: bool
    is_encrypted: bool


@dataclass(frozen=True)
class Plan:
    """What to make: `count` customers of `accounts`, the share `businesses` of them businesses.

    `departments` and `attributes` are those that the accounts have, by account.
    """

    seed: int
    count: int
    accounts: tuple[UUID, ...]
    now: datetime
    businesses: float = 0.1
    departments: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)
    attributes: Mapping[UUID, Sequence[Attribute]] = field(default_factory=dict)

    def batches(self) -> range:
        """The numbers of the batches of at most `BATCH` customers."""
        return range(-(-self.count // BATCH))


CUSTOMER = Table(
    Customer,
    "id business_account_id type external_id business_name business_name_folded name name_folded"
    " name_key sort_first_name sort_last_name is_named search_text metadata department_id role"
    " pin_sealed industry market_segment level how_referred created_at updated_at address_keys",
)
CONTACT = Table(
    Contact,
    "customer_id id is_primary first_name first_name_folded middle_name middle_name_folded"
    " last_name last_name_folded prefix suffix sex date_of_birth birth_city birth_country"
    " citizenship_country social_id_sealed social_id_digest social_id_last4 social_id_country"
    " created_at updated_at",
)
POINT = Table(
    ContactPoint,
    "customer_id contact_id id kind value value_key phone_type provider extension is_primary"
    " is_verified created_at updated_at",
)
ADDRESS = Table(
    Address,
    "customer_id id type first_name last_name street_line_1 street_line_1_folded street_line_2"
    " street_line_2_folded city city_folded state country zip_code is_primary created_at"
    " updated_at",
)
VALUE = Table(
    AttributeValue,
    "customer_id contact_id id definition_id value value_sealed created_at updated_at",
)
TABLES = (CUSTOMER, CONTACT, POINT, ADDRESS, VALUE)


class StatusChange(NamedTuple):
    """A status that a customer got after it was created."""

    id: str
    status: str
    at: str


@dataclass
class Batch:
    """Rows for COPY by table, in the order of `TABLES`, and what happens to them afterwards."""

    customers: int = 0
    rows: dict[Table, list[str]] = field(default_factory=lambda: {table: [] for table in TABLES})
    changes: list[StatusChange] = field(default_factory=list)


T = TypeVar("T")


class Maker:
    """Makes the customers of one batch."""

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.number = number
        self.random = Random(f"{plan.seed}:{number}")  # noqa: S311 -- reproducible on purpose
        self.chance = self.random.random
        self.batch = Batch()
        self.accounts = [(account, account.hex) for account in plan.accounts]
        # Version 7 ids one after the other: quicker than as many times the clock.
        self.ids = map("{:032x}".format, count(normalize.uuid7().int))

    def make(self) -> Batch:
        """The whole batch."""
        first = self.number * BATCH
        chosen, weights = cultures()
        size = min(BATCH, self.plan.count - first)
        for index, culture in enumerate(
            self.random.choices(chosen, cum_weights=weights, k=size), first
        ):
            self.make_customer(index, culture)
        self.batch.customers = size
        return self.batch

    def pick(self, values: Sequence[T]) -> T:
        return values[int(self.chance() * len(values))]

    def pick_common(self, values: Sequence[T]) -> T:
        """One of the values, the first ones more often: some names are common, most are not."""
        return values[int(self.chance() * self.chance() * len(values))]

    def maybe(self, share: float, values: Sequence[str]) -> str:
        return self.pick(values) if self.chance() < share else ""

    def make_customer(self, index: int, culture: Culture) -> None:
        """One customer with its contacts, contact points and addresses."""
        account, account_hex = self.pick(self.accounts)
        is_business = self.chance() < self.plan.businesses
        customer_id, external_id = next(self.ids), ""
        if self.chance() < 0.1:
            external_id = f"CRM-{index}-{customer_id[-8:].upper()}"
            customer_id = normalize.customer_id(account, external_id).hex
        created = self.moment_of_creation(index)
        at = stamp(created)
        person = Person(self, customer_id, culture, at)
        if is_business:
            kind, name = "BUSINESS", self.company(culture)
            folded = normalize.fold(name)
            business = f"{name}\t{folded}"
            people = [
                person.make(is_primary=number == 0, is_individual=False)
                for number in range(1 + int(self.chance() * 4))
            ]
        else:
            kind, business = "INDIVIDUAL", "\t"
            people = [person.make(is_primary=True, is_individual=True)]
            name, folded = people[0]
        search = normalize.search_text(
            [name, external_id, *(each[0] for each in people), *person.keys]
        )
        customer = (
            f"{customer_id}\t{account_hex}\t{kind}\t{external_id}\t{business}"
            f"\t{name}\t{folded}\t{folded[:NAME_KEY_LENGTH]}\t{person.sort_keys}\t{search}"
            f"\t{self.metadata()}"
            f"\t{self.department(account)}\t{self.maybe(0.2, samples.ROLES)}"
            f"\t{self.pin(customer_id)}"
            f"\t{self.pick(samples.INDUSTRIES) if is_business else ''}"
            f"\t{self.maybe(0.3, samples.SEGMENTS)}\t{self.maybe(0.15, samples.LEVELS)}"
            f"\t{self.maybe(0.2, samples.REFERRALS)}\t{at}\t{at}"
        )
        keys = text_array(self.make_addresses(customer_id, culture, person, at))
        self.batch.rows[CUSTOMER].append(f"{customer}\t{escaped(keys)}{CUSTOMER.end}")
        self.make_values(account, customer_id, person)
        if self.chance() < 0.07:
            later = created + (self.plan.now - created) * self.chance()
            status = "SUSPENDED" if self.chance() < 0.6 else "DELETED"
            self.batch.changes.append(StatusChange(customer_id, status, stamp(later)))

    def department(self, account: UUID) -> str:
        """A department of the account, as COPY reads it; some customers have none."""
        departments = self.plan.departments.get(account, ())
        return self.pick(departments).hex if departments and self.chance() < 0.8 else NULL

    def make_values(self, account: UUID, customer: str, person: "Person") -> None:
        """Values of the account's custom attributes, for about half of who may have them."""
        for attribute in self.plan.attributes.get(account, ()):
            for contact in person.contacts if attribute.is_of_contacts else (NULL,):
                if self.chance() < 0.5:
                    continue
                value_id, value = next(self.ids), self.pick(samples.ATTRIBUTE_VALUES)
                sealed = NULL
                if attribute.is_encrypted:
                    bound_to = associated_data(AttributeValue, "value_sealed", UUID(value_id))
                    value, sealed = "", bytea(seal(value, bound_to))
                self.batch.rows[VALUE].append(
                    f"{customer}\t{contact}\t{value_id}\t{attribute.id.hex}\t{value}\t{sealed}"
                    f"\t{person.at}\t{person.at}{VALUE.end}"
                )

    def pin(self, customer: str) -> str:
        """A pin that few customers have, sealed, as COPY reads it."""
        if self.chance() > 0.02:
            return NULL
        digits = f"{int(self.chance() * 10_000):04}"
        return bytea(seal(digits, associated_data(Customer, "pin_sealed", UUID(customer))))

    def moment_of_creation(self, index: int) -> datetime:
        """Later for a higher index, and the denser, the nearer to now."""
        passed: float = ((index + self.chance()) / self.plan.count) ** 0.7
        return self.plan.now - timedelta(days=365 * YEARS * (1 - passed))

    def company(self, culture: Culture) -> str:
        """The name of a business, at most 40 characters."""
        owners = self.pick(culture.surnames).text
        if self.chance() < 0.3:
            owners += f" {self.pick(culture.surnames).text}"
        name: str = self.pick(culture.companies).format(owners)
        return name[:40].rstrip()

    def metadata(self) -> str:
        if self.chance() > 0.3:
            return "{}"
        pairs = self.random.sample(metadata_patterns(), k=1 + int(self.chance() * 3))
        return json.dumps({key: self.pick(texts).fill(self.chance) for key, texts in pairs})

    def make_addresses(
        self, customer: str, culture: Culture, person: "Person", at: str
    ) -> list[str]:
        """Two addresses; most customers live where they get their post. Gives their keys."""
        home = self.home(culture)
        second = "PHYSICAL" if self.chance() < 0.7 else "SHIPPING"
        other = self.home(culture) if self.chance() < 0.5 else home
        for kind, (where, _) in (("MAILING", home), (second, other)):
            first, last = person.receiver if kind == "SHIPPING" else ("", "")
            self.batch.rows[ADDRESS].append(
                f"{customer}\t{next(self.ids)}\t{kind}\t{first}\t{last}\t{where}"
                f"\tt\t{at}\t{at}{ADDRESS.end}"
            )
        return sorted({*home[1], *other[1]})

    def home(self, culture: Culture) -> tuple[str, list[str]]:
        """A place, as the columns of `ADDRESS` from `street_line_1` to `zip_code`, and its keys."""
        town, (line, folded) = self.pick_common(culture.towns), self.pick(culture.streets)
        number = 1 + int(self.chance() * 250)
        unit = f"Apt {1 + int(self.chance() * 40)}" if self.chance() < 0.15 else ""
        columns = (
            f"{line % number}\t{folded % number}\t{unit}\t{normalize.fold(unit)}"
            f"\t{town.name}\t{town.folded}\t{town.state}\t{culture.country}"
            f"\t{town.zip_code.fill(self.chance)}"
        )
        return columns, normalize.address_keys(town.folded, culture.country)


class Person:
    """Makes the contacts of one customer, and remembers what the customer is found by."""

    def __init__(self, maker: Maker, customer: str, culture: Culture, at: str) -> None:
        self.maker = maker
        self.customer = customer
        self.culture = culture
        self.at = at
        self.keys: list[str] = []
        self.contacts: list[str] = []
        self.receiver = ("", "")
        self.sort_keys = "\t\tf"

    def make(self, *, is_primary: bool, is_individual: bool) -> tuple[str, str]:
        """A contact with its points; its whole name as written and as compared."""
        maker, chance = self.maker, self.maker.chance
        contact = next(maker.ids)
        self.contacts.append(contact)
        sex = "FEMALE" if chance() < 0.51 else "MALE"
        given = self.culture.given[sex]
        first, last = maker.pick_common(given), maker.pick_common(self.culture.surnames)
        middle = maker.pick(given) if chance() < 0.3 else NO_NAME
        parts = [name for name in (first, middle, last) if name.text]
        if is_primary:
            self.receiver = first.text, last.text
            keys = first.folded[:SORT_LENGTH], last.folded[:SORT_LENGTH]
            self.sort_keys = f"{keys[0]}\t{keys[1]}\t{'t' if any(keys) else 'f'}"
        details = self.details(contact) if is_individual else NO_DETAILS
        maker.batch.rows[CONTACT].append(
            f"{self.customer}\t{contact}\t{'t' if is_primary else 'f'}"
            f"\t{first.text}\t{first.folded}\t{middle.text}\t{middle.folded}"
            f"\t{last.text}\t{last.folded}\t{maker.maybe(0.04, samples.PREFIXES)}"
            f"\t{maker.maybe(0.02, samples.SUFFIXES)}\t{sex if is_individual else ''}"
            f"\t{details}\t{self.at}\t{self.at}{CONTACT.end}"
        )
        self.points(contact, first.latin, last.latin)
        return " ".join(part.text for part in parts), " ".join(part.folded for part in parts)

    def details(self, contact: str) -> str:
        """Birth, citizenship and social id, as the columns of `CONTACT` from `date_of_birth` on."""
        maker, chance, country = self.maker, self.maker.chance, self.culture.country
        born = (
            (FIRST_BIRTH + timedelta(days=int(chance() * DAYS_OF_BIRTH))).isoformat()
            if chance() < 0.9
            else NULL
        )
        town = maker.pick_common(self.culture.towns).name if chance() < 0.4 else ""
        sealed = digest = NULL
        last4 = social_country = ""
        if chance() < 0.1:
            social_id = f"{int(chance() * 900_000_000) + 100_000_000}"
            sealed = bytea(
                seal(social_id, associated_data(Contact, "social_id_sealed", UUID(contact)))
            )
            digest = bytea(blind_index(social_id))
            last4, social_country = last_characters(social_id), country
        return (
            f"{born}\t{town}\t{country if town else ''}\t{country if chance() < 0.6 else ''}"
            f"\t{sealed}\t{digest}\t{last4}\t{social_country}"
        )

    def points(self, contact: str, first: str, last: str) -> None:
        """A phone number and an e-mail address, sometimes more, sometimes a social id."""
        maker, chance = self.maker, self.maker.chance
        kind = "MOBILE" if chance() < 0.7 else "HOME"
        self.phone(contact, kind, "", is_primary=True)
        self.email(contact, first, last, is_primary=True)
        if chance() < 0.12:
            extension = str(10 + int(chance() * 900)) if chance() < 0.5 else ""
            self.phone(contact, "WORK", extension, is_primary=False)
        if chance() < 0.08:
            self.email(contact, first, last, is_primary=False)
        if chance() < 0.12:
            kind = maker.pick(("FACEBOOK", "TWITTER", "INSTAGRAM", "YOUTUBE", "APPLE"))
            handle = f"{first}_{last}{int(chance() * 10_000)}"
            self.point(contact, kind, handle, handle, is_primary=False)

    def phone(self, contact: str, kind: str, extension: str, *, is_primary: bool) -> None:
        number = self.maker.pick(self.culture.phones).fill(self.maker.chance)
        details = f"{kind}\t{self.maker.maybe(0.3, samples.PROVIDERS)}\t{extension}"
        self.point(
            contact,
            "PHONE",
            number,
            phones.digits_of(number),
            is_primary=is_primary,
            details=details,
        )

    def email(self, contact: str, first: str, last: str, *, is_primary: bool) -> None:
        chance = self.maker.chance
        number = int(chance() * 10_000) if chance() < 0.8 else ""
        shape = self.maker.pick(EMAIL_SHAPES)
        local = shape.format(first=first, last=last, initial=first[:1])
        if chance() < 0.05:
            local = local.title()
        address = f"{local}{number}@{self.maker.pick_common(samples.MAIL_DOMAINS)}"
        self.point(contact, "EMAIL", address, normalize.email_key(address), is_primary=is_primary)

    def point(
        self,
        contact: str,
        kind: str,
        value: str,
        key: str,
        *,
        is_primary: bool,
        details: str = "\t\t",
    ) -> None:
        self.keys.append(key)
        verified = is_primary and self.maker.chance() < 0.6
        self.maker.batch.rows[POINT].append(
            f"{self.customer}\t{contact}\t{next(self.maker.ids)}\t{kind}\t{value}\t{key}"
            f"\t{details}\t{'t' if is_primary else 'f'}\t{'t' if verified else 'f'}"
            f"\t{self.at}\t{self.at}{POINT.end}"
        )


NO_DETAILS = f"{NULL}\t\t\t\t{NULL}\t{NULL}\t\t"
EMAIL_SHAPES = (
    "{first}.{last}",
    "{initial}{last}",
    "{first}_{last}",
    "{last}.{first}",
    "{first}{last}",
)


def stamp(moment: datetime) -> str:
    """A moment as COPY reads it, in milliseconds."""
    return moment.isoformat(" ", "milliseconds")


def bytea(value: bytes) -> str:
    """Bytes as COPY reads them."""
    return "\\\\x" + value.hex()


def make_batch(plan: Plan, number: int) -> Batch:
    """Batch `number` of a plan: always the same people."""
    return Maker(plan, number).make()
