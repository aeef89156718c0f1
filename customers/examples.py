"""Examples of the API documentation: the published samples, where there are any.

The ids belong together: one customer of each type, their parts, and who made them.
"""

ACCOUNT_ID = "01993a5e-7c00-7000-8000-000000000001"
CHILD_ID = "01993a5e-7c00-7000-8000-000000000002"
ADA_ID = "01993a5f-2bc0-7a31-9d2e-5b0c6f1a7e10"
ACME_ID = "01993a5f-4a80-7b02-8f17-2c9d4e6b8a21"
SERVICE = {"id": "01993a5e-9d40-7e11-a2b3-c4d5e6f70812", "type": "service-account"}

HOME = {
    "type": "MAILING",
    "streetLine1": "100 Main St",
    "streetLine2": "",
    "streetLine3": "",
    "streetLine4": "",
    "streetLine5": "",
    "cityName": "Greenville",
    "stateCode": "MO",
    "countryCode": "USA",
    "zipCode": "63368",
    "primary": True,
}
PARCELS = {
    "type": "SHIPPING",
    "name": {"firstName": "Jack", "middleName": "", "lastName": "Smith"},
    **{name: value for name, value in HOME.items() if name != "type"},
}
JACK: dict[str, object] = {
    "firstName": "Jack",
    "middleName": "",
    "lastName": "Smith",
    "primary": True,
    "primaryPhoneNumber": {
        "number": "+14151234",
        "type": "WORK",
        "provider": "",
        "extension": "31",
        "verified": False,
    },
    "primaryEmail": {"value": "jsmith@acme.com", "verified": False},
}

# --- Requests -------------------------------------------------------------------------------------

THE_LEAST = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "primaryPhoneNumber": {"number": "4151234", "type": "MOBILE"},
    "primaryEmail": {"value": "ada@example.com"},
}
NEW_INDIVIDUAL: dict[str, object] = {
    "type": "INDIVIDUAL",
    "externalId": "crm-4711",
    "addresses": [HOME],
    "metadata": {"customerRefId": "100000333"},
    "prefix": "Dr.",
    "firstName": "Ada",
    "middleName": "King",
    "lastName": "Lovelace",
    "suffix": "",
    "sex": "FEMALE",
    "gender": "",
    "pronoun": "she",
    "securityQuestion": "First machine?",
    "securityAnswer": "Analytical Engine",
    "primaryPhoneNumber": {"number": "4151234", "type": "MOBILE", "provider": "Orbit"},
    "primaryEmail": {"value": "ada@example.com"},
    "dateOfBirth": "1985-12-10",
    "placeOfBirth": {"city": "London", "countryCode": "GBR"},
    "socialId": "123456789",
    "socialIdCountryCode": "USA",
    "citizenshipCountryCode": "GBR",
    "contactPoints": [{"kind": "TWITTER", "value": "ada1815"}],
    "relationship": {"role": "Partner", "level": "Gold", "howReferred": "Website"},
}
NEW_BUSINESS: dict[str, object] = {
    "type": "BUSINESS",
    "businessName": "ACME",
    "contacts": [JACK],
    "addresses": [PARCELS],
}
NEW_EXTENSION = {"primaryPhoneNumber": {"extension": "31"}}
NEW_ADDRESS = {"addresses": [HOME | {"streetLine1": "200 Oak Ave"}]}
NEW_CONTACT_POINT = {"contactPoints": [{"kind": "TWITTER", "value": "ada1815"}]}
FORGET = {"middleName": "", "placeOfBirth": None, "metadata": {"customerRefId": None}}
NEW_ACTIVITY = {
    "type": "calltrack",
    "mode": "inbound",
    "isRead": True,
    "isSecure": False,
    "sentDate": "2026-03-01T13:00:00+01:00",
    "subject": "Asked for a new card",
}

RELATIONSHIP: dict[str, object] = {
    "role": "Partner",
    "level": "Gold",
    "industry": "Computing",
    "marketSegment": "Science",
    "entitlements": "Priority support",
    "howReferred": "Website",
    "preferredAgentId": None,
    "pin": "",
}
NO_RELATIONSHIP = {name: None if value is None else "" for name, value in RELATIONSHIP.items()} | {
    "role": None,
    "howReferred": None,
}

# --- Answers --------------------------------------------------------------------------------------

KEY_ID = "xq5ZKLm0R2b1VdWfYcTgHsJpN3uEaB7oD9iMtX4v"
KEY_SECRET = "the-secret-of-the-key"  # noqa: S105 -- an example
SESSION = {"sessionToken": "pCmZ6n0V0hQy1cXk2vJqT8bS4dW5eR7fUgAiYoLwNxE", "expiresIn": 3600}
TOKEN = {
    "access_token": "pCmZ6n0V0hQy1cXk2vJqT8bS4dW5eR7fUgAiYoLwNxE",
    "token_type": "Bearer",
    "expires_in": 3600,
}


