"""A broker and a database behind TLS and a login: who gets in, what is said to who does not, and how one leaves."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import uvloop
from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup

from clarion.runtime.database.reaching import reach_database
from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.messaging.consumer import Pulse, SteadyConsumer, consumer_settings
from clarion.runtime.messaging.reaching import reach_broker
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.refusals import Refused, Unreachable
from clarion.runtime.settings import Settings
from tests.certificates import Authority, Certificate
from tests.conftest import Until, memory_disk
from tests.runtime.messaging.conftest import ECHO
from tests.secure import MECHANISMS, SecureBroker, secure_broker, secure_front

NO_LOGIN = {"kafka_sasl_mechanism": None, "kafka_sasl_username": None, "kafka_sasl_password": None}


@pytest.fixture(scope="module")
def broker() -> Iterator[SecureBroker]:
    """One for all tests of this file."""
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory(dir=memory_disk()) as folder:
        here = secure_broker(Path(folder))
        yield runner.run(here.__aenter__())
        runner.run(here.__aexit__(None, None, None))


def signed_in(broker: SecureBroker, **others: Any) -> Settings:
    """The right settings, but for those that are given."""
    right = {name.lower(): value for name, value in broker.variables().items()}
    return Settings(_env_file=None, **right | others)


@pytest.fixture
def reached(broker: SecureBroker) -> Callable[..., Coroutine[Any, Any, None]]:
    """Try a listener with the right settings, but for those that are given."""

    async def reach(listener: str = "SECURE", **others: Any) -> None:
        await reach_broker(signed_in(broker, **{"kafka_bootstrap": broker.address(listener)} | others))

    return reach


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_user_with_the_password_gets_in_and_another_is_told_what_to_look_at(
    mechanism: str, reached: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    await reached(kafka_sasl_mechanism=mechanism)
    with pytest.raises(Refused, match="refuses the login: look at CLARION_KAFKA_SASL_USERNAME") as raised:
        await reached(kafka_sasl_mechanism=mechanism, kafka_sasl_password="guessed-wrong")
    assert "guessed-wrong" not in str(raised.value)


@pytest.mark.parametrize(
    ("listener", "said"),
    [
        ("EXPIRED", "the certificate of Kafka at .* expired: renew it there"),
        ("EARLY", "the certificate of Kafka at .* is not valid yet: this machine's clock"),
        ("STRANGE", "signed by an authority that is not trusted here: name its file in CLARION_KAFKA_CA_FILE"),
        ("ELSEWHERE", "is for another name: call it in CLARION_KAFKA_BOOTSTRAP as its certificate does"),
    ],
)
async def test_a_bad_certificate_is_refused_with_what_to_do(
    listener: str, said: str, reached: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    with pytest.raises(Refused, match=said):
        await reached(listener)


async def test_a_broker_that_asks_for_a_certificate_gets_ours(
    broker: SecureBroker, reached: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    plain = {"kafka_security_protocol": "SSL", **NO_LOGIN}
    with pytest.raises(Refused, match=r"wants another certificate of ours .*: look at CLARION_KAFKA_CERT_FILE"):
        await reached("MUTUAL", **plain)
    ours = broker.authority.issue("ours")
    await reached("MUTUAL", **plain, kafka_cert_file=ours.certificate, kafka_key_file=ours.key)


async def test_a_login_without_tls_works_where_the_broker_offers_it(
    reached: Callable[..., Coroutine[Any, Any, None]],
) -> None:
    await reached("OPEN", kafka_security_protocol="SASL_PLAINTEXT", kafka_ca_file=None)


@pytest.mark.parametrize(
    ("listener", "others"),
    [
        ("SECURE", {"kafka_security_protocol": "PLAINTEXT", "kafka_ca_file": None, **NO_LOGIN}),
        ("SECURE", {"kafka_security_protocol": "SSL", **NO_LOGIN}),
        ("PLAINTEXT", {}),
        ("OPEN", {}),
    ],
)
async def test_the_wrong_protocol_is_told_apart_from_a_start_by_nobody_so_both_are_said(
    listener: str, others: dict[str, Any], reached: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    with pytest.raises(Unreachable, match="starting or stopping, or CLARION_KAFKA_SECURITY_PROTOCOL is not what"):
        await reached(listener, **others)


async def test_one_broker_of_several_is_enough_and_a_refusal_says_more_than_an_absence(
    broker: SecureBroker, reached: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    await reached(kafka_bootstrap=f"127.0.0.1:1,{broker.address()}")
    with pytest.raises(Refused, match="expired"):
        await reached(kafka_bootstrap=f"127.0.0.1:1,{broker.address('EXPIRED')}")
    for nobody in ("127.0.0.1:1", "kafka.invalid:9093", "kafka.invalid"):
        with pytest.raises(Unreachable, match="it is not running, or CLARION_KAFKA_BOOTSTRAP is wrong"):
            await reached(kafka_bootstrap=nobody)


async def test_a_broker_that_calls_itself_by_an_address_where_it_is_not_is_told(
    reached: Callable[..., Coroutine[Any, Any, None]],
) -> None:
    with pytest.raises(Unreachable, match=r"Kafka at 127.0.0.1:1 cannot be reached .* or advertised\.listeners, the"):
        await reached("ASTRAY")


def test_a_consumer_that_ends_does_not_wait_for_the_answers_that_are_still_to_come(
    broker: SecureBroker, until: Until
) -> None:
    """On uvloop, as it is served: with two answers to come its goodbye over TLS takes half a minute."""
    settings = signed_in(broker, kafka_replication=1)
    place = TopicPartition(ECHO.name, 0)

    async def end_in_between() -> float:
        await ensure_topics(settings, [ECHO])
        options = {
            **kafka_options(settings),
            **consumer_settings(settings),
            "group_id": "ends",
            "fetch_max_wait_ms": 10_000,
        }
        consumer = SteadyConsumer(ECHO.name, pulse=Pulse(ECHO.name), given_up=asyncio.Event(), **options)
        await consumer.start()
        await consumer.position(place)
        waiting = consumer._client._conns[1, ConnectionGroup.DEFAULT]._requests
        await until(lambda: len(waiting) == 1)
        asking = asyncio.create_task(consumer.end_offsets([place]))
        await until(lambda: len(waiting) == 2)
        told_at = time.monotonic()
        await consumer.stop()
        took = time.monotonic() - told_at
        asking.cancel()
        return took

    assert uvloop.run(end_in_between()) < 5


@contextlib.asynccontextmanager
async def fronted(url: str, authority: Authority, certificate: Certificate) -> AsyncIterator[Callable[..., Any]]:
    """The run's database behind TLS; what is given tries it, with parts of the DSN replaced."""
    async with secure_front(certificate, url, authority) as (front, secure):

        async def reach(**others: str) -> None:
            parts = urlsplit(secure)._replace(**others)
            await reach_database(Settings(_env_file=None, database_url=urlunsplit(parts)))

        reach.front = front  # type: ignore[attr-defined]
        reach.parts = urlsplit(secure)  # type: ignore[attr-defined]
        yield reach


