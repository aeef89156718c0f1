"""Names of lists of words, for the API documentation."""

from config.openapi.names import name_words
from search.immediate.labels import ADDRESS_TYPES, PHONE_TYPES, SOCIAL_TYPES, TYPES
from search.immediate.parameters import ORDERS
from search.models import CustomerSearch

name_words(
    CoreCustomerType=TYPES,
    CorePhoneKind=PHONE_TYPES,
    CorePostalKind=ADDRESS_TYPES,
    CoreSocialNetwork=SOCIAL_TYPES,
    ResultFormat=CustomerSearch.Format,
    SearchState=CustomerSearch.Status,
    SortOrder=ORDERS,
)
