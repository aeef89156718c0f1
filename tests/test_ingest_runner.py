"""What a bulk request means: create or replace, update, unchanged, holders, parents, deletions."""

import copy

import pytest

from config.api.actors import Scope
from customers.models import Account, Address, Card, Change, Contact, Customer, Enrollment
from customers.services.customers import delete_customer
from ingest.examples import SAMPLE
from ingest.models import BulkContent
from tests import bulk, factories
from tests.bulk import account, card, customer, done, errors, load, outcomes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]
MOMENT = "2024-05-06T07:08:09.123456Z"


def accounts_of(owner, source_customer_id: str) -> dict[str, Account]:
    rows = Account.objects.filter(customer_id=bulk.id_of(owner, source_customer_id))
    return {row.source_account_id: row for row in rows}


# --- The published sample -------------------------------------------------------------------------


def test_the_published_sample_is_loaded_as_it_is_and_found_everywhere(owner):
    found = load(owner, *copy.deepcopy(SAMPLE["customers"]))
    sent = SAMPLE["customers"][0]
    assert outcomes(found) == ["CREATED"], found
    listed = owner.api.get("/v1/customers", {"externalId": sent["sourceCustomerId"]}).json()
    (shown,) = listed["content"]
    assert shown["id"] == found["items"][0]["customerId"]
    assert (shown["type"], shown["firstName"], shown["status"]) == ("INDIVIDUAL", "", "ACTIVE")
    (address,) = shown["addresses"]
    assert (address["zipCode"], address["countryCode"]) == ("78753", "USA")
    assert (address["type"], address["streetLine1"], address["primary"]) == ("MAILING", "", True)
    assert Customer.objects.living_at(zip_code="78753", country="USA").count() == 1
    searched = owner.api.get("/v1/customers", {"search": sent["sourceCustomerId"]}).json()
    assert searched["totalElements"] == 1


def test_every_member_is_kept(owner):
    sent = customer(
        "c1",
        sourceParentCustomerId="mother",
        enrollmentEndDate=MOMENT,
        alertOptInStatus=["NEW", "EXPIRING", "NEW"],
        redemptionEligibility="NONE",
    )
    load(owner, sent)
    row = Enrollment.objects.get(customer=bulk.id_of(owner, "c1"))
    assert row.source_parent_customer_id == "mother"
    assert row.parent_customer_id == bulk.id_of(owner, "mother")
    assert row.enrollment_end_date.isoformat() == "2024-05-06T07:08:09.123456+00:00"
    assert row.alert_opt_in_status == ["NEW", "EXPIRING"]
    assert (row.organization_id, row.targeting_indicator) == ("50004", "TARGET")
    assert (row.postal_code, row.country) == ("78753", "USA")
    assert row.redemption_eligibility == "NONE"
    (loaded,) = accounts_of(owner, "c1").values()
    assert (loaded.status, loaded.type, loaded.source_portfolio_id) == ("OPEN", "DDA", "portfolio")
    assert loaded.source_customer_ids == ["c1"]
    held = Card.objects.get(customer_id=bulk.id_of(owner, "c1"))
    assert (held.last4, held.iin, held.network_identifier) == ("2345", "123456", "4")
    assert held.account_id == loaded.id


def test_texts_that_look_like_syntax_are_kept_as_they_are(owner):
    name = 'a "b"\\c\\n{d},e\' \\.'
    load(owner, customer(name, organizationId=name, accounts=[account(name, name)]))
    row = Enrollment.objects.get(customer=bulk.id_of(owner, name))
    assert row.organization_id == name
    (loaded,) = accounts_of(owner, name).values()
    assert (loaded.source_account_id, loaded.source_customer_ids) == (name, [name])
    assert outcomes(load(owner, customer(name, organizationId=name))) == ["UPDATED"]


# --- Again ----------------------------------------------------------------------------------------


def test_an_identical_repeat_writes_nothing(owner):
    sent = [customer("c1", sourceParentCustomerId="p"), customer("c2")]
    load(owner, *sent)
    before = [bulk.stored(owner, "c1").version, Change.objects.count()]
    found = load(owner, *sent)
    assert outcomes(found) == ["UNCHANGED", "UNCHANGED"]
    assert found["counts"] == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}
    assert [bulk.stored(owner, "c1").version, Change.objects.count()] == before


