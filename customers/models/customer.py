"""The customer, its contacts, and the ways to reach them.

Rows that hang on a customer have the primary key (customer, id), so that the schema can be
distributed by customer id; joins between them go by it.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Concat, Left

from config.db.crypto import SealedField
from customers.models.business import BusinessAccount, Department
from customers.models.people import User
from customers.normalize import uuid7
from customers.querysets import CustomerQuerySet

# Of a folded name; four bytes a character are far below what an index takes.
SORT_LENGTH = 120
# The same of a whole name, of which every part is searched for: longer than nearly all are.
NAME_KEY_LENGTH = 600


def text(max_length: int) -> "models.CharField[str, str]":
    """An optional text: not given is ``""``, never NULL."""
    return models.CharField(max_length=max_length, blank=True, default="")


def folded(max_length: int) -> "models.CharField[str, str]":
    """What `normalize.fold` makes of a column; one character becomes up to 18."""
    return models.CharField(max_length=max_length * 18, blank=True, default="", editable=False)


class Digits(models.Func):
    """The digits of a text."""

    function = "REGEXP_REPLACE"
    template = r"%(function)s(%(expressions)s, '\D', '', 'g')"
    output_field: "models.Field[object, object]" = models.CharField()


class CustomerOwned(models.Model):
    """A row of a customer, keyed by the customer first."""

    pk = models.CompositePrimaryKey("customer_id", "id")
    id = models.UUIDField(default=uuid7, editable=False)

    class Meta:
        abstract = True


class Customer(models.Model):
    """An individual, business or group known to a business account.

    `id` is version 5 of (business account, external id) when the caller gave one at creation, so
    that the primary key keeps external ids unique (`normalize.customer_id`); version 7 otherwise.
    Who a customer is stands in its contacts: an individual's one contact is the person itself, and
    is missing as long as nobody said anything of it.
    """

    class Type(models.TextChoices):
        INDIVIDUAL = "INDIVIDUAL"
        BUSINESS = "BUSINESS"
        GROUP = "GROUP"

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE"
        SUSPENDED = "SUSPENDED"
        DELETED = "DELETED"

    class Role(models.TextChoices):
        PARTNER = "Partner"
        RESELLER = "Reseller"
        CUSTOMER = "Customer"

    class Referral(models.TextChoices):
        WEBSITE = "Website"
        CUSTOMER = "Customer"
        PARTNER = "Partner"
        EMPLOYEE = "Employee"
        RESELLER = "Reseller"

    class ActorType(models.TextChoices):
        EMPLOYEE = "employee"
        SERVICE_ACCOUNT = "service-account"
        CUSTOMER = "customer"
        INTERNAL = "internal"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    business_account = models.ForeignKey(
        BusinessAccount, models.PROTECT, related_name="customers", db_index=False
    )
    department = models.ForeignKey(
        Department, models.SET_NULL, related_name="customers", null=True, blank=True, db_index=False
    )
    type = models.CharField(max_length=10, choices=Type.choices)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    external_id = text(120)
    business_name = text(40)
    business_name_folded = folded(40)
    # The name to show and to sort by: of the business, or of the one contact of an individual.
    name = text(124)
    name_folded = folded(124)
    # The same as an index holds it, to sort by and to look into.
    name_key = models.CharField(max_length=NAME_KEY_LENGTH, blank=True, default="", editable=False)
    # The primary contact's names as a list sorts by them: folded, and cut at `SORT_LENGTH`.
    sort_first_name = models.CharField(
        max_length=SORT_LENGTH, blank=True, default="", editable=False
    )
    sort_last_name = models.CharField(
        max_length=SORT_LENGTH, blank=True, default="", editable=False
    )
    is_named = models.BooleanField(
        default=False, editable=False, help_text="Whether one of the two is there."
    )
    # Everything that a search box finds a customer by, folded (`normalize.search_text`).
    search_text = models.TextField(blank=True, default="", editable=False)
    # The cities and countries of all addresses (`normalize.address_keys`), sorted, each once.
    address_keys = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    role = models.CharField(max_length=40, choices=Role.choices, blank=True, default="")
    pin_sealed = SealedField(null=True, blank=True)
    industry = text(120)
    market_segment = text(50)
    entitlements = text(1024)
    level = text(120)
    how_referred = models.CharField(max_length=40, choices=Referral.choices, blank=True, default="")
    preferred_agent = models.ForeignKey(
        User, models.SET_NULL, related_name="+", null=True, blank=True, db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by_type = models.CharField(
        max_length=15, choices=ActorType.choices, default=ActorType.INTERNAL, editable=False
    )
    created_by_id = models.CharField(max_length=36, blank=True, default="", editable=False)
    updated_at = models.DateTimeField(editable=False)
    updated_by_type = models.CharField(
        max_length=15, choices=ActorType.choices, default=ActorType.INTERNAL, editable=False
    )
    updated_by_id = models.CharField(max_length=36, blank=True, default="", editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("reveal_sensitive", "Can see social ids and security answers"),
            ("suspend_customer", "Can suspend and activate customers"),
            ("view_agent_console", "View Agent Console"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=["INDIVIDUAL", "BUSINESS", "GROUP"]),
                name="customer_type_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "SUSPENDED", "DELETED"]),
                name="customer_status_known",
            ),
            # Whoever writes one writes the other. PostgreSQL could make it by itself, but a column
            # of that kind is added by writing the whole table anew, while everybody waits.
            models.CheckConstraint(
                condition=Q(name_key=Left("name_folded", NAME_KEY_LENGTH)),
                name="customer_name_key_of_name",
            ),
        ]
        indexes = [
            # The list of a tenant, newest first, whichever way it is walked.
            models.Index(
                F("business_account"), F("created_at").desc(), F("id").desc(), name="customer_list"
            ),
            # The same of a whole tree of tenants, without sorting all that they have.
            models.Index(F("created_at").desc(), F("id").desc(), name="customer_newest"),
            models.Index(
                F("department"),
                F("created_at").desc(),
                F("id").desc(),
                name="customer_department",
                condition=Q(department__isnull=False),
            ),
            # Lists in other orders (`customers.sorting`), in either direction; as few and as small
            # as they can be, for each one costs every load.
            models.Index(
                fields=["business_account", "type", "status", "is_named", "id"],
                name="customer_sort_ids",
            ),
            models.Index(
                fields=["business_account", "updated_at", "id"], name="customer_sort_updated"
            ),
            models.Index(
                fields=["business_account", "sort_first_name", "id"],
                name="customer_sort_first",
                condition=Q(is_named=True),
            ),
            models.Index(
                fields=["business_account", "sort_last_name", "id"],
                name="customer_sort_last",
                condition=Q(is_named=True),
            ),
            models.Index(
                fields=["business_account", "business_name_folded", "id"],
                name="customer_sort_business",
                condition=~Q(business_name_folded="") | ~Q(type="INDIVIDUAL"),
            ),
            # Also to look into all names, for parts of them that have no trigrams.
            models.Index(
                fields=["business_account", "name_key", "id"],
                name="customer_sort_name",
                condition=~Q(status="DELETED"),
            ),
            # Deleted ones by themselves, however few or old they are; no load pays for these.
            models.Index(
                F("created_at").desc(),
                F("id").desc(),
                F("business_account"),
                name="customer_deleted_newest",
                condition=Q(status="DELETED"),
            ),
            models.Index(
                F("updated_at").desc(),
                F("id").desc(),
                F("business_account"),
                name="customer_deleted_changed",
                condition=Q(status="DELETED"),
            ),
            # One index for both: a row is put into it once, whatever it is found by.
            GinIndex(
                OpClass(F("search_text"), "gin_trgm_ops"),
                F("address_keys"),
                name="customer_search_trigrams",
            ),
            GinIndex(
                OpClass(F("business_name_folded"), "gin_trgm_ops"),
                name="customer_business_trigrams",
                condition=~Q(business_name_folded=""),
            ),
            models.Index(
                fields=["business_name_folded"],
                name="customer_business_name",
                condition=~Q(business_name_folded=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)


class Contact(CustomerOwned):
    """A person of a customer. An individual has at most one, itself; others one or more."""

    class Sex(models.TextChoices):
        MALE = "MALE"
        FEMALE = "FEMALE"
        NONBINARY = "NONBINARY"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts", db_index=False)
    is_primary = models.BooleanField(default=False)
    prefix = text(40)
    first_name = text(40)
    middle_name = text(40)
    last_name = text(40)
    suffix = text(40)
    first_name_folded = folded(40)
    middle_name_folded = folded(40)
    last_name_folded = folded(40)
    sex = models.CharField(max_length=9, choices=Sex.choices, blank=True, default="")
    gender = text(255)
    pronoun = text(255)
    security_question = text(255)
    security_answer_sealed = SealedField(null=True, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    birth_city = text(60)
    birth_country = text(3)
    social_id_sealed = SealedField(null=True, blank=True)
    social_id_digest = models.BinaryField(null=True, blank=True)
    social_id_last4 = text(4)
    social_id_country = text(3)
    citizenship_country = text(3)
    login_id = text(255)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_primary=True),
                name="contact_one_primary_per_customer",
                violation_error_message="A customer has exactly one primary contact.",
            )
        ]
        indexes = [
            # Also for whole names: those called John Smith are found in 7 ms, among 1,000,000.
            GinIndex(
                OpClass(F("first_name_folded"), "gin_trgm_ops"),
                OpClass(F("middle_name_folded"), "gin_trgm_ops"),
                OpClass(F("last_name_folded"), "gin_trgm_ops"),
                name="contact_name_trigrams",
            ),
            models.Index(
                fields=["social_id_digest"],
                name="contact_social_id",
                condition=Q(social_id_digest__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.first_name, self.middle_name, self.last_name]))


class ContactPoint(CustomerOwned):
    """One way to reach a contact.

    `value` is what is shown (a phone number in E.164), `value_key` what is compared: the digits of
    a phone number, an e-mail address without case, a social id as it stands.
    """

    class Kind(models.TextChoices):
        PHONE = "PHONE"
        EMAIL = "EMAIL"
        FACEBOOK = "FACEBOOK"
        TWITTER = "TWITTER"
        INSTAGRAM = "INSTAGRAM"
        APPLE = "APPLE"
        YOUTUBE = "YOUTUBE"

    class PhoneType(models.TextChoices):
        WORK = "WORK"
        HOME = "HOME"
        MOBILE = "MOBILE"

    # No constraint of its own: (customer, contact) refers to the contact, by a migration.
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="contact_points", db_index=False, db_constraint=False
    )
    contact_id = models.UUIDField()
    kind = models.CharField(max_length=9, choices=Kind.choices)
    value = models.CharField(max_length=320)
    value_key = models.CharField(max_length=640, editable=False)
    phone_type = models.CharField(max_length=6, choices=PhoneType.choices, blank=True, default="")
    provider = text(40)
    extension = text(10)
    is_primary = models.BooleanField(default=False)
    is_verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "contact_id", "kind"],
                condition=Q(is_primary=True),
                name="contact_point_one_primary_per_kind",
                violation_error_message="A contact has one primary number and one primary e-mail.",
            )
        ]
        indexes = [
            models.Index(fields=["value_key", "kind"], name="contact_point_value"),
            # A phone number of `/core` may have the extension's digits behind it.
            models.Index(
                Concat("value_key", Digits("extension")),
                name="contact_point_full_number",
                condition=Q(kind="PHONE") & ~Q(extension=""),
            ),
        ]

    def __str__(self) -> str:
        return self.value
