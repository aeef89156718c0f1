"""`/v1/customers`: creating, reading, changing, removing."""

import uuid

import pytest
from django.db import connection

from customers.models import BusinessAccount, Customer
from tests import factories
from tests.customers import ACME, ADA, HOME, codes, create

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]


def test_an_individual_is_created_with_the_least_that_is_needed(owner):
    response = owner.api.post("/v1/customers", ADA)
    assert response.status_code == 201, response.content
    customer = response.json()
    assert response["Location"] == f"/v1/customers/{customer['id']}"
    assert customer["primaryPhoneNumber"]["number"] == "+14151234"
    assert customer["primaryEmail"] == {"value": "Ada@example.com", "verified": False}
    assert customer["createdBy"]["type"] == "service-account"
    assert owner.api.get(response["Location"]).json() == customer


def test_the_published_update_changes_the_extension_alone(owner):
    customer = create(owner)
    url = f"/v1/customers/{customer['id']}"
    response = owner.api.put(url, {"primaryPhoneNumber": {"extension": "31"}})
    assert response.status_code == 200, response.content
    changed = response.json()
    assert changed["primaryPhoneNumber"] == customer["primaryPhoneNumber"] | {"extension": "31"}
    different = {name for name in customer if changed[name] != customer[name]}
    assert different == {"primaryPhoneNumber", "contactPoints", "updatedAt"}
    assert list(changed) == list(customer)


def test_a_business_leaves_under_both_of_its_names(owner):
    business = create(owner, ACME, addresses=[HOME])
    assert business["businessName"] == business["doingBusinessAsName"] == "ACME"
    assert [contact["primary"] for contact in business["contacts"]] == [True]
    assert business["contacts"][0]["primaryPhoneNumber"] == {
        "number": "+14151234",
        "type": "WORK",
        "provider": "",
        "extension": "",
        "verified": False,
    }
    assert "firstName" not in business


def test_members_leave_in_the_published_order(owner):
    customer = create(owner, addresses=[HOME], metadata={"customerRefId": "100000333"})
    published = ["id", "status", "addresses", "metadata", "createdBy", "createdAt", "updatedBy"]
    published += ["updatedAt", "type", "firstName", "middleName", "lastName"]
    assert [name for name in customer if name in published] == published
    address = [name for name in customer["addresses"][0] if name != "id"]
    lines = [f"streetLine{number}" for number in range(1, 6)]
    rest = ["cityName", "stateCode", "countryCode", "zipCode", "primary"]
    assert address == ["type", *lines, *rest]


def test_everything_that_an_individual_can_have_comes_back(confidant):
    sent = {
        "prefix": "Countess",
        "middleName": "King",
        "suffix": "FRS",
        "sex": "FEMALE",
        "gender": "woman",
        "pronoun": "she",
        "securityQuestion": "First machine?",
        "securityAnswer": "Analytical Engine",
        "dateOfBirth": "1852-11-27",
        "placeOfBirth": {"city": "London", "countryCode": "GBR"},
        "socialId": "123-45-6789",
        "socialIdCountryCode": "GBR",
        "citizenshipCountryCode": "GBR",
        "externalId": "ada-1",
        "metadata": {"a": "1", "Ω": "ß"},
    }
    customer = create(confidant, **sent)
    assert {name: customer[name] for name in sent} == sent


def test_sensitive_values_leave_whole_only_with_the_scope(owner, confidant):
    sent = {"socialId": "123456789", "socialIdCountryCode": "USA", "securityAnswer": "Byron"}
    url = f"/v1/customers/{create(owner, **sent)['id']}"
    masked, whole = owner.api.get(url), confidant.api.get(url)
    assert (masked.json()["socialId"], masked.json()["securityAnswer"]) == ("6789", "")
    assert (whole.json()["socialId"], whole.json()["securityAnswer"]) == ("123456789", "Byron")
    assert masked["ETag"] != whole["ETag"]
    listed = confidant.api.get("/v1/customers").json()["content"][0]
    assert listed["socialId"] == "123456789"


