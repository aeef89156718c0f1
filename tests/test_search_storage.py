"""Result files in an S3-compatible bucket instead of a folder."""

import hashlib
import io
from datetime import timedelta
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from django.db.models.functions import Now

from config.files import bucket as bucket_files
from config.jobs.models import JobFailed
from customers.criteria import Criteria
from search import results, runner, services
from search.models import CustomerSearch
from tests import buckets
from tests.factories import Client, make_customer
from tests.workers import until, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def closed_bucket(bucket, settings):
    """The same, but clients cannot reach it."""
    default = settings.STORAGES["default"]
    closed = default | {"OPTIONS": default["OPTIONS"] | {"presigned": False}}
    settings.STORAGES = settings.STORAGES | {"default": closed}
    return bucket


def submit(speaker) -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="CSV",
    )


def run(search: CustomerSearch) -> CustomerSearch:
    runner.run(search.pk)
    search.refresh_from_db()
    return search


def names(bucket) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def link_to(speaker, search: CustomerSearch, member: str = "downloadUrl") -> str:
    body = speaker.api.get(f"/v1/search/customer-accounts/{search.pk}").json()
    return urlsplit(body[member]).path


@pytest.fixture
def finished(owner):
    """Makes a finished search of the owner's, and gives its file's content."""

    def finish(bucket) -> tuple[CustomerSearch, bytes]:
        make_customer(owner.account)
        search = run(submit(owner))
        assert search.status == "FINISHED"
        return search, bucket.Object(search.storage_name).get()["Body"].read()

    return finish


# --- Downloading ----------------------------------------------------------------------------------


def test_a_result_file_goes_to_a_bucket_and_the_link_leads_there(owner, bucket, finished):
    search, data = finished(bucket)
    name = search.storage_name
    assert names(bucket) == sorted([name, results.manifest_name(name)])
    assert hashlib.sha256(data).hexdigest() == search.sha256
    answer = Client().get(link_to(owner, search))
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert parse_qs(urlsplit(answer["Location"]).query)["X-Amz-Expires"] == ["60"]
    with urlopen(answer["Location"]) as file:
        assert file.read() == data
        assert file.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert file.headers["Content-Disposition"] == (
            f'attachment; filename="customer-accounts-{search.pk}.csv"'
        )
    with urlopen(Request(answer["Location"], headers={"Range": "bytes=5-9"})) as part:
        assert (part.status, part.read()) == (206, data[5:10])
    manifest = Client().get(link_to(owner, search, "manifestUrl"))["Location"]
    with urlopen(manifest) as file:
        assert file.headers["Content-Type"] == "application/json"
        assert search.sha256.encode() in file.read()


def test_only_who_may_have_the_file_is_led_to_it(owner, outsider, bucket, finished):
    search, _ = finished(bucket)
    link = link_to(owner, search)
    assert outsider.api.get(link).status_code == 404
    owner.oauth_client.is_active = False
    owner.oauth_client.save()
    assert Client().get(link).status_code == 404


def test_a_question_about_the_file_is_answered_here(owner, bucket, finished):
    search, data = finished(bucket)
    link = link_to(owner, search)
    head = Client().head(link)
    assert (head.status_code, head["Content-Length"]) == (200, str(len(data)))
    assert head["ETag"] == f'"{search.sha256}"'
    assert Client().get(link, HTTP_IF_NONE_MATCH=head["ETag"]).status_code == 304


def test_a_file_that_vanished_from_the_bucket_is_gone(owner, bucket, finished):
    search, _ = finished(bucket)
    bucket.Object(search.storage_name).delete()
    assert Client().get(link_to(owner, search)).status_code == 410


def test_from_a_bucket_that_clients_cannot_reach_only_the_range_is_fetched(
    owner, closed_bucket, way, finished
):
    search, data = finished(closed_bucket)
    link = link_to(owner, search)
    whole = Client().get(link)
    assert (whole.status_code, b"".join(whole.streaming_content)) == (200, data)
    assert whole["ETag"] == f'"{search.sha256}"'
    way.reset()
    part = Client().get(link, HTTP_RANGE="bytes=5-9")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, data[5:10])
    assert way.ranges == ["bytes=5-9"]