async def test_a_database_is_spoken_to_over_tls_alone_and_a_wrong_login_or_name_is_told(
    database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with fronted(database_url, authority, authority.issue("database")) as reach:
        await reach()
        assert reach.front.sessions == 1
        address = reach.parts.netloc.rpartition("@")[2]
        with pytest.raises(Refused, match="refuses the login: look at user and password in CLARION_DATABASE_URL"):
            await reach(netloc=f"clarion:guessed@{address}")
        with pytest.raises(Refused, match='database "absent" does not exist'):
            await reach(path="/absent")
        with pytest.raises(Refused, match="a file or socket that CLARION_DATABASE_URL names"):
            await reach(query="sslmode=verify-full&sslrootcert=/absent.pem")
        with pytest.raises(Refused, match="`sslmode` parameter must be one of"):
            await reach(query="sslmode=tight")
        with pytest.raises(Unreachable, match=r"the database cannot be reached .* or CLARION_DATABASE_URL is wrong"):
            await reach(netloc="clarion:x@127.0.0.1:1")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"starts": -2, "ends": -1}, "the certificate of the database expired: renew it there"),
        ({"host": "db.example"}, "is for another name: call it in CLARION_DATABASE_URL as its certificate does"),
        (None, "not trusted here: name its file in sslrootcert= in CLARION_DATABASE_URL"),
    ],
)
async def test_a_bad_certificate_of_the_database_is_refused_with_what_to_do(
    made: dict[str, Any] | None, said: str, database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    shown = Authority(tmp_path, "stranger").issue("strange") if made is None else authority.issue("bad", **made)
    async with fronted(database_url, authority, shown) as reach:
        with pytest.raises(Refused, match=said):
            await reach()


async def test_a_database_without_tls_is_not_spoken_to_where_tls_is_wanted(database_url: str) -> None:
    with pytest.raises(Refused, match="speaks no TLS: switch it on there"):
        await reach_database(Settings(_env_file=None, database_url=f"{database_url}?sslmode=require"))
