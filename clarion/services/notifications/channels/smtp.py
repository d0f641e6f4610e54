"""Mail to a relay over connections that stay open, with the phase of every failure known."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from clarion.services.notifications.channels.session import Reply, Session, take_over
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome
from clarion.services.notifications.domain.replies import Step, classify

CONNECT_SECONDS = 15.0
COMMAND_SECONDS = 60.0
CONTENT_SECONDS = 180.0
QUIT_SECONDS = 2.0
IDLE_SECONDS = 60.0
MAILS_PER_CONNECTION = 1_000
STEPS: tuple[Step, ...] = ("MAIL", "RCPT", "DATA")
GO_ON = 354
BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)


class RelayDown(Exception):
    """No connection to the relay can be opened now."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes: `smtp://user:password@host:port`, `smtps://`; `?starttls=required` or `none`."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
    starttls: bool | None = None

    @classmethod
    def from_url(cls, url: str) -> "Relay":
        """Read the setting.

        Raises:
            ValueError: the URL is of another scheme, lacks a host or says something unknown of starttls.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("CLARION_SMTP_URL is smtp://host:port or smtps://host:port")
        wanted = parse_qs(parts.query).get("starttls", ["offered"])[0]
        if wanted not in {"required", "none", "offered"}:
            raise ValueError(f"starttls={wanted} is not known: required, none or offered")
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587 if parts.username else 25),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=False if tls else {"required": True, "none": False, "offered": None}[wanted],
        )


def transparent(content: bytes) -> bytes:
    """Content whose lines that begin with a dot get a second one (RFC 5321, 4.5.2); its lines end in CR LF."""
    stuffed = content.replace(b"\n.", b"\n..") if b"\n." in content else content
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


class Connection(Protocol):
    """One open way to the relay, used by one mail at a time."""

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it; never raises for what the relay does."""


class SmtpConnection:
    """One SMTP session, open until the relay or `close` ends it."""

    def __init__(self, relay: Relay, secured: ssl.SSLContext) -> None:
        self.mails = 0
        self.used_at = time.monotonic()
        self._session: Session | None = None
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.tls,
            start_tls=relay.starttls,
            username=relay.user,
            password=relay.password,
            timeout=CONNECT_SECONDS,
            tls_context=secured,
        )

    @property
    def usable(self) -> bool:
        """Whether the next mail can go over it."""
        fresh = time.monotonic() - self.used_at < IDLE_SECONDS
        return self._session is not None and self._session.open and fresh and self.mails < MAILS_PER_CONNECTION

    async def open(self) -> None:
        """Connect, secure and sign in.

        Raises:
            RelayDown: the relay cannot be reached or will not let us in.
        """
        try:
            await self._client.connect()
            if self._client.is_ehlo_or_helo_needed:
                await self._client.ehlo()
            pipelining = self._client.supports_extension("pipelining")
            self._session = take_over(self._client.transport, pipelining=pipelining)
        except BROKEN as error:
            self.close()
            raise RelayDown(type(error).__name__) from error
        self.used_at = time.monotonic()

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it."""
        self.mails += 1
        session = self._session
        if session is None:
            return NotTried("the connection was closed")
        commands = (f"MAIL FROM:<{sender}>".encode("ascii"), f"RCPT TO:<{address}>".encode("ascii"), b"DATA")
        try:
            replies = await session.ask(*commands, seconds=COMMAND_SECONDS)
            failure = self._failure(replies)
            if failure is not None:
                await self._reset(session, replies)
                return failure
            due = session.write(transparent(content) + b".\r\n", 1)[0]
        except BROKEN as error:
            self.close()
            return NotTried(f"lost before the content: {type(error).__name__}")
        return await self._last_reply(due)

    def _failure(self, replies: Sequence[Reply]) -> Outcome | None:
        for step, reply in zip(STEPS, replies, strict=False):
            said = f"{step}: {reply.code} {reply.text}"
            # Where the relay speaks of something else than it was asked, nothing may follow.
            if reply.code == 421 or not (reply.code >= 400 or 200 <= reply.code < 300 or step == "DATA"):
                return NotTried(said)
            if reply.code >= 400:
                return Declined(classify(step, reply.code, reply.text), said)
        return None if replies[-1].code == GO_ON else NotTried(f"DATA: {replies[-1].code} {replies[-1].text}")

    async def _last_reply(self, due: asyncio.Future[Reply]) -> Outcome:
        try:
            async with asyncio.timeout(CONTENT_SECONDS):
                reply = await due
        except BROKEN as error:
            self.close()
            return InDoubt(f"lost before the reply: {type(error).__name__}")
        self.used_at = time.monotonic()
        said = f"{reply.code} {reply.text}"
        if reply.code == 421:
            self.close()
        if 200 <= reply.code < 300:
            return Accepted(said)
        if reply.code >= 400:
            return Declined(classify("content", reply.code, reply.text), said)
        return InDoubt(f"not a reply to content: {said}")

    async def _reset(self, session: Session, replies: Sequence[Reply]) -> None:
        """Make ready for the next mail; a relay that is leaving, or waits for content after all, is left."""
        if any(reply.code in {GO_ON, 421} for reply in replies):
            self.close()
            return
        self.used_at = time.monotonic()
        try:
            await session.ask(b"RSET", seconds=COMMAND_SECONDS)
        except BROKEN:
            self.close()

    async def quit(self) -> None:
        """Say goodbye and close."""
        try:
            if self._session is not None and self._session.open:
                await self._session.ask(b"QUIT", seconds=QUIT_SECONDS)
        except BROKEN:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        if self._session is not None:
            self._session.abort()
        self._client.close()


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts; reading them takes a while."""
    return ssl.create_default_context()


class Pool:
    """Up to `size` connections to one relay, opened when they are wanted and kept."""

    def __init__(self, relay: Relay, size: int) -> None:
        self.relay = relay
        self.size = size
        self._open: list[SmtpConnection] = []
        self._secured = trusted()

    async def ready(self, wanted: int) -> list[SmtpConnection]:
        """Between one and `wanted` connections that can take a mail now.

        Raises:
            RelayDown: there is none and none can be opened.
        """
        await self._drop([connection for connection in self._open if not connection.usable])
        missing = min(wanted, self.size) - len(self._open)
        if missing > 0:
            await self._add(missing)
        return self._open[:wanted]

    async def _add(self, count: int) -> None:
        made = [SmtpConnection(self.relay, self._secured) for _ in range(count)]
        results = await asyncio.gather(*(connection.open() for connection in made), return_exceptions=True)
        self._open += [connection for connection, failed in zip(made, results, strict=True) if failed is None]
        for failed in results:
            if failed is not None and not isinstance(failed, RelayDown):
                raise failed
        if not self._open:
            raise RelayDown(str(next(failed for failed in results if failed is not None)))

    async def _drop(self, worn: list[SmtpConnection]) -> None:
        self._open = [connection for connection in self._open if connection not in worn]
        await asyncio.gather(*(connection.quit() for connection in worn))

    async def close(self) -> None:
        """Close all connections."""
        await self._drop(list(self._open))
