"""RabbitMQ as the broker: the same promises as with Redis, whose queues are nothing like it."""

import signal
from collections.abc import Iterator
from functools import partial

import pytest
from kombu.exceptions import OperationalError as BrokerError

from config.celery import Kith
from config.celery import app as celery
from config.jobs import messages
from config.jobs.reaper import reap
from search.models import CustomerSearch
from tests import factories
from tests.factories import make_customer, make_employee
from tests.jobs import submit
from tests.servers import Rabbit
from tests.workers import locked, lose_messages, unaided, until, waiting_copies, worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.no_cover,
    pytest.mark.long,
    pytest.mark.rabbitmq,
]


@pytest.fixture
def broker(rabbit, own_queue, monkeypatch) -> Iterator[Rabbit]:
    """The broker of this process; its queue is there, and empty."""
    with monkeypatch.context() as patch:
        patch.setitem(celery.conf, "broker_url", rabbit.url)
        celery._after_fork()  # connections at hand are forgotten
        with celery.connection_for_write() as connection:
            celery.amqp.queues[own_queue].bind(connection.default_channel).declare()
        lose_messages()
        yield rabbit
    celery._after_fork()


def search(speaker) -> CustomerSearch:
    make_customer(speaker.account)
    return submit(speaker)


def status(job: CustomerSearch) -> str:
    job.refresh_from_db()
    return job.status


def ends(job: CustomerSearch) -> None:
    """Wait until it has FINISHED; a message that was used up meanwhile is sent again."""
    until(lambda: (reap(), status(job))[1] == "FINISHED")


def test_registries_that_share_a_broker_have_queues_of_their_own(broker, owner):
    other = Kith("other", set_as_current=False)
    other.conf.update(broker_url=broker.url, task_default_queue="other")
    other.send_task("config.tasks.reap_jobs")
    search(owner)
    until(lambda: messages.waiting() == 1)
    with other.connection_for_write() as connection:
        left = connection.default_channel.queue_delete("other")
    assert left == 1


def test_a_worker_that_is_killed_gives_its_message_back_at_once(broker, owner, own_queue, data):
    variables = {"KITH_BROKER_URL": broker.url}
    with locked("customers_address"), worker(own_queue, data, **variables) as first:
        job = search(owner)
        until(waiting_copies)
        assert messages.waiting() == 0
        first.send_signal(signal.SIGKILL)
        first.wait()
        until(lambda: messages.waiting() == 1)
    with worker(own_queue, data, **variables):
        ends(job)
        until(lambda: messages.waiting() == 0)
    assert job.attempts == 2


def queued() -> int:
    """How many jobs have a message, as far as this process knows."""
    return CustomerSearch.objects.filter(queued_at__isnull=False).count()


def test_a_broker_that_comes_back_has_all_messages_and_gets_those_that_are_missing(
    broker, owner, own_queue, data
):
    mail = celery.tasks["customers.tasks.mail_password_link"]
    person = str(make_employee(owner.account).pk)
    jobs = [search(owner)]
    broker.restart()
    # The connection that is at hand is gone, which nobody has told this process.
    jobs.append(submit(owner))
    mail.delay(person)
    until(lambda: messages.waiting() == 3)
    broker.stop()
    try:
        with pytest.raises((BrokerError, OSError)):
            mail.delay(person)
        jobs.append(submit(factories.make_speaker(owner.account)))
        assert (messages.waiting(), queued()) == (None, 2)
        with worker(own_queue, data, KITH_BROKER_URL=broker.url):
            broker.start()
            celery._after_fork()
            for job in jobs:
                ends(job)
            until(lambda: messages.waiting() == 0)
    finally:
        broker.start_again()
    assert {job.attempts for job in jobs} == {1}


def test_a_broker_that_says_nothing_holds_nobody_up_for_long(broker, owner, own_queue):
    submit(owner)
    with celery.connection_for_write() as connection:
        ask = partial(connection.default_channel.queue_declare, own_queue, passive=True)
        assert ask().message_count
        with broker.frozen(), unaided(partial(broker.send, signal.SIGCONT)):
            for call in (lambda: submit(owner), messages.waiting, partial(failing, ask)):
                call()


def failing(ask) -> None:
    with pytest.raises(TimeoutError):
        ask()


def given_up(broker: Rabbit) -> int:
    """How often the broker has taken messages back; the worker may have them again at once."""
    return broker.log.read_text(errors="replace").count("has timed out waiting for delivery")


def test_a_job_that_takes_longer_than_the_broker_waits_is_done_once(broker, owner, own_queue, data):
    """RabbitMQ closes the channel of a worker that does not acknowledge in time."""
    before = given_up(broker)
    with worker(own_queue, data, processes=1, KITH_BROKER_URL=broker.url) as process:
        with locked("customers_address"):
            job = search(owner)
            until(waiting_copies)
            until(lambda: given_up(broker) > before or process.poll() is not None)
        assert process.poll() is None
        ends(job)
        later = search(owner)
        ends(later)
    assert (job.attempts, later.attempts) == (1, 1)
