"""The status of a search, its links, and who may use them."""

import hashlib
import json
import re
import time
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.db.models.functions import Now

from config.api.actors import DEFAULT_SCOPES, Scope
from customers.criteria import Criteria
from customers.models import BusinessAccount, ServiceAccount, User
from search import runner, services
from search.models import CustomerSearch
from tests import factories
from tests.factories import Client, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/v1/search/customer-accounts"


def submit(speaker, result_format: str = "CSV") -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format=result_format,
    )


def status(speaker, search: CustomerSearch):
    return speaker.api.get(f"{URL}/{search.pk}")


def path_of(url: str) -> str:
    assert url.startswith(f"{settings.PUBLIC_URL}/v1/search/results/")
    return urlsplit(url).path


@pytest.fixture
def finished(owner, child_account, storage) -> CustomerSearch:
    """A search of the owner's over the house and its child, run."""
    make_customer(owner.account)
    make_customer(child_account)
    search = submit(owner)
    runner.run(search.pk)
    return search


@pytest.fixture
def link(owner, finished) -> str:
    return path_of(status(owner, finished).json()["downloadUrl"])


@pytest.fixture
def manifest_link(owner, finished) -> str:
    return path_of(status(owner, finished).json()["manifestUrl"])


def body_of(response) -> bytes:
    return b"".join(response.streaming_content)


# --- Status ---------------------------------------------------------------------------------------


def test_a_waiting_search_says_so(owner):
    search = submit(owner)
    answer = status(owner, search)
    assert answer.status_code == 200
    assert answer.json() == {
        "queryId": str(search.pk),
        "status": "SUBMITTED",
        "resultFormat": "CSV",
        "compression": "NONE",
        "submittedAt": answer.json()["submittedAt"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.json()["submittedAt"])


def test_a_running_search_tells_how_far_it_is(owner):
    search = submit(owner)
    held = CustomerSearch.claim(search.pk, worker="tester")
    assert status(owner, search).json()["status"] == "PICKED"
    held.start()
    held.note(rows=30, bytes=4000, estimated_rows=120)
    body = status(owner, search).json()
    assert body["status"] == "STARTED"
    assert body["progress"] == {"rows": 30, "bytes": 4000, "estimatedRows": 120, "percent": 25}
    held.note(rows=130)
    assert status(owner, search).json()["progress"]["percent"] == 99
    assert "downloadUrl" not in body


def test_a_failed_search_says_why(owner):
    search = submit(owner)
    CustomerSearch.claim(search.pk, worker="tester").fail("STORAGE_FULL", "There is no space left.")
    body = status(owner, search).json()
    assert (body["status"], body["errorCode"]) == ("FAILED", "STORAGE_FULL")
    assert body["message"] == "There is no space left."
    assert "downloadUrl" not in body


def test_a_finished_search_has_links_and_figures(owner, finished):
    body = status(owner, finished).json()
    data = body_of(Client().get(path_of(body["downloadUrl"])))
    assert body["status"] == "FINISHED"
    assert body["fileName"] == f"customer-accounts-{finished.pk}.csv"
    assert body["downloadUrl"].endswith(body["fileName"])
    assert (body["rowCount"], body["byteCount"]) == (2, len(data))
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
    assert {"snapshotAt", "expiresAt", "startedAt", "finishedAt"} <= set(body)
    assert "progress" not in body


def test_the_status_takes_two_queries(owner, finished, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert status(owner, finished).status_code == 200


def test_the_list_shows_the_clients_searches_newest_first(
    owner, colleague, finished, django_assert_num_queries
):
    newer = submit(owner)
    submit(colleague)
    # The token, the ids with their number, and the rows.
    with django_assert_num_queries(3):
        answer = owner.api.get(URL)
    body = answer.json()
    assert answer.status_code == 200
    assert [row["queryId"] for row in body["content"]] == [str(newer.pk), str(finished.pk)]
    assert body["totalElements"] == 2
    assert "downloadUrl" in body["content"][1]
    second = owner.api.get(URL, {"size": 1, "page": 1}).json()["content"]
    assert [row["queryId"] for row in second] == [str(finished.pk)]
    assert owner.api.get(URL, {"colour": "red"}).status_code == 400


# --- Cancelling -----------------------------------------------------------------------------------


def test_a_waiting_search_can_be_cancelled(owner):
    search = submit(owner)
    assert owner.api.delete(f"{URL}/{search.pk}").status_code == 204
    assert status(owner, search).json()["status"] == "ABORTED"
    assert owner.api.delete(f"{URL}/{search.pk}").status_code == 204


def test_deleting_a_finished_search_deletes_its_file_and_keeps_its_status(
    owner, finished, link, manifest_link, storage
):
    assert owner.api.delete(f"{URL}/{finished.pk}").status_code == 204
    assert list(storage.rglob("*.csv*")) == []
    body = status(owner, finished).json()
    assert body["status"] == "FINISHED"
    assert "downloadUrl" not in body
    for url in (link, manifest_link):
        assert Client().get(url).status_code == 410
    assert owner.api.delete(f"{URL}/{finished.pk}").status_code == 204


# --- Downloading ----------------------------------------------------------------------------------


def test_the_file_comes_with_all_that_a_download_manager_wants(finished, link):
    answer = Client().get(link)
    data = body_of(answer)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["Content-Disposition"] == (
        f'attachment; filename="customer-accounts-{finished.pk}.csv"'
    )
    assert answer["Content-Length"] == str(len(data))
    assert answer["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert len(data.splitlines()) == 3


def test_the_manifest_travels_with_the_file(finished, manifest_link):
    answer = Client().get(manifest_link)
    manifest = json.loads(body_of(answer))
    assert answer["Content-Type"] == "application/json"
    assert (manifest["queryId"], manifest["complete"]) == (str(finished.pk), True)


def test_a_head_request_has_the_headers_alone(link):
    answer = Client().head(link)
    assert answer.status_code == 200
    assert int(answer["Content-Length"]) > 0
    assert b"".join(answer) == b""


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", slice(None)),
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-19", slice(10, 20)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=100-99999999", slice(100, None)),
        ("bytes=-99999999", slice(None)),
    ],
)
def test_a_range_is_206(link, asked, part):
    data = body_of(Client().get(link))
    answer = Client().get(link, HTTP_RANGE=asked)
    first, last, size = map(int, re.findall(r"\d+", answer["Content-Range"]))
    assert answer.status_code == 206
    assert body_of(answer) == data[part] == data[first : last + 1]
    assert answer["Content-Length"] == str(last - first + 1)
    assert size == len(data)


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "x"])
def test_a_range_that_is_none_gives_the_whole_file(link, asked):
    assert Client().get(link, HTTP_RANGE=asked).status_code == 200


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(link, asked):
    answer = Client().get(link, HTTP_RANGE=asked)
    assert answer.status_code == 416
    assert re.fullmatch(r"bytes \*/\d+", answer["Content-Range"])
    assert answer.json()["errorCode"] == "RANGE_NOT_SATISFIABLE"