def test_a_create_for_a_known_id_replaces_what_it_names_and_leaves_the_rest(owner):
    load(owner, customer("c1", sourceParentCustomerId="p", redemptionEligibility="ALL"))
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    assert owner.api.put(url, {"firstName": "Ada"}).status_code == 200
    changed = customer("c1", organizationId="7", accounts=[account("c1", "other")])
    assert outcomes(load(owner, changed)) == ["UPDATED"]
    row = Enrollment.objects.get(customer=bulk.id_of(owner, "c1"))
    assert (row.organization_id, row.source_parent_customer_id) == ("7", "")
    assert (row.parent_customer_id, row.redemption_eligibility) == (None, "")
    assert set(accounts_of(owner, "c1")) == {"account-of-c1", "other"}
    assert bulk.stored(owner, "c1").version == 3
    assert owner.api.get(url).json()["firstName"] == "Ada"


def test_an_account_or_a_card_alone_makes_an_update(owner):
    load(owner, customer("c1"))
    closed = account("c1", status="CLOSED", accountCloseDate="2024-01-01")
    assert outcomes(load(owner, customer("c1", accounts=[closed]))) == ["UPDATED"]
    closed["cards"] = [card("c1", "account-of-c1", status="CLOSED", closeDate="2024-01-01")]
    assert outcomes(load(owner, customer("c1", accounts=[closed]))) == ["UPDATED"]
    assert Card.objects.get(customer_id=bulk.id_of(owner, "c1")).status == "CLOSED"
    assert bulk.stored(owner, "c1").version == 3


def test_what_operators_created_is_joined_by_its_external_id(owner):
    made = factories.make_customer(owner.account, external_id="c1")
    assert outcomes(load(owner, customer("c1"))) == ["UPDATED"]
    assert Enrollment.objects.filter(customer=made).exists()
    assert Contact.objects.filter(customer=made).count() == 1
    made.refresh_from_db()
    assert made.updated_by_type == "service-account"


def test_changes_are_on_record_in_the_name_of_the_client(owner):
    public_id = bulk.send(owner, customer("c1"), **{"X-Request-Id": "trace-17"})
    bulk.run(public_id)
    entities = set()
    for change in Change.objects.filter(customer_id=bulk.id_of(owner, "c1")):
        entities.add(change.entity)
        assert (change.via, change.request_id) == ("v2", "trace-17")
        assert (change.actor_type, change.actor_id) == ("service-account", owner.actor.id)
    assert entities == {"customer", "address", "enrollment", "account", "card"}
    history = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}/history").json()
    assert history["totalElements"] == 5


# --- Updates --------------------------------------------------------------------------------------


def test_an_update_leaves_what_it_leaves_out(owner):
    load(owner, customer("c1", sourceParentCustomerId="p", enrollmentEndDate=MOMENT))
    found = done(owner, bulk.put(owner, {"sourceCustomerId": "c1", "organizationId": "9"}))
    assert outcomes(found) == ["UPDATED"]
    row = Enrollment.objects.get(customer=bulk.id_of(owner, "c1"))
    assert (row.organization_id, row.source_parent_customer_id) == ("9", "p")
    assert row.enrollment_end_date is not None
    found = done(owner, bulk.put(owner, {"sourceCustomerId": "c1", "enrollmentEndDate": None}))
    assert outcomes(found) == ["UPDATED"]
    row.refresh_from_db()
    assert row.enrollment_end_date is None


def test_an_update_of_an_unknown_customer_is_an_error_of_that_item(owner):
    load(owner, customer("c1"))
    found = done(owner, bulk.put(owner, customer("nobody"), customer("c1", organizationId="9")))
    assert outcomes(found) == ["FAILED", "UPDATED"]
    assert errors(found) == {("/customers/0/sourceCustomerId", "UNKNOWN_CUSTOMER")}
    assert not Customer.objects.filter(pk=bulk.id_of(owner, "nobody")).exists()


def test_an_update_enrolls_a_known_customer_only_with_all_that_it_needs(owner):
    factories.make_customer(owner.account, external_id="c1")
    found = done(owner, bulk.put(owner, {"sourceCustomerId": "c1", "organizationId": "9"}))
    assert ("/customers/0/postalCode", "REQUIRED") in errors(found)
    assert ("/customers/0/organizationId", "REQUIRED") not in errors(found)
    assert outcomes(done(owner, bulk.put(owner, customer("c1")))) == ["UPDATED"]


