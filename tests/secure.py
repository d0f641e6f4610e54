"""A broker and a database that want TLS and a login, as those of an installation do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from clarion.runtime.embedded import KafkaServer
from clarion.runtime.embedded.ports import any_free_port
from tests.certificates import LOOPBACK, Authority, Certificate

USER, PASSWORD = "clarion", "as-secret-as-it-gets"
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class SecureBroker:
    """A broker with a listener for each way of being spoken to, and where these are."""

    server: KafkaServer
    authority: Authority
    ports: Mapping[str, int]

    def address(self, listener: str = "SECURE") -> str:
        """host:port of one listener."""
        return f"{LOOPBACK}:{self.ports[listener]}"

    def variables(self) -> dict[str, str]:
        """What a process is told so that it can sign in, without the prefix of the variables."""
        return {
            "KAFKA_BOOTSTRAP": self.address(),
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": USER,
            "KAFKA_SASL_PASSWORD": PASSWORD,
            "KAFKA_CA_FILE": str(self.authority.file),
        }


def listener_settings(name: str, protocol: str, certificate: Certificate | None) -> dict[str, str]:
    """What makes a listener one of this protocol that shows this certificate."""
    prefix = f"listener.name.{name.lower()}"
    made = {}
    if certificate is not None:
        made |= {f"{prefix}.ssl.keystore.type": "PEM", f"{prefix}.ssl.keystore.location": str(certificate.key)}
    if protocol.startswith("SASL"):
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        made[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        made |= {
            f"{prefix}.{mechanism.lower()}.sasl.jaas.config": plain if mechanism == "PLAIN" else scram
            for mechanism in MECHANISMS
        }
    return made


def broker_settings(
    authority: Authority, listeners: Mapping[str, tuple[str, Certificate | None]], ports: Mapping[str, int]
) -> dict[str, str]:
    """The broker's settings for these listeners beside its own."""
    own = "PLAINTEXT://127.0.0.1:$port"
    further = ",".join(f"{name}://{LOOPBACK}:{ports[name]}" for name in listeners)
    advertised = further.replace(f"ASTRAY://{LOOPBACK}:{ports['ASTRAY']}", f"ASTRAY://{LOOPBACK}:1")
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"} | {
        name: protocol for name, (protocol, _) in listeners.items()
    }
    settings = {
        "listeners": f"{own},CONTROLLER://127.0.0.1:$controller_port,{further}",
        "advertised.listeners": f"{own},{advertised}",
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.mutual.ssl.truststore.type": "PEM",
        "listener.name.mutual.ssl.truststore.location": str(authority.file),
    }
    for name, (protocol, certificate) in listeners.items():
        settings |= listener_settings(name, protocol, certificate)
    return settings


@asynccontextmanager
async def secure_broker(folder: Path) -> AsyncIterator[SecureBroker]:
    """A broker with one good listener of each kind and one with each kind of bad certificate."""
    authority = Authority(folder)
    good = authority.issue("broker")
    listeners: dict[str, tuple[str, Certificate | None]] = {
        "SECURE": ("SASL_SSL", good),
        "MUTUAL": ("SSL", good),
        "OPEN": ("SASL_PLAINTEXT", None),
        "ASTRAY": ("SASL_SSL", good),
        "EXPIRED": ("SASL_SSL", authority.issue("expired", starts=-2, ends=-1)),
        "EARLY": ("SASL_SSL", authority.issue("early", starts=0.5)),
        "ELSEWHERE": ("SASL_SSL", authority.issue("elsewhere", host="kafka.example")),
        "STRANGE": ("SASL_SSL", Authority(folder, "stranger").issue("strange")),
    }
    ports = {name: any_free_port() for name in listeners}
    server = KafkaServer(
        folder / "kafka",
        keep_records_for_ever=True,
        further_settings=broker_settings(authority, listeners, ports),
        users={USER: PASSWORD},
    )
    try:
        await server.start()
        yield SecureBroker(server, authority, ports | {"PLAINTEXT": server.port})
    finally:
        await server.stop()


class Front:
    """TLS in front of a PostgreSQL, as its own wire protocol begins it: the embedded build has none."""

    def __init__(self, certificate: Certificate, backend_port: int, port: int | None = None) -> None:
        self.backend_port = backend_port
        self._trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._trust.load_cert_chain(certificate.key)
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self.port = port or any_free_port()
        self.sessions = 0

    async def start(self) -> None:
        """Listen on the port."""
        self._server = await asyncio.start_server(self._took, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Close everything at once, as an outage does."""
        if self._server is not None:
            self._server.close()
        for task in self._sessions:
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _took(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._sessions.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(8) != SSL_REQUEST:
            return
        writer.write(b"S")
        await writer.start_tls(self._trust)
        self.sessions += 1
        their_reader, their_writer = await asyncio.open_connection(LOOPBACK, self.backend_port)
        ways = [asyncio.create_task(_pass_on(*ends)) for ends in ((reader, their_writer), (their_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            their_writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()


@asynccontextmanager
async def secure_front(certificate: Certificate, url: str, authority: Authority) -> AsyncIterator[tuple[Front, str]]:
    """That server with TLS, and the DSN by which only one that the authority vouches for is spoken to."""
    parts = urlsplit(url)
    front = Front(certificate, parts.port or 5432)
    await front.start()
    login, _, _ = parts.netloc.rpartition("@")
    trusted = f"sslmode=verify-full&sslrootcert={authority.file}"
    try:
        yield front, urlunsplit(parts._replace(netloc=f"{login}@{LOOPBACK}:{front.port}", query=trusted))
    finally:
        await front.stop()
