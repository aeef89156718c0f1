"""Links of the document lead from each call to those that come next, and are filled rightly."""

import json
import re
from urllib.parse import urlencode
from uuid import UUID

import pytest
from inflection import underscore

from customers.models import Customer
from ingest import runner as loads
from ingest.models import BulkRequest
from search import runner as searches
from tests import factories, lookups
from tests.bulk import customer as bulk_customer
from tests.bulk import load, without
from tests.documented import documented_routes, examples, operations, send
from tests.inventory import make_documented, make_inventory
from tests.links import UNKNOWN, Made, links

# What a client does next, in the words of the contract.
NEXT = {
    "createCustomer": "readCustomer updateCustomer deleteCustomer suspendCustomer activateCustomer "
    "listActivities recordActivity listChanges readCustomersById removeAddress removeContact "
    "removeContactPoint",
    "deleteCustomer": "restoreCustomer",
    "recordActivity": "markActivity",
    "searchCustomers": "readCustomer readCustomersById",
    "submitSearch": "readSearch cancelSearch",
    "readSearch": "cancelSearch downloadResult",
    "createCustomers": "readBulkRequest retryBulkRequest undoBulkRequest readBulkResults "
    "readFailedItems updateAccounts updateCards",
    "loadFile": "readBulkRequest undoBulkRequest readBulkResults readFailedItems",
    "readBulkRequest": "readCustomer listChanges retryBulkRequest undoBulkRequest",
    "undoBulkRequest": "readBulkRequest readBulkResults",
    "readOwnBusinessAccount": "listChildren listDepartments",
    "listCustomers": "nextPage readCustomer",
}
PROFILE = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "King",
    "phones": [{"number": "+14155550142", "type": "MOBILE"}],
}
# Where a link leads to a refusal, for the answer that it starts from is that of an example.
REFUSED = {
    # The first way to reach somebody, and the first contact.
    "createCustomer -> removeContactPoint": "409",
    "createCustomer -> removeContact": "409",
    "readCustomer -> removeContactPoint": "409",
    "readCustomer -> removeContact": "409",
    # Of which nothing failed.
    "createCustomers -> retryBulkRequest": "409",
}
FILES = [link for link in links() if link.source == "loadFile"]
OPERATIONS = {each["operationId"]: (path, method, each) for path, method, each in operations()}
ROUTES = {route.path: route for route in documented_routes().values()}


def parameters(name, where):
    """The names of an operation's parameters of the path, or of the query."""
    return {
        each["name"] for each in OPERATIONS[name][2].get("parameters", ()) if each["in"] == where
    }


def test_what_comes_next_is_linked():
    linked = {(link.source, link.name) for link in links()}
    wanted = {(source, name) for source, names in NEXT.items() for name in names.split()}
    assert wanted - linked == set()


def test_every_call_of_one_thing_is_reached_by_a_link():
    reached = {link.target for link in links()}
    with_ids = {name for name, (path, _, _) in OPERATIONS.items() if "{" in path}
    assert with_ids - reached == set()


def test_every_page_leads_to_the_next_one():
    paged = {name for name in OPERATIONS if "cursor" in parameters(name, "query")}
    assert {link.source for link in links() if link.name == "nextPage"} == paged
    assert len(paged) > 5


def test_parameters_of_links_are_those_of_the_call_that_they_lead_to():
    for link in links():
        path, query = parameters(link.target, "path"), parameters(link.target, "query")
        missing = path - link.parameters.keys()
        assert missing <= ({"signature"} if link.target == "downloadResult" else set()), link
        assert link.parameters.keys() <= path | query, link
        for expression in link.parameters.values():
            if found := re.fullmatch(r"\$request\.(path|query)\.(\w+)", expression):
                assert found[2] in parameters(link.source, found[1]), link
            else:
                assert re.fullmatch(r"\$(request|response)\.body(#(/\w+)+)", expression), link


# --- Followed -------------------------------------------------------------------------------------


