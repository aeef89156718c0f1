"""Customers by the API, as tests make, change and read them."""

ADA = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "primaryPhoneNumber": {"number": "4151234", "type": "MOBILE"},
    "primaryEmail": {"value": "Ada@example.com"},
}
ACME = {
    "type": "BUSINESS",
    "businessName": "ACME",
    "contacts": [
        {
            "firstName": "Jack",
            "lastName": "Smith",
            "primary": True,
            "primaryPhoneNumber": {"number": "+14151234", "type": "WORK"},
            "primaryEmail": {"value": "jsmith@acme.com"},
        }
    ],
}
HOME = {
    "type": "MAILING",
    "streetLine1": "100 Main St",
    "cityName": "Greenville",
    "stateCode": "MO",
    "countryCode": "USA",
    "zipCode": "63368",
}


def create(speaker, body=ADA, **extra):
    response = speaker.api.post("/v1/customers", body | extra)
    assert response.status_code == 201, response.content
    return response.json()


def codes(response):
    return {error["path"]: error["errorCode"] for error in response.json()["errors"]}


SHIPPING = HOME | {"type": "SHIPPING", "name": {"firstName": "Jack", "lastName": "Smith"}}


def put(speaker, customer, body):
    response = speaker.api.put(f"/v1/customers/{customer['id']}", body)
    assert response.status_code == 200, response.content
    return response.json()


def refused(speaker, customer, body):
    response = speaker.api.put(f"/v1/customers/{customer['id']}", body)
    assert response.status_code == 400, response.content
    return codes(response)


def listed(speaker, **query):
    response = speaker.api.get("/v1/customers", query)
    assert response.status_code == 200, response.content
    return response.json()


def post(speaker, body):
    return speaker.api.post("/v1/customers", body)


def wrong(speaker, body):
    response = post(speaker, body)
    assert response.status_code == 400, response.content
    return codes(response)
