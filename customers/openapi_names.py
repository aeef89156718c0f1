"""Names of lists of words, for the API documentation."""

from config.openapi.names import name_words
from customers.criteria import Match
from customers.history import ENTITIES
from customers.models import Activity, Address, Change, Contact, ContactPoint, Customer

name_words(
    ActivityMode=Activity.Mode,
    ActivityType=Activity.Type,
    AddressType=Address.Type,
    AttributeOwner=("customer", "contactPerson"),
    BusinessType=("BUSINESS", "GROUP"),
    ChangeOperation=Change.Operation,
    ChangedEntity=ENTITIES,
    ContactPointKind=ContactPoint.Kind,
    CustomerRole=Customer.Role,
    CustomerStatus=Customer.Status,
    CustomerType=Customer.Type,
    ListedStatus=("ACTIVE", "SUSPENDED"),
    MatchMode=Match,
    PhoneType=ContactPoint.PhoneType,
    ReferralSource=Customer.Referral,
    Sex=Contact.Sex,
)