def common(
    customer_id: str, external_id: str, addresses: list[dict[str, object]]
) -> dict[str, object]:
    """What customers of all types have in front of their own members."""
    return {
        "id": customer_id,
        "status": "ACTIVE",
        "externalId": external_id,
        "businessAccountId": ACCOUNT_ID,
        "addresses": addresses,
        "metadata": {"customerRefId": "100000333"},
        "customAttributes": {},
        "createdBy": SERVICE,
        "createdAt": "2026-03-01T12:00:00.123Z",
        "updatedBy": SERVICE,
        "updatedAt": "2026-03-01T12:00:00.123Z",
    }


CONTACT_POINTS: list[dict[str, object]] = [
    {
        "id": "01993a5f-2bc3-7008-8d40-3c4d5e6f7a8b",
        "kind": "PHONE",
        "value": "+14151234",
        "type": "MOBILE",
        "provider": "Orbit",
        "extension": "31",
        "verified": False,
        "primary": True,
    },
    {
        "id": "01993a5f-2bc4-7109-8e50-4d5e6f7a8b9c",
        "kind": "EMAIL",
        "value": "ada@example.com",
        "verified": False,
        "primary": True,
    },
    {
        "id": "01993a5f-2bc5-720a-8f60-5e6f7a8b9c0d",
        "kind": "TWITTER",
        "value": "ada1815",
        "verified": False,
    },
]
INDIVIDUAL: dict[str, object] = common(
    ADA_ID, "crm-4711", [{"id": "01993a5f-2bc1-7c04-8f00-1f2e3d4c5b6a", **HOME}]
) | {
    "type": "INDIVIDUAL",
    "prefix": "Dr.",
    "firstName": "Ada",
    "middleName": "King",
    "lastName": "Lovelace",
    "suffix": "",
    "sex": "FEMALE",
    "gender": "",
    "pronoun": "she",
    "securityQuestion": "First machine?",
    "securityAnswer": "",
    "primaryPhoneNumber": {
        "number": "+14151234",
        "type": "MOBILE",
        "provider": "Orbit",
        "extension": "31",
        "verified": False,
    },
    "primaryEmail": {"value": "ada@example.com", "verified": False},
    "dateOfBirth": "1985-12-10",
    "placeOfBirth": {"city": "London", "countryCode": "GBR"},
    "socialId": "6789",
    "socialIdCountryCode": "USA",
    "citizenshipCountryCode": "GBR",
    "contactPoints": CONTACT_POINTS,
    "department": "Retail",
    "relationship": RELATIONSHIP,
}
# Of whom only what is needed is known.
SPARSE: dict[str, object] = (
    dict.fromkeys(INDIVIDUAL, "")
    | common("01993a5f-6b40-7d13-8a26-4e5f60718293", "", [])
    | {"metadata": {}, "type": "INDIVIDUAL", "firstName": "Ada", "lastName": "Lovelace"}
    | {name: INDIVIDUAL[name] for name in ("primaryPhoneNumber", "primaryEmail")}
    | {"contactPoints": CONTACT_POINTS[:2], "relationship": NO_RELATIONSHIP}
    | dict.fromkeys(
        ["sex", "dateOfBirth", "placeOfBirth", "socialIdCountryCode", "citizenshipCountryCode"]
    )
)
BUSINESS: dict[str, object] = common(
    ACME_ID, "", [{"id": "01993a5f-4a81-7d05-9a10-6b5c4d3e2f1a", **PARCELS}]
) | {
    "type": "BUSINESS",
    "businessName": "ACME",
    "doingBusinessAsName": "ACME",
    "contacts": [
        {
            "id": "01993a5f-4a82-7e06-8b20-0a1b2c3d4e5f",
            **JACK,
            "contactPoints": [],
            "customAttributes": {},
        }
    ],
    "department": "",
    "relationship": RELATIONSHIP,
}
ACTIVITY = {
    "id": "01993a60-0c40-7f07-9c30-7e8f9a0b1c2d",
    "type": "calltrack",
    "mode": "inbound",
    "isRead": True,
    "isSecure": False,
    "sentDate": "2026-03-01T12:00:00.000Z",
    "subject": "Asked for a new card",
}
RESTORE = {"reason": "Deleted by mistake"}
CHANGE = {
    "at": "2026-03-01T12:05:00.456Z",
    "operation": "updated",
    "entity": "contactPoint",
    "entityId": "01993a5f-2bc3-7008-8d40-3c4d5e6f7a8b",
    "actor": SERVICE,
    "via": "v1",
    "requestId": "0d9f5a8e-5c55-4f3f-9a53-0a2a7a3c1d6e",
    "reason": "",
    "changes": [{"field": "extension", "from": "", "to": "31"}],
}
ACCOUNT = {
    "id": ACCOUNT_ID,
    "parentId": None,
    "name": "House Bank",
    "description": "Retail and business customers",
}
CHILD = {
    "id": CHILD_ID,
    "parentId": ACCOUNT_ID,
    "name": "Child Branch",
    "description": "",
}
DEPARTMENT = {"id": "01993a5e-7d80-7000-8000-000000000003", "name": "Retail"}
