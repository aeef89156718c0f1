"""What the API documentation sends to `/v2/data`, and is answered."""

from config.api.json import to_json

REQUEST_ID = "380052b4-3a64-4952-b640-ba696eb9f44b"
CUSTOMER = "afa2r21-25f9-4501-b9db-e78afa73c0e3"
ACCOUNT = "42c57311-25f9-4501-b9db-e78afa73c0e3"
CARD = {
    "sourceAccountId": ACCOUNT,
    "sourceCustomerId": CUSTOMER,
    "last4": "2345",
    "iin": "123456",
    "cardType": "CREDIT",
    "status": "OPEN",
    "networkIdentifier": "3",
    "openDate": "2023-01-01T08:00:00Z",
    "closeDate": None,
}
# The published sample: its ids are no UUIDs, its second holder and its parent come later.
PUBLISHED: dict[str, object] = {
    "sourceCustomerId": CUSTOMER,
    "sourceParentCustomerId": "2e052a88-6ae1-4501-b9db-e78afa73c0e3",
    "organizationId": "50004",
    "postalCode": "78753",
    "country": "US",
    "customerCreationDate": "2017-01-01T08:00:00Z",
    "enrollmentStartDate": "2023-01-01T08:00:00Z",
    "enrollmentEndDate": "2023-01-01T08:00:00Z",
    "enrollmentOptInStatus": "ACTIVE",
    "alertOptInStatus": ["ALL"],
    "targetingIndicator": "TARGET",
    "accounts": [
        {
            "sourceAccountId": ACCOUNT,
            "sourceCustomerIds": [CUSTOMER, "2e052a88-6ae1-4b78-8d96-f3a037402567"],
            "primarySourceCustomerId": CUSTOMER,
            "status": "OPEN",
            "type": "DDA",
            "sourcePortfolioId": "76afcd28-b494-4b29-b7f2-3eb614a92f97",
            "accountOpenDate": "2018-05-12T20:30:00Z",
            "accountCloseDate": None,
            "cards": [CARD],
        }
    ],
}
WHOLE = PUBLISHED | {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "emails": [{"value": "ada@example.com"}],
    "phones": [{"number": "+14155550123", "type": "MOBILE"}],
    "metadata": {"crm": "A-17"},
}
SAMPLE = {"customers": [PUBLISHED]}
CLOSED_ACCOUNT = {
    "accounts": [
        {
            "sourceAccountId": ACCOUNT,
            "sourcePortfolioId": "76afcd28-b494-4b29-b7f2-3eb614a92f97",
            "status": "CLOSED",
            "accountCloseDate": "2023-08-22T13:00:16Z",
        }
    ]
}
CLOSED_CARD = {
    "cards": [
        {
            "sourceAccountId": ACCOUNT,
            "sourceCustomerId": CUSTOMER,
            "last4": "2345",
            "status": "CLOSED",
            "closeDate": "2023-08-22T13:00:16Z",
        }
    ]
}
QUEUED = {"requestId": REQUEST_ID}
WAITING: dict[str, object] = {
    "requestId": REQUEST_ID,
    "status": "SUBMITTED",
    "action": "CREATE_CUSTOMERS",
    "submittedAt": "2026-03-01T12:00:00.123Z",
    "startedAt": None,
    "finishedAt": None,
    "counts": {"created": 0, "updated": 0, "unchanged": 0, "failed": 0},
}
DONE = WAITING | {
    "status": "FINISHED",
    "startedAt": "2026-03-01T12:00:00.140Z",
    "finishedAt": "2026-03-01T12:00:00.161Z",
    "counts": {"created": 1, "updated": 0, "unchanged": 0, "failed": 1},
}
FINISHED = DONE | {
    "items": [
        {
            "index": 0,
            "sourceCustomerId": CUSTOMER,
            "outcome": "CREATED",
            "customerId": "5c0f3f4b-6f0a-5c55-8f0e-2d9f8a4f3c11",
            "errors": [],
        },
        {
            "index": 1,
            "sourceCustomerId": "17",
            "outcome": "FAILED",
            "customerId": None,
            "errors": [
                {
                    "pointer": "/customers/1/accounts/0/cards/1/last4",
                    "code": "INVALID",
                    "message": "Not four digits.",
                }
            ],
        },
    ]
}


LINE = (
    '{"line":1,"sourceCustomerId":"17","outcome":"CREATED",'
    '"customerId":"5c0f3f4b-6f0a-5c55-8f0e-2d9f8a4f3c11","errors":[]}'
)
FAILED_LINE = (
    '{"line":2,"errors":[{"pointer":"/postalCode","code":"REQUIRED","message":"This is required."}]'
    ',"sourceCustomerId":"17","organizationId":"00000"}'
)
TABLE = """externalId,firstName,lastName,email,stateCode,zipCode,countryCode,attribute.tier
C-1001,Ada,Lovelace,ada@example.com,CA,94105,USA,gold
C-1002,,,(clear),,,,
"""
FAILED_ROW = """externalId,email,error
C-1003,nobody,email: Not an e-mail address.
"""
TWO_LINES = "\n".join(to_json(each).decode() for each in (PUBLISHED, WHOLE))
