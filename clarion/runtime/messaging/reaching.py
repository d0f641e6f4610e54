"""Whether a broker can be reached and takes us, with what to do if not: Kafka's client itself only says "no"."""

import asyncio
import contextlib
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.refusals import Place, Refused, Unreachable, tls_refusal
from clarion.runtime.settings import Settings, variable_of

TIMEOUT_MS = 10_000
CLOSE_SECONDS = 2.0
BOOTSTRAP = variable_of("kafka_bootstrap")
PROTOCOL = variable_of("kafka_security_protocol")
ADVERTISED = "advertised.listeners, the broker's own name for itself,"


async def reach_broker(settings: Settings) -> None:
    """Sign in to one of the brokers that are named, and to one as the cluster itself names them.

    Raises:
        MissingSetting, WrongSetting: what is set is not enough, or cannot be used.
        Refused: one is there, and certificate, login or protocol do not fit.
        Unreachable: none is there.
    """
    options = kafka_options(settings)
    named = [_host_and_port(one) for one in options.pop("bootstrap_servers").split(",")]
    connection = await _any_of(named, options, BOOTSTRAP)
    try:
        found = await connection.send(MetadataRequest([]))
    except (KafkaError, TimeoutError) as error:
        raise _explained(_place(connection.host, connection.port, BOOTSTRAP), error) from error
    finally:
        await _close(connection)
    await _close(await _any_of([(host, port) for _, host, port, *_ in found.brokers], options, ADVERTISED))


async def _any_of(places: list[tuple[str, int]], options: dict[str, Any], address: str) -> AIOKafkaConnection:
    """A connection to the first that takes us; a refusal says more than an absence."""
    failures: list[Refused | Unreachable] = []
    for host, port in places:
        connection = AIOKafkaConnection(host, port, request_timeout_ms=TIMEOUT_MS, **options)
        try:
            await connection.connect()
        except (OSError, KafkaError) as error:
            failures.append(_explained(_place(host, port, address), error))
            if isinstance(error, KafkaError):
                await _close(connection)
        else:
            return connection
    if not failures:
        raise Unreachable("Kafka's cluster has no broker for now")
    raise next((one for one in failures if isinstance(one, Refused)), failures[0])


async def _close(connection: AIOKafkaConnection) -> None:
    """Close a connection that was open, and wait until it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()


def _place(host: str, port: int, address: str) -> Place:
    return Place(f"Kafka at {host}:{port}", address, variable_of("kafka_ca_file"), variable_of("kafka_cert_file"))


def _explained(place: Place, error: Exception) -> Refused | Unreachable:
    if refusal := tls_refusal(place, error):
        return refusal
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            user, password = variable_of("kafka_sasl_username"), variable_of("kafka_sasl_password")
            return Refused(f"{place.server} refuses the login: look at {user} and {password}")
        case UnsupportedSaslMechanismError():
            return Refused(f"{place.server} does not offer {variable_of('kafka_sasl_mechanism')}: {error}")
        case IllegalSaslStateError():
            return Refused(f"{place.server} wants no login: look at {PROTOCOL}")
        case KafkaConnectionError() | ConnectionResetError():
            return Unreachable(
                f"{place.server} hangs up: it is starting or stopping, or {PROTOCOL} is not what it speaks"
            )
    reason = str(error) or type(error).__name__
    return Unreachable(f"{place.server} cannot be reached ({reason}): it is not running, or {place.address} is wrong")


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() and host else (text.strip(), 9092)
