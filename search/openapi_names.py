"""Names of lists of words, for the API documentation."""

from config.openapi.names import name_words
from search.columns import CHOICES, TYPE_NAMES
from search.immediate.labels import ADDRESS_TYPES, PHONE_TYPES, SOCIAL_TYPES, TYPES
from search.immediate.parameters import ORDERS
from search.models import CustomerSearch

name_words(
    ColumnName=CHOICES,
    ColumnType=TYPE_NAMES,
    Compression=CustomerSearch.Compression,
    CoreCustomerType=TYPES,
    CorePhoneKind=PHONE_TYPES,
    CorePostalKind=ADDRESS_TYPES,
    CoreSocialNetwork=SOCIAL_TYPES,
    ResultFormat=CustomerSearch.Format,
    SearchState=CustomerSearch.Status,
    SortOrder=ORDERS,
)
