"""Names of lists of words, for the API documentation."""

from config.openapi.names import name_words
from ingest.models import BulkItem, BulkRequest
from ingest.wire.ledger import STATUSES
from ingest.wire.schema import AccountBody, CardBody, CustomerBody

CUSTOMER = CustomerBody.model_fields

name_words(
    AccountStatus=AccountBody.model_fields["status"].annotation,
    AccountType=AccountBody.model_fields["type"].annotation,
    AlertOptIn=CUSTOMER["alertOptInStatus"].annotation,
    CardStatus=CardBody.model_fields["status"].annotation,
    CardType=CardBody.model_fields["cardType"].annotation,
    ItemOutcome=BulkItem.Outcome,
    OptInStatus=CUSTOMER["enrollmentOptInStatus"].annotation,
    RedemptionEligibility=CUSTOMER["redemptionEligibility"].annotation,
    RequestAction=BulkRequest.Action,
    RequestStatus=STATUSES,
    TargetingIndicator=CUSTOMER["targetingIndicator"].annotation,
)
