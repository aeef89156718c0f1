"""The registry's tables, one module per subject."""

from customers.models.account import Account, Card, Enrollment
from customers.models.activity import Activity, Change
from customers.models.address import Address
from customers.models.attributes import AttributeDefinition, AttributeValue
from customers.models.business import BusinessAccount, Department
from customers.models.conversion import AttributeConversion
from customers.models.customer import Contact, ContactPoint, Customer
from customers.models.people import (
    AccessToken,
    Grant,
    IDToken,
    OAuthClient,
    RefreshToken,
    ServiceAccount,
    User,
)
from customers.models.reveal import Reveal
from customers.models.second_factor import Authenticator, RecoveryCode
from customers.models.sign_in import SignInAttempt

__all__ = [
    "AccessToken",
    "Account",
    "Activity",
    "Address",
    "AttributeConversion",
    "AttributeDefinition",
    "AttributeValue",
    "Authenticator",
    "BusinessAccount",
    "Card",
    "Change",
    "Contact",
    "ContactPoint",
    "Customer",
    "Department",
    "Enrollment",
    "Grant",
    "IDToken",
    "OAuthClient",
    "RecoveryCode",
    "RefreshToken",
    "Reveal",
    "ServiceAccount",
    "SignInAttempt",
    "User",
]