def test_what_the_client_has_already_is_not_sent_again(link):
    etag = Client().get(link)["ETag"]
    for known in (etag, "*", f"W/{etag}", f'"other", {etag}', f'{etag},W/"other"'):
        answer = Client().get(link, HTTP_IF_NONE_MATCH=known)
        assert (answer.status_code, answer.content) == (304, b""), known
    for other in ('"other"', f"x{etag}", etag.strip('"')):
        assert Client().get(link, HTTP_IF_NONE_MATCH=other).status_code == 200, other
    part = {"HTTP_RANGE": "bytes=0-9"}
    assert Client().get(link, HTTP_IF_RANGE=etag, **part).status_code == 206
    assert Client().get(link, HTTP_IF_RANGE='"other"', **part).status_code == 200


def test_a_link_runs_out_and_a_new_one_is_had(owner, finished, settings):
    seconds, settings.RESULT_LINK_SECONDS = settings.RESULT_LINK_SECONDS, -1
    over = path_of(status(owner, finished).json()["downloadUrl"])
    assert Client().get(over).status_code == 410
    settings.RESULT_LINK_SECONDS = seconds
    fresh = path_of(status(owner, finished).json()["downloadUrl"])
    assert Client().get(fresh).status_code == 200


@pytest.mark.parametrize("hours", [-2, 2])
def test_links_go_by_the_database_s_clock(owner, finished, link, monkeypatch, hours):
    wrong = time.time() + hours * 3600
    monkeypatch.setattr(time, "time", lambda: wrong)
    assert Client().get(link).status_code == 200
    again = path_of(status(owner, finished).json()["downloadUrl"])
    monkeypatch.undo()
    assert Client().get(again).status_code == 200


def test_an_expired_result_is_gone_and_its_file_deleted(owner, finished, link, storage):
    CustomerSearch.objects.update(expires_at=Now())
    assert Client().get(link).status_code == 410
    services.delete_dead_files()
    assert list(storage.rglob("*.csv*")) == []
    assert Client().get(link).status_code == 410
    body = status(owner, finished).json()
    assert (body["status"], "downloadUrl" in body) == ("FINISHED", False)


def test_a_file_that_cannot_be_deleted_holds_up_no_other(owner, storage, monkeypatch):
    searches = [submit(owner), submit(owner)]
    for search in searches:
        runner.run(search.pk)
    CustomerSearch.objects.update(expires_at=Now())
    remove = services.results.remove

    def stubborn(search):
        if search.pk == searches[0].pk:
            raise PermissionError(search.pk)
        remove(search)

    with monkeypatch.context() as patch:
        patch.setattr(services.results, "remove", stubborn)
        services.delete_dead_files()
    names = [CustomerSearch.objects.get(pk=search.pk).storage_name for search in searches]
    left = {path for path in storage.rglob("*") if path.is_file()}
    assert [name for name in names if storage / name in left] == names[:1]
    services.delete_dead_files()
    assert list(storage.rglob("*.csv*")) == []