def test_a_download_that_breaks_off_goes_on_where_it_was(owner, closed_bucket, way, finished):
    search, data = finished(closed_bucket)
    answer = Client().get(link_to(owner, search))
    way.cut = 100
    assert b"".join(answer.streaming_content) == data
    assert way.ranges == [f"bytes=0-{len(data) - 1}", f"bytes=100-{len(data) - 1}"]


@pytest.mark.parametrize("broken", [{"refused": 100}, {"status": 503}])
def test_while_the_bucket_is_away_a_download_is_to_be_tried_again(
    owner, bucket, way, finished, broken
):
    search, _ = finished(bucket)
    link = link_to(owner, search)
    for name, value in broken.items():
        setattr(way, name, value)
    answer = Client().get(link)
    assert answer.status_code == 503
    assert "Retry-After" in answer
    way.reset()
    assert Client().get(link).status_code == 302


# --- Writing --------------------------------------------------------------------------------------


def test_a_deleted_search_leaves_nothing_in_the_bucket(owner, bucket):
    search = run(submit(owner))
    CustomerSearch.objects.update(expires_at=Now())
    services.delete_dead_files()
    assert names(bucket) == []
    CustomerSearch.objects.update(finished_at=Now() - timedelta(hours=1))
    services.delete_dead_files()
    assert CustomerSearch.objects.get(pk=search.pk).storage_name == ""


def test_a_file_that_breaks_off_is_never_in_the_bucket(owner, bucket, monkeypatch):
    make_customer(owner.account)
    search = submit(owner)
    read = runner.ResultStream.readinto

    def break_off(stream, target):
        if stream.size:
            raise ZeroDivisionError
        return read(stream, target)

    monkeypatch.setattr(runner.ResultStream, "readinto", break_off)
    with pytest.raises(ZeroDivisionError):
        runner.run(search.pk)
    search.refresh_from_db()
    assert (search.status, search.error_code) == ("FAILED", "INTERNAL_ERROR")
    assert names(bucket) == []
    assert list(bucket.multipart_uploads.all()) == []


class Zeros(io.RawIOBase):
    """So many zeros, and the most of them that were read before they had arrived."""

    def __init__(self, size: int, way) -> None:
        self.left = self.size = size
        self.way = way
        self.ahead = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        count = min(len(target), self.left)
        target[:count] = bytes(count)
        self.left -= count
        self.ahead = max(self.ahead, self.size - self.left - self.way.received)
        return count


def test_a_large_file_goes_in_parts_of_which_few_are_in_memory(bucket, way):
    way.reset()
    zeros = Zeros(10 * bucket_files.PART_BYTES, way)
    results.store("large", zeros)
    stored = bucket.Object("large")
    assert stored.content_length == zeros.size
    assert stored.e_tag.endswith('-10"')
    assert zeros.ahead <= 4 * bucket_files.PART_BYTES


def test_an_upload_bears_with_a_network_that_fails_twice(owner, bucket, way):
    make_customer(owner.account)
    search = submit(owner)
    way.refused = 2
    assert run(search).status == "FINISHED"
    assert (search.attempts, len(names(bucket))) == (1, 2)


def test_a_bucket_that_stays_away_fails_the_search_after_three_attempts(owner, bucket, way):
    make_customer(owner.account)
    search = submit(owner)
    way.status = 503
    for attempt in (1, 2):
        run(search)
        assert (search.status, search.attempts) == ("STARTED", attempt)
        CustomerSearch.objects.update(lease_until=Now())
    run(search)
    assert (search.status, search.error_code, search.attempts) == ("FAILED", "UNAVAILABLE", 3)
    way.reset()
    assert names(bucket) == []


def test_a_full_bucket_is_told_in_words(bucket, way):
    way.status = 507
    with pytest.raises(JobFailed) as failure:
        results.store("file", io.BytesIO(b"content"))
    assert failure.value.code == "STORAGE_FULL"


def test_a_worker_writes_to_the_bucket_that_the_environment_names(
    owner, bucket, way, own_queue, tmp_path
):
    make_customer(owner.account)
    variables = buckets.variables(way.url)
    search = submit(owner)
    with worker(own_queue, tmp_path, **variables):
        until(lambda: CustomerSearch.objects.get(pk=search.pk).status == "FINISHED")
    location = Client().get(link_to(owner, search))["Location"]
    with urlopen(location) as file:
        assert file.read().count(b"\r\n") == 2
    with pytest.raises(HTTPError):
        urlopen(location.replace("customer-accounts-", "other-"))