def test_sensitive_values_are_nowhere_in_clear(owner):
    create(owner, socialId="975318642", socialIdCountryCode="USA", securityAnswer="Xanadu-9")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            for (row,) in cursor:
                assert "975318642" not in row
                assert "Xanadu-9" not in row


def test_an_external_id_is_taken_once_in_a_business_account(owner, child):
    first = create(owner, externalId="X-1")
    response = owner.api.post("/v1/customers", ADA | {"externalId": "X-1"})
    assert response.status_code == 409
    body = response.json()
    assert body["errorCode"] == "EXTERNAL_ID_TAKEN"
    assert body["errors"][0]["id"] == first["id"]
    assert create(child, externalId="X-1")["id"] != first["id"]
    owner.api.delete(f"/v1/customers/{first['id']}")
    assert owner.api.post("/v1/customers", ADA | {"externalId": "X-1"}).status_code == 409


def test_every_wrong_place_is_named_at_once(owner):
    response = owner.api.post(
        "/v1/customers",
        {
            "type": "INDIVIDUAL",
            "firstName": "A" * 41,
            "sex": "male",
            "nickname": "Al",
            "primaryPhoneNumber": {"number": "abc", "type": "FAX"},
            "primaryEmail": {"value": "nobody"},
            "dateOfBirth": "1849-12-31",
            "socialId": "1",
            "contacts": [{"firstName": "B"}],
            "metadata": {str(number): "x" for number in range(6)},
            "addresses": [
                HOME | {"stateCode": "ZZ"},
                HOME | {"type": "PHYSICAL", "streetLine1": "PO Box 7", "stateCode": None},
                HOME | {"type": "SHIPPING", "countryCode": "XXX", "zipCode": ""},
            ],
        },
    )
    assert response.status_code == 400
    assert codes(response) == {
        "firstName": "TOO_LONG",
        "sex": "UNKNOWN_VALUE",
        "nickname": "UNKNOWN_FIELD",
        "primaryPhoneNumber.type": "UNKNOWN_VALUE",
        "lastName": "REQUIRED",
        "primaryPhoneNumber.number": "INVALID",
        "primaryEmail.value": "INVALID",
        "dateOfBirth": "OUT_OF_RANGE",
        "socialIdCountryCode": "REQUIRED",
        "contacts": "NOT_FOR_THIS_TYPE",
        "metadata": "TOO_MANY",
        "addresses[0].stateCode": "UNKNOWN_SUBDIVISION",
        "addresses[1].stateCode": "REQUIRED",
        "addresses[1].streetLine1": "PO_BOX",
        "addresses[2].zipCode": "REQUIRED",
        "addresses[2].countryCode": "INVALID",
        "addresses[2].name.firstName": "REQUIRED",
        "addresses[2].name.lastName": "REQUIRED",
    }
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"type": "REQUIRED"}),
        ({"type": "PERSON"}, {"type": "UNKNOWN_VALUE"}),
        (
            ADA
            | {"type": "PERSON", "addresses": [HOME | {"stateCode": "ZZ"}], "metadata": {"": "x"}},
            {
                "type": "UNKNOWN_VALUE",
                "addresses[0].stateCode": "UNKNOWN_SUBDIVISION",
                "metadata": "INVALID_KEY",
            },
        ),
        (
            ADA | {"primaryPhoneNumber": [], "primaryEmail": "ada@example.com"},
            {"primaryPhoneNumber": "INVALID_TYPE", "primaryEmail": "INVALID_TYPE"},
        ),
        (
            ADA | {"addresses": [HOME | {"type": "SHIPPING", "name": "Ada"}]},
            {"addresses[0].name": "INVALID_TYPE"},
        ),
        ([], {"": "INVALID_TYPE"}),
        ("text", {"": "INVALID_TYPE"}),
        (
            {"type": "BUSINESS"},
            {"businessName": "REQUIRED", "contacts": "REQUIRED"},
        ),
        (
            ACME | {"contacts": [{**ACME["contacts"][0], "primary": False}]},
            {"contacts": "PRIMARY_REQUIRED"},
        ),
        (
            ACME | {"contacts": ACME["contacts"] * 2},
            {"contacts[1].primary": "DUPLICATE_PRIMARY"},
        ),
        (ACME | {"doingBusinessAsName": "Emca"}, {"doingBusinessAsName": "CONTRADICTION"}),
        (ACME | {"firstName": "Al"}, {"firstName": "NOT_FOR_THIS_TYPE"}),
        (ADA | {"firstName": 7}, {"firstName": "INVALID_TYPE"}),
        (ADA | {"firstName": "A\0"}, {"firstName": "NUL_CHARACTER"}),
        (ADA | {"addresses": {}}, {"addresses": "INVALID_TYPE"}),
        (ADA | {"addresses": [7]}, {"addresses[0]": "INVALID_TYPE"}),
        (ADA | {"metadata": {"a": 7}}, {"metadata.a": "INVALID_TYPE"}),
        (ADA | {"metadata": {"": "x"}}, {"metadata": "INVALID_KEY"}),
        (ADA | {"metadata": {"a": "x\0"}}, {"metadata.a": "NUL_CHARACTER"}),
        (ADA | {"dateOfBirth": "99999-01-01"}, {"dateOfBirth": "INVALID"}),
        (ADA | {"dateOfBirth": "0000-01-01"}, {"dateOfBirth": "INVALID"}),
        (ADA | {"dateOfBirth": 5}, {"dateOfBirth": "INVALID"}),
        (ADA | {"dateOfBirth": "2999-01-01"}, {"dateOfBirth": "OUT_OF_RANGE"}),
        (
            ADA | {"customAttributes": {"tier": "gold"}},
            {"customAttributes.tier": "UNKNOWN_ATTRIBUTE"},
        ),
        (
            ADA | {"primaryPhonenumber": {"number": "5551234", "type": "HOME"}},
            {"primaryPhonenumber": "CONTRADICTION"},
        ),
        (
            ADA
            | {"addresses": [HOME | {"primary": True}, HOME | {"zipCode": "1", "primary": True}]},
            {"addresses[1].primary": "DUPLICATE_PRIMARY"},
        ),
        (
            ADA | {"addresses": [HOME | {"id": str(uuid.uuid4())}]},
            {"addresses[0].id": "UNKNOWN_ADDRESS"},
        ),
        (ADA | {"status": "SUSPENDED"}, {"status": "READ_ONLY"}),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(owner, body, expected):
    response = owner.api.post("/v1/customers", body)
    assert response.status_code == 400, response.content
    assert codes(response) == expected
    assert not Customer.objects.exists()