def test_accounts_of_one_customer_are_added_changed_and_closed(owner):
    load(owner, customer("c1"))
    found = done(
        owner,
        bulk.put_accounts(
            owner,
            "c1",
            {"sourceAccountId": "account-of-c1", "sourcePortfolioId": "new"},
            account("c1", "second"),
            {"sourceAccountId": "third"},
            {"sourceAccountId": "account-of-c1"},
        ),
    )
    assert outcomes(found) == ["UPDATED", "CREATED", "FAILED", "FAILED"]
    assert {item["sourceCustomerId"] for item in found["items"]} == {"c1"}
    assert ("/accounts/2/status", "REQUIRED") in errors(found, 2)
    assert errors(found, 3) == {("/accounts/3/sourceAccountId", "DUPLICATE")}
    assert accounts_of(owner, "c1")["account-of-c1"].source_portfolio_id == "new"
    closing = {"sourceAccountId": "second", "status": "CLOSED"}
    found = done(owner, bulk.put_accounts(owner, "c1", closing))
    assert errors(found) == {("/accounts/0/accountCloseDate", "REQUIRED")}
    closing["accountCloseDate"] = "2023-08-22T13:00:16+02:00"
    assert outcomes(done(owner, bulk.put_accounts(owner, "c1", closing))) == ["UPDATED"]
    reopening = {"sourceAccountId": "second", "status": "OPEN"}
    assert outcomes(done(owner, bulk.put_accounts(owner, "c1", reopening))) == ["UPDATED"]
    assert accounts_of(owner, "c1")["second"].close_date is None


def test_cards_of_one_account_are_created_and_updated(owner):
    load(owner, customer("c1"))
    key = {"sourceAccountId": "account-of-c1", "sourceCustomerId": "c1"}
    found = done(
        owner,
        bulk.put_cards(
            owner,
            "c1",
            "account-of-c1",
            key | {"last4": "2345", "status": "CLOSED", "closeDate": "2024-01-01"},
            card("c1", "account-of-c1", "1111", networkIdentifier=3),
            key | {"last4": "9999", "status": "OPEN"},
            key | {"last4": "2345"},
            card("c1", "another", "2222"),
            card("stranger", "account-of-c1", "3333"),
        ),
    )
    assert outcomes(found) == ["UPDATED", "CREATED", "FAILED", "FAILED", "FAILED", "FAILED"]
    assert ("/cards/2/iin", "REQUIRED") in errors(found, 2)
    assert errors(found, 3) == {("/cards/3/last4", "DUPLICATE")}
    assert errors(found, 4) == {("/cards/4/sourceAccountId", "CONTRADICTION")}
    assert errors(found, 5) == {("/cards/5/sourceCustomerId", "NOT_A_HOLDER")}
    rows = {row.last4: row for row in Card.objects.filter(customer_id=bulk.id_of(owner, "c1"))}
    assert (rows["2345"].status, rows["2345"].iin) == ("CLOSED", "123456")
    assert rows["1111"].network_identifier == "3"


@pytest.mark.parametrize(("customer_id", "account_id"), [("x", "account-of-c1"), ("c1", "x")])
def test_cards_of_an_unknown_customer_or_account_are_errors(owner, customer_id, account_id):
    load(owner, customer("c1"))
    sent = card(customer_id, account_id)
    found = done(owner, bulk.put_cards(owner, customer_id, account_id, sent))
    assert outcomes(found) == ["FAILED"]
    assert {code for _, code in errors(found)} & {"UNKNOWN_CUSTOMER", "UNKNOWN_ACCOUNT"}


# --- Deleted customers ----------------------------------------------------------------------------


def test_a_load_does_not_bring_a_deleted_customer_back(owner):
    load(owner, customer("c1"))
    delete_customer(actor=owner.actor, customer_id=bulk.id_of(owner, "c1"), via="v1")
    before = Change.objects.count()
    for found in (
        load(owner, customer("c1", organizationId="8"), customer("c2")),
        done(owner, bulk.put(owner, {"sourceCustomerId": "c1", "organizationId": "8"})),
        done(owner, bulk.put_accounts(owner, "c1", account("c1", "x"))),
        done(owner, bulk.put_cards(owner, "c1", "account-of-c1", card("c1", "account-of-c1"))),
    ):
        assert found["items"][0]["outcome"] == "FAILED"
        assert {code for _, code in errors(found)} == {"CUSTOMER_DELETED"}
    assert bulk.stored(owner, "c1").status == "DELETED"
    assert Change.objects.exclude(customer_id=bulk.id_of(owner, "c2")).count() == before


