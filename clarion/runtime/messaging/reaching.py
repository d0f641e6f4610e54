"""Whether a broker can be reached and takes us, with what to do if not: Kafka's client itself only says "no"."""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, create_conn
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
        connection.close()
    (await _any_of([(host, port) for _, host, port, *_ in found.brokers], options, ADVERTISED)).close()


async def _any_of(places: list[tuple[str, int]], options: dict[str, Any], address: str) -> AIOKafkaConnection:
    """A connection to the first that takes us; a refusal says more than an absence."""
    failures: list[Refused | Unreachable] = []
    for host, port in places:
        try:
            return await create_conn(host, port, request_timeout_ms=TIMEOUT_MS, **options)
        except (OSError, KafkaError) as error:
            failures.append(_explained(_place(host, port, address), error))
    if not failures:
        raise Unreachable("Kafka's cluster has no broker for now")
    raise next((one for one in failures if isinstance(one, Refused)), failures[0])


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
