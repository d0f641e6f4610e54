"""Takes mail to the bounce address by SMTP and LMTP, and answers that it took one only once that is kept."""

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, is_transient
from clarion.services.notifications.bounces import operations
from clarion.services.notifications.bounces.return_path import About, ReturnPath

log = structlog.get_logger(__name__)

LOOPBACK = "127.0.0.1"
LISTENER = re.compile(r"(smtp|lmtp)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})/?")
MAIL_OCTETS = 1_000_000
LINE_OCTETS = 65_536
CONNECTIONS = 100
RECIPIENTS = 100
MAILS_PER_SECOND = 100.0
MAILS_AT_ONCE = 1_000
IDLE_SECONDS = 60.0
BEAT_SECONDS = 5.0
NOT_OURS = "550 5.1.1 no such address here"
FORGED = "550 5.7.1 this is no address that we made"
TOO_MANY = "452 4.5.3 too many recipients"
BUSY = "451 4.7.1 too much mail at once, come again later"
AWAY = "451 4.3.0 it cannot be kept for the moment, come again later"
KEPT = "250 2.6.0 it is kept"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where mail is taken, and how."""

    protocol: Literal["smtp", "lmtp"]
    host: str
    port: int


def read_listeners(text: str) -> list[Listener]:
    """Listeners from "smtp://127.0.0.1:2525 lmtp://:2424", none from "off"; without a host it is this machine alone.

    Raises:
        ValueError: it cannot be read.
    """
    if text.strip() == "off":
        return []
    found = []
    for one in text.split():
        matched = LISTENER.fullmatch(one)
        if matched is None or int(matched[3]) > 65_535:
            raise ValueError("CLARION_BOUNCE_LISTEN is smtp://host:port, lmtp://host:port, both with a space, or off")
        protocol = cast("Literal['smtp', 'lmtp']", matched[1])
        found.append(Listener(protocol, matched[2].strip("[]") or LOOPBACK, int(matched[3])))
    return found


class Allowance:
    """So many at once, and so many a second from then on."""

    def __init__(self, per_second: float, at_once: float) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._left = at_once
        self._seen_at: float | None = None

    def take(self, now: float) -> bool:
        """Whether there is one left; `now` is of a clock that never goes back."""
        passed = 0.0 if self._seen_at is None else now - self._seen_at
        self._left = min(self._at_once, self._left + passed * self._per_second)
        self._seen_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class BounceServer:
    """Listens until it is stopped. In several processes on one machine they share the ports.

    `refused` counts what was not taken, by why.
    """

    name = "bounces"

    def __init__(
        self, database: Database, return_path: ReturnPath, listeners: Sequence[Listener], clock: Clock
    ) -> None:
        self.database = database
        self.return_path = return_path
        self.listeners = listeners
        self.clock = clock
        self.refused: Counter[str] = Counter()
        self.ports: dict[str, int] = {}
        self.connections: set[SMTP] = set()
        self.allowance = Allowance(MAILS_PER_SECOND, MAILS_AT_ONCE)

    async def run(self, stopping: asyncio.Event) -> None:
        """Take mail until stopped; raises OSError where a port cannot be had."""
        # It logs every command, and so people's addresses.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        servers = []
        try:
            for one in self.listeners:
                accept = partial(connection_of, self, one.protocol)
                server = await loop.create_server(accept, one.host, one.port, reuse_port=True)
                servers.append(server)
                self.ports[one.protocol] = server.sockets[0].getsockname()[1]
                log.info("bounces.listening", protocol=one.protocol, host=one.host, port=self.ports[one.protocol])
            while not stopping.is_set():
                beat()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await stopping.wait()
        finally:
            for server in servers:
                server.close()
            for connection in list(self.connections):
                hang_up(connection)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take recipients that are ours alone."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return TOO_MANY
        if not self.return_path.ours(address) and self.return_path.read(address) is None:
            forged = self.return_path.shaped(address)
            self.refused["forged" if forged else "not-ours"] += 1
            return FORGED if forged else NOT_OURS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail for each of its recipients, all or none; in LMTP each has an answer (RFC 2033, 4.2)."""
        reply = await self._kept(envelope)
        return "\r\n".join([reply] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else reply

    async def _kept(self, envelope: Envelope) -> str:
        if not self.allowance.take(asyncio.get_running_loop().time()):
            self.refused["too-many"] += 1
            return BUSY
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        named = dict.fromkeys(self.return_path.read(address) for address in envelope.rcpt_tos)
        try:
            await self.keep(content, list(named))
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail is not kept and comes again
            self.refused["away"] += 1
            if not is_transient(error):
                log.warning("bounces.not_kept", error=type(error).__name__)
            return AWAY
        return KEPT

    async def keep(self, content: bytes, named: Sequence[About | None]) -> None:
        """Commit the mail, once for each mail of ours that its recipients name."""
        async with self.database.transaction() as tx:
            for about in named:
                await operations.keep(tx, "mail", content, self.clock(), about=about)

    async def handle_exception(self, error: Exception) -> str:
        """What went wrong in a session is ours, and may be mended."""
        log.error("bounces.session_failed", error=type(error).__name__)
        return AWAY


class Known:
    """A connection that its server knows, so that there are not too many and stopping ends them."""

    line_length_limit = LINE_OCTETS
    event_handler: BounceServer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or say at once that there are too many."""
        open_ones = self.event_handler.connections
        if len(open_ones) >= CONNECTIONS:
            self.event_handler.refused["connections"] += 1
            way = cast("asyncio.Transport", transport)
            way.write(b"421 4.3.2 too many connections, come again later\r\n")
            way.close()
            return
        open_ones.add(cast("SMTP", self))
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self.event_handler.connections.discard(cast("SMTP", self))
        super().connection_lost(error)  # type: ignore[misc]


class SmtpSession(Known, SMTP):
    """One client that speaks SMTP."""


class LmtpSession(Known, LMTP):
    """One client that speaks LMTP."""


def connection_of(server: BounceServer, protocol: str) -> SMTP:
    """The session of a client that connects."""
    options: dict[str, Any] = {
        "data_size_limit": MAIL_OCTETS,
        "enable_SMTPUTF8": True,
        "hostname": server.return_path.address.rpartition("@")[2],
        "ident": "Clarion",
        "timeout": IDLE_SECONDS,
        "loop": asyncio.get_running_loop(),
    }
    kind = LmtpSession if protocol == "lmtp" else SmtpSession
    return kind(server, **options)


def hang_up(connection: SMTP) -> None:
    """End it without a word."""
    if connection.transport is not None:
        # uvloop's are transports and say that they are none
        cast("asyncio.Transport", connection.transport).abort()