# --- Holders --------------------------------------------------------------------------------------


def test_a_holder_who_arrives_later_has_the_account_already(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    joint["cards"].append(card("c2", "joint", "1111"))
    load(owner, customer("c1", accounts=[joint]))
    assert not Customer.objects.filter(pk=bulk.id_of(owner, "c2")).exists()
    assert set(accounts_of(owner, "c2")) == {"joint"}
    assert outcomes(load(owner, customer("c2", accounts=[]))) == ["CREATED"]
    arrived = bulk.stored(owner, "c2")
    assert [row.source_account_id for row in arrived.accounts.all()] == ["joint"]
    assert [row.last4 for row in arrived.cards.all()] == ["1111"]


def test_the_later_content_of_an_account_counts_for_all_holders_and_says_so(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"], cards=[])
    load(owner, customer("c1", accounts=[joint]))
    found = load(owner, customer("c2", accounts=[joint | {"sourcePortfolioId": "other"}]))
    assert outcomes(found) == ["CREATED"]
    (notice,) = found["items"][0]["notices"]
    assert (notice["pointer"], notice["code"]) == ("/customers/0/accounts/0", "ACCOUNT_REPLACED")
    for holder in ("c1", "c2"):
        assert accounts_of(owner, holder)["joint"].source_portfolio_id == "other"
    again = load(owner, customer("c2", accounts=[joint | {"sourcePortfolioId": "third"}]))
    assert "notices" not in again["items"][0]


def test_the_same_content_under_both_holders_is_no_change(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    found = load(owner, customer("c1", accounts=[joint]), customer("c2", accounts=[joint]))
    assert outcomes(found) == ["CREATED", "CREATED"]
    assert "notices" not in found["items"][1]
    assert outcomes(load(owner, customer("c2", accounts=[joint]))) == ["UNCHANGED"]


def test_within_one_request_the_later_item_wins(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"], cards=[])
    other = joint | {"sourcePortfolioId": "other"}
    found = load(owner, customer("c1", accounts=[joint]), customer("c2", accounts=[other]))
    assert found["items"][1]["notices"][0]["code"] == "ACCOUNT_REPLACED"
    assert accounts_of(owner, "c1")["joint"].source_portfolio_id == "other"


def test_who_is_no_holder_any_more_loses_account_and_cards(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    joint["cards"].append(card("c2", "joint", "1111"))
    load(owner, customer("c1", accounts=[joint]))
    alone = account("c1", "joint")
    assert outcomes(load(owner, customer("c1", accounts=[alone]))) == ["UPDATED"]
    assert accounts_of(owner, "c2") == {}
    assert not Card.objects.filter(customer_id=bulk.id_of(owner, "c2")).exists()
    assert Card.objects.filter(customer_id=bulk.id_of(owner, "c1")).count() == 1


# --- Parents --------------------------------------------------------------------------------------


def test_a_parent_who_arrives_later_is_joined(owner):
    load(owner, customer("child", sourceParentCustomerId="parent"))
    load(owner, customer("parent"))
    row = Enrollment.objects.get(customer=bulk.id_of(owner, "child"))
    assert Customer.objects.get(pk=row.parent_customer_id).external_id == "parent"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_of_parents_is_an_error(owner, length):
    line = [customer(f"c{n}", sourceParentCustomerId=f"c{n + 1}") for n in range(length - 1)]
    if line:
        assert set(outcomes(load(owner, *line))) == {"CREATED"}
    found = load(owner, customer(f"c{length - 1}", sourceParentCustomerId="c0"), customer("x"))
    assert outcomes(found) == ["FAILED", "CREATED"]
    assert errors(found) == {("/customers/0/sourceParentCustomerId", "PARENT_CYCLE")}


def test_a_circle_within_one_request_fails_where_it_closes(owner):
    found = load(
        owner,
        customer("a", sourceParentCustomerId="b"),
        customer("b", sourceParentCustomerId="c"),
        customer("c", sourceParentCustomerId="a"),
        customer("d", sourceParentCustomerId="a"),
    )
    assert outcomes(found) == ["CREATED", "CREATED", "FAILED", "CREATED"]


def test_turning_two_around_in_one_request_is_no_circle(owner):
    load(owner, customer("a", sourceParentCustomerId="b"), customer("b"))
    found = load(owner, customer("a"), customer("b", sourceParentCustomerId="a"))
    assert outcomes(found) == ["UPDATED", "UPDATED"]


# --- The address ----------------------------------------------------------------------------------


def test_a_move_changes_the_loaded_address_and_no_other(owner):
    load(owner, customer("c1"))
    loaded = Address.objects.get(customer=bulk.id_of(owner, "c1"))
    own = factories.make_address(bulk.stored(owner, "c1"), is_primary=False, zip_code="11111")
    load(owner, customer("c1", postalCode="V6B 1A1", country="CA"))
    loaded.refresh_from_db()
    own.refresh_from_db()
    assert (loaded.zip_code, loaded.country, loaded.is_primary) == ("V6B 1A1", "CAN", True)
    assert (own.zip_code, own.country) == ("11111", "USA")


def test_an_operators_primary_address_stays_primary(owner):
    made = factories.make_customer(owner.account, external_id="c1")
    own = factories.make_address(made, country="GBR", state="")
    load(owner, customer("c1"))
    assert {(a.id == own.id, a.is_primary) for a in made.addresses.all()} == {
        (True, True),
        (False, False),
    }


def test_a_repeat_does_not_undo_what_an_operator_did_to_the_loaded_address(owner):
    load(owner, customer("c1"))
    Address.objects.filter(customer=bulk.id_of(owner, "c1")).delete()
    assert outcomes(load(owner, customer("c1"))) == ["UNCHANGED"]
    assert not Address.objects.filter(customer=bulk.id_of(owner, "c1")).exists()
    assert outcomes(load(owner, customer("c1", postalCode="10001"))) == ["UPDATED"]
    assert Address.objects.get(customer=bulk.id_of(owner, "c1")).zip_code == "10001"


# --- Neighbours -----------------------------------------------------------------------------------


def test_a_good_item_is_stored_though_its_neighbour_is_bad(owner):
    bad = customer("bad", country="XX")
    found = load(owner, customer("c1"), bad, customer("c3"))
    assert outcomes(found) == ["CREATED", "FAILED", "CREATED"]
    assert found["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 1}
    assert [item["index"] for item in found["items"]] == [0, 1, 2]
    assert found["items"][1]["customerId"] is None
    assert Customer.objects.count() == 2


def test_an_item_is_stored_whole_or_not_at_all(owner):
    load(owner, customer("c1"))
    before = Change.objects.count()
    wrong = account("c1", "new", status="CLOSED")
    changed = customer("c1", organizationId="9", postalCode="1", accounts=[account("c1"), wrong])
    assert outcomes(load(owner, changed)) == ["FAILED"]
    assert Change.objects.count() == before


def test_the_same_customer_twice_in_a_body_is_an_error_of_the_second(owner):
    found = load(owner, customer("c1"), customer("c1", organizationId="9"))
    assert outcomes(found) == ["CREATED", "FAILED"]
    assert errors(found, 1) == {("/customers/1/sourceCustomerId", "DUPLICATE")}
    assert Enrollment.objects.get().organization_id == "50004"


def test_another_tenants_customer_of_the_same_source_id_is_another(owner, outsider):
    load(owner, customer("c1"))
    assert outcomes(load(outsider, customer("c1", organizationId="9"))) == ["CREATED"]
    assert Enrollment.objects.get(customer=bulk.id_of(owner, "c1")).organization_id == "50004"
    assert Account.objects.values("id").distinct().count() == 2


def test_what_was_sent_is_kept_only_as_long_as_something_failed(owner):
    load(owner, customer("c1"))
    assert not BulkContent.objects.exists()
    load(owner, customer("c2", country=""))
    assert BulkContent.objects.count() == 1


def test_reading_needs_the_scope_of_loading(account):
    reader = factories.make_speaker(account, scopes=(Scope.CUSTOMERS_READ,))
    assert reader.api.get(bulk.REQUESTS).status_code == 403
    assert reader.api.post(bulk.CUSTOMERS, SAMPLE).status_code == 403