def test_what_a_cancelled_worker_left_is_deleted(owner, storage):
    search = submit(owner)
    held = CustomerSearch.claim(search.pk, worker="dead")
    held.start()
    name = services.results.name_for(held)
    held.note(storage_name=name)
    (storage / name).parent.mkdir(parents=True)
    (storage / f"{name}.part").write_bytes(b"half a fi")
    held.abort("CANCELLED", "The search was cancelled.")
    services.delete_dead_files()
    assert [path for path in storage.rglob("*") if path.is_file()] == []


# --- Nobody else ----------------------------------------------------------------------------------

OTHERS = ["colleague", "child", "parent", "sibling", "outsider"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_search_is_not_there_for_anybody_else(request, finished, link, manifest_link, name):
    other = request.getfixturevalue(name)
    missing = other.api.get(f"{URL}/{uuid4()}").json()
    answer = status(other, finished)
    assert answer.status_code == 404
    assert answer.json()["message"] == missing["message"]
    assert answer.json()["errorCode"] == missing["errorCode"]
    assert other.api.delete(f"{URL}/{finished.pk}").status_code == 404
    assert other.api.get(URL).json()["totalElements"] == 0
    for url in (link, manifest_link):
        assert other.api.get(url).status_code == 404
    assert CustomerSearch.objects.get(pk=finished.pk).status == "FINISHED"


def test_without_a_token_there_is_nothing_but_signed_links(finished, link):
    stranger = Client()
    assert stranger.post(URL, {}).status_code == 401
    assert stranger.get(URL).status_code == 401
    assert stranger.get(f"{URL}/{finished.pk}").status_code == 401
    assert Client("bad").get(link).status_code == 401


def test_a_token_without_the_scope_is_403(reader, finished, link):
    assert reader.api.get(URL).status_code == 403
    assert reader.api.post(URL, {}).status_code == 403
    assert status(reader, finished).status_code == 403
    assert reader.api.get(link).status_code == 403


def test_a_link_cannot_be_made_up_or_changed(owner, finished, link):
    _, signature, file_name = link.rsplit("/", 2)
    other = submit(owner)
    runner.run(other.pk)
    for path in (
        link.replace(signature, signature[:-1] + ("x" if signature[-1] != "x" else "y")),
        link.replace(str(finished.pk), str(other.pk)),
        link.replace(file_name, f"{file_name}.manifest.json"),
        link.replace(file_name, f"../{file_name}"),
        link.replace(file_name, f"%2e%2e%2f{file_name}"),
        link.replace(file_name, f"{file_name}%0d%0aX-Added:%20here"),
        link.replace(signature, "x"),
        link.replace(signature, "1:2:3"),
    ):
        assert Client().get(path).status_code == 404
        assert owner.api.get(path).status_code == 404


def revoke_client(owner):
    owner.oauth_client.is_active = False
    owner.oauth_client.save()


def revoke_program(owner):
    ServiceAccount.objects.filter(pk=owner.actor.id).update(is_active=False)


def take_scope(owner):
    kept = [scope for scope in DEFAULT_SCOPES if scope != Scope.SEARCH_RUN]
    ServiceAccount.objects.filter(pk=owner.actor.id).update(scopes=kept)


def move_child(owner):
    BusinessAccount.objects.filter(parent=owner.account).update(parent=None)


def move_program(owner):
    elsewhere = factories.make_business_account("Elsewhere")
    ServiceAccount.objects.filter(pk=owner.actor.id).update(business_account=elsewhere)


def delete_client(owner):
    owner.oauth_client.delete()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (revoke_client, 401),
        (revoke_program, 401),
        (delete_client, 401),
        (take_scope, 403),
        (move_child, 404),
        (move_program, 404),
    ],
)
def test_a_link_is_worth_nothing_when_its_client_lost_its_rights(
    owner, finished, link, manifest_link, change, code
):
    change(owner)
    assert status(owner, finished).status_code == code
    for url in (link, manifest_link):
        assert Client().get(url).status_code == 404
        assert owner.api.get(url).status_code == code


def test_an_account_added_later_takes_nothing_away(owner, finished, link):
    factories.make_business_account("New", parent=owner.account)
    assert Client().get(link).status_code == 200
    assert status(owner, finished).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.groups.clear(),
        lambda user: User.objects.filter(pk=user.pk).update(
            business_account=factories.make_business_account()
        ),
        lambda user: user.delete(),
    ],
)
def test_an_employees_link_is_worth_as_much_as_the_employee(employee, storage, change):
    search = submit(employee)
    runner.run(search.pk)
    url = path_of(status(employee, search).json()["downloadUrl"])
    assert Client().get(url).status_code == 200
    change(employee.user)
    assert Client().get(url).status_code == 404