def test_a_wrong_word_is_answered_with_the_right_ones(owner):
    body = ADA | {"sex": "male", "primaryEmail": {"value": "a@example.com", "verified": "yes"}}
    errors = owner.api.post("/v1/customers", body).json()["errors"]
    assert {error["path"]: error["message"] for error in errors} == {
        "sex": '"male" is none of MALE, FEMALE, NONBINARY.',
        "primaryEmail.verified": "This must be true or false.",
    }


def test_the_other_spelling_of_the_phone_number_is_accepted(owner):
    body = {name: value for name, value in ADA.items() if name != "primaryPhoneNumber"}
    customer = create(owner, body, primaryPhonenumber={"number": "14151234", "type": "HOME"})
    assert customer["primaryPhoneNumber"]["number"] == "+14151234"


def test_suspend_and_activate_say_the_same_twice(owner):
    url = f"/v1/customers/{create(owner)['id']}"
    for verb, expected in (("suspend", "SUSPENDED"), ("activate", "ACTIVE")):
        first, second = owner.api.put(f"{url}/{verb}"), owner.api.put(f"{url}/{verb}")
        assert first.json()["status"] == expected
        assert (second.status_code, second.json()) == (200, first.json())
        assert owner.api.put(url, {"middleName": expected}).status_code == 200