@pytest.fixture
def things(confidant, storage):
    """What there is, two of everything that is listed."""
    for name in ("North", "South"):
        factories.make_business_account(name, parent=confidant.account)
        factories.make_department(confidant.account, name)
    wrong = without(bulk_customer(), "country")
    loaded = load(confidant, bulk_customer(**PROFILE), wrong)
    make_inventory(confidant)
    made = make_documented(confidant)
    person = Customer.objects.get(pk=made["customer_id"])
    for suffix in ("Jr.", "Sr."):
        lookups.make_activity(person)
        confidant.api.put(f"/v1/customers/{person.pk}", {"suffix": suffix})
    factories.make_customer(confidant.account)
    return made | {"request_id of requests": loaded["requestId"]}


def make(api, name, ids, body=("application/json", ""), query=()):
    """Make a call; what jobs it has queued are done."""
    path, method, _ = OPERATIONS[name]
    url = ROUTES[path].url(ids) + (f"?{urlencode(query)}" if query else "")
    answer = send(api, method, url, *body)
    is_json = answer.get("Content-Type") == "application/json" and not answer.streaming
    content = json.loads(answer.content) if is_json else None
    if method != "GET" and answer.status_code == 200:
        if "queryId" in content:
            searches.run(UUID(content["queryId"]))
        if "requestId" in content:
            loads.run(BulkRequest.objects.get(public_id=content["requestId"]).pk)
    return answer, content


def bodies(name):
    """Each example of a call's body with its type; an empty one where it has none."""
    shown = [
        (kind, value) for kind, _, value in examples(OPERATIONS[name][2].get("requestBody", {}))
    ]
    return shown or [("application/json", "")]


def query_of(name):
    """The query of the documentation, and of pages one entry each."""
    shown = {
        each["name"]: next(iter(each["examples"].values()))["value"]
        for each in OPERATIONS[name][2].get("parameters", ())
        if each["in"] == "query" and each.get("examples")
    }
    return shown | ({"size": 1} if "cursor" in parameters(name, "query") else {})


def begun(api, link, things):
    """The call that a link starts from, with the first of its examples that fills the link."""
    path = OPERATIONS[link.source][0]
    if link.name == "removeContact" and "customer_id" in things:
        # A person has no contacts but itself.
        things = things | {"customer_id": things["customer_id of contacts"]}
    ids = {name: things[ROUTES[path].key(underscore(name), things)] for name in variables(path)}
    query = query_of(link.source)
    for body in bodies(link.source):
        answer, content = make(api, link.source, things, body, query)
        assert str(answer.status_code) == link.status, answer.content
        made = Made(ids, query, body[1], content)
        filled = {name: made.value(link.parameters[name]) for name in link.parameters}
        needed = parameters(link.target, "path") & filled.keys() | filled.keys() & {"cursor"}
        if UNKNOWN not in {filled[name] for name in needed}:
            return made, {name: value for name, value in filled.items() if value is not UNKNOWN}
    raise AssertionError("no example of the call fills the link")


def variables(path):
    """The names of a path's variables."""
    return re.findall(r"{(\w+)}", path)


def follow(api, link, things):
    """Make the call of a link and the one that it leads to; fails unless that is a success."""
    made, filled = begun(api, link, things)
    if link.target == "downloadResult":
        filled["signature"] = made.answer["downloadUrl"].split("/")[-2]
    names = variables(OPERATIONS[link.target][0])
    query = {name: value for name, value in filled.items() if name not in names}
    ids = {underscore(name): filled[name] for name in names}
    answer, content = make(api, link.target, ids, bodies(link.target)[0], query)
    expected = REFUSED.get(str(link), min(OPERATIONS[link.target][2]["responses"]))
    assert str(answer.status_code) == expected, answer.getvalue()
    if link.name == "nextPage":
        assert content["number"] == 1
        assert content["content"] != made.answer["content"]
    if link.target == "downloadResult":
        assert made.answer["downloadUrl"].endswith(answer.request["PATH_INFO"])


@pytest.mark.django_db
def test_each_link_leads_to_what_it_says(confidant, things, each_alone):
    """But those of files, which only a load of its own sessions can have done."""
    others = {str(link): (confidant.api, link, things) for link in links() if link not in FILES}
    each_alone(follow, others)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("link", FILES, ids=str)
def test_links_of_a_file_lead_to_what_they_say(confidant, storage, link):
    follow(confidant.api, link, {})