def test_a_deleted_customer_is_gone(owner):
    url = f"/v1/customers/{create(owner)['id']}"
    assert owner.api.delete(url).status_code == 204
    for response in (
        owner.api.get(url),
        owner.api.delete(url),
        owner.api.put(url, {"firstName": "Eve"}),
        owner.api.put(f"{url}/suspend"),
        owner.api.get(f"{url}/history"),
        owner.api.get(f"{url}/activities"),
    ):
        assert response.status_code == 404
    assert owner.api.get("/v1/customers").json()["content"] == []


def test_an_old_version_is_not_overwritten(owner):
    url = f"/v1/customers/{create(owner)['id']}"
    tag = owner.api.get(url)["ETag"]
    assert owner.api.put(url, {"middleName": "B"}, headers={"If-Match": tag}).status_code == 200
    stale = owner.api.put(url, {"middleName": "C"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert stale.json()["errorCode"] == "PRECONDITION_FAILED"
    assert owner.api.delete(url, headers={"If-Match": tag}).status_code == 412
    assert owner.api.put(f"{url}/suspend", headers={"If-Match": tag}).status_code == 412
    assert owner.api.get(url).json()["middleName"] == "B"
    assert owner.api.put(url, {"middleName": "D"}, headers={"If-Match": "*"}).status_code == 200


def test_an_activity_is_recorded_and_listed(owner):
    url = f"/v1/customers/{create(owner)['id']}/activities"
    sent = {"type": "email", "mode": "outbound", "sentDate": "2026-03-01T10:00:00+02:00"}
    response = owner.api.post(url, sent)
    assert response.status_code == 201, response.content
    recorded = response.json()
    assert recorded.pop("id")
    assert recorded == {
        "type": "email",
        "mode": "outbound",
        "isRead": False,
        "isSecure": False,
        "sentDate": "2026-03-01T08:00:00.000Z",
        "subject": "",
    }
    owner.api.post(url, sent | {"sentDate": "2026-03-02T10:00:00Z", "subject": "later"})
    page = owner.api.get(url).json()
    assert [activity["subject"] for activity in page["content"]] == ["later", ""]
    wrong = owner.api.post(url, {"type": "fax", "isRead": "yes"})
    assert codes(wrong) == {
        "type": "UNKNOWN_VALUE",
        "isRead": "INVALID",
        "mode": "REQUIRED",
        "sentDate": "REQUIRED",
    }


def test_an_activity_is_marked_as_read_and_unread(owner, child, outsider, reader):
    url = f"/v1/customers/{create(owner)['id']}/activities"
    sent = {"type": "email", "mode": "inbound", "sentDate": "2026-03-01T10:00:00Z"}
    activity = owner.api.post(url, sent).json()
    one = f"{url}/{activity['id']}"
    for is_read in (True, True, False):
        answer = owner.api.put(one, activity | {"isRead": is_read})
        assert answer.status_code == 200, answer.content
        assert answer.json() == activity | {"isRead": is_read}
        assert owner.api.get(url).json()["content"] == [answer.json()]
    assert codes(owner.api.put(one, {})) == {"isRead": "REQUIRED"}
    assert codes(owner.api.put(one, {"isRead": "yes"})) == {"isRead": "INVALID"}
    assert owner.api.get(url).json()["content"] == [activity]
    other = f"/v1/customers/{create(owner)['id']}/activities/{activity['id']}"
    assert owner.api.put(other, {"isRead": True}).status_code == 404
    assert [each.api.put(one, {"isRead": True}).status_code for each in (child, outsider)] == [
        404,
        404,
    ]
    assert reader.api.put(one, {"isRead": True}).status_code == 403


def test_the_departments_of_an_account_are_listed_by_name(owner, account, child_account, outsider):
    for name in ("Retail", "Cards"):
        factories.make_department(account, name)
    factories.make_department(child_account, "Branch")
    page = owner.api.get("/v1/business-accounts/self/departments?size=1").json()
    assert page["totalElements"] == 2
    assert [department["name"] for department in page["content"]] == ["Cards"]
    below = owner.api.get(f"/v1/business-accounts/{child_account.pk}/departments").json()
    assert [department["name"] for department in below["content"]] == ["Branch"]
    assert below["content"][0].keys() == {"id", "name"}
    foreign = outsider.api.get(f"/v1/business-accounts/{account.pk}/departments")
    assert foreign.status_code == 404


def test_history_tells_who_changed_what(owner):
    url = f"/v1/customers/{create(owner)['id']}"
    owner.api.put(url, {"lastName": "King"}, headers={"X-Request-Id": "req-7"})
    page = owner.api.get(f"{url}/history").json()
    newest = page["content"][0]
    assert newest["operation"] == "updated"
    assert newest["requestId"] == "req-7"
    assert newest["via"] == "v1"
    assert newest["actor"] == {"id": str(owner.actor.id), "type": "service-account"}
    named = {
        change["field"]: (change["from"], change["to"])
        for e in page["content"]
        for change in e["changes"]
        if e["operation"] == "updated"
    }
    assert named == {"lastName": ("Lovelace", "King")}
    first = owner.api.get(f"{url}/history?size=1").json()
    rest = owner.api.get(f"{url}/history", {"size": 200, "cursor": first["nextCursor"]}).json()
    assert [first["content"][0], *rest["content"]] == page["content"]


def test_an_answer_is_the_same_for_what_is_foreign_and_what_never_was(
    owner, sibling, outsider, child
):
    mine = create(owner)["id"]
    for stranger in (sibling, outsider, child):
        for path in ("", "/history", "/activities"):
            foreign = stranger.api.get(f"/v1/customers/{mine}{path}")
            nothing = stranger.api.get(f"/v1/customers/{uuid.uuid4()}{path}")
            assert foreign.status_code == nothing.status_code == 404
            changing = {"timestamp", "traceId"}
            assert {k: v for k, v in foreign.json().items() if k not in changing} == {
                k: v for k, v in nothing.json().items() if k not in changing
            }
        assert stranger.api.put(f"/v1/customers/{mine}", {"firstName": "Eve"}).status_code == 404
        assert stranger.api.delete(f"/v1/customers/{mine}").status_code == 404
    assert owner.api.get(f"/v1/customers/{mine}").json()["firstName"] == "Ada"


def test_a_parent_reads_and_writes_what_is_below_it(parent, child):
    url = f"/v1/customers/{create(child)['id']}"
    assert parent.api.get(url).status_code == 200
    changed = parent.api.put(url, {"firstName": "Augusta"})
    assert changed.json()["updatedBy"]["id"] == str(parent.actor.id)


def test_who_may_only_read_writes_nothing(reader, owner):
    url = f"/v1/customers/{create(owner)['id']}"
    assert reader.api.get(url).status_code == 200
    assert reader.api.post("/v1/customers", ADA).status_code == 403
    assert reader.api.put(url, {"firstName": "Eve"}).status_code == 403
    assert reader.api.delete(url).status_code == 403
    assert reader.api.put(f"{url}/suspend").status_code == 403


def test_a_local_number_is_read_in_the_accounts_own_region(outsider):
    BusinessAccount.objects.filter(pk=outsider.account.pk).update(default_region="DE")
    customer = create(outsider, primaryPhoneNumber={"number": "030 901820", "type": "WORK"})
    assert customer["primaryPhoneNumber"]["number"] == "+4930901820"


def test_business_accounts_show_the_tokens_own_tree(owner, parent, child, child_account, sibling):
    own = owner.api.get("/v1/business-accounts/self").json()
    assert own == {
        "id": str(owner.account.pk),
        "parentId": None,
        "name": "House Bank",
        "description": "",
    }
    below = owner.api.get("/v1/business-accounts/self/children").json()
    assert [account["id"] for account in below["content"]] == [str(child_account.pk)]
    assert below["content"][0]["parentId"] == own["id"]
    assert parent.api.get(f"/v1/business-accounts/{child_account.pk}").status_code == 200
    for stranger in (child, sibling):
        assert stranger.api.get(f"/v1/business-accounts/{own['id']}").status_code == 404
        assert stranger.api.get(f"/v1/business-accounts/{own['id']}/children").status_code == 404
