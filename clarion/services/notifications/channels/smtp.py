"""Mail to a relay over connections that stay open, with the phase of every failure known."""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from clarion.services.notifications.domain.outcomes import Accepted, Deferred, InDoubt, NotTried, Outcome, Refused

CONNECT_SECONDS = 15.0
COMMAND_SECONDS = 60.0
CONTENT_SECONDS = 180.0
IDLE_SECONDS = 60.0
MAILS_PER_CONNECTION = 1_000
LEADING_DOT = re.compile(rb"(?m)^\.")
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


class Connection(Protocol):
    """One open way to the relay, used by one mail at a time."""

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it; never raises for what the relay does."""


class SmtpConnection:
    """One SMTP session, open until the relay or `close` ends it."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.mails = 0
        self.used_at = time.monotonic()
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.tls,
            start_tls=relay.starttls,
            username=relay.user,
            password=relay.password,
            timeout=CONNECT_SECONDS,
            tls_context=ssl.create_default_context() if relay.tls or relay.starttls is not False else None,
        )

    @property
    def usable(self) -> bool:
        """Whether the next mail can go over it."""
        fresh = time.monotonic() - self.used_at < IDLE_SECONDS
        return self._client.is_connected and fresh and self.mails < MAILS_PER_CONNECTION

    async def open(self) -> None:
        """Connect, secure and sign in.

        Raises:
            RelayDown: the relay cannot be reached or will not let us in.
        """
        try:
            await self._client.connect()
            if self._client.is_ehlo_or_helo_needed:
                await self._client.ehlo()
        except BROKEN as error:
            self.close()
            raise RelayDown(f"{type(error).__name__}: {error}") from error
        self.used_at = time.monotonic()

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it."""
        self.mails += 1
        protocol = self._client.protocol
        if protocol is None:
            return NotTried("the connection was closed")
        try:
            failure = await self._announce(protocol, sender, address)
        except BROKEN as error:
            self.close()
            return NotTried(f"lost before the content: {type(error).__name__}")
        if failure is not None:
            await self._reset(protocol)
            return failure
        return await self._hand_over(protocol, content)

    async def _announce(self, protocol: SMTPProtocol, sender: str, address: str) -> Outcome | None:
        """MAIL, RCPT and DATA up to the invitation to send the content; an outcome if it does not come."""
        for step, command in (
            ("MAIL", f"MAIL FROM:<{sender}>"),
            ("RCPT", f"RCPT TO:<{address}>"),
            ("DATA", "DATA"),
        ):
            reply = await protocol.execute_command(command.encode("ascii"), timeout=COMMAND_SECONDS)
            if (failure := self._failure(step, reply.code, reply.message)) is not None:
                return failure
        return None

    def _failure(self, step: str, code: int, message: str) -> Outcome | None:
        if code == 421:
            self.close()
            return NotTried(f"the relay closed the connection: 421 {message}")
        said = f"{step}: {code} {message}"
        if 400 <= code < 500:
            return Deferred(said)
        if code >= 500:
            # What is refused at MAIL is our own address or session, which says nothing about the recipient.
            return Deferred(said) if step == "MAIL" else Refused(said)
        return None

    async def _hand_over(self, protocol: SMTPProtocol, content: bytes) -> Outcome:
        try:
            protocol.write(LEADING_DOT.sub(b"..", content) + b".\r\n")
        except BROKEN as error:
            self.close()
            return NotTried(f"lost before the content: {type(error).__name__}")
        try:
            reply = await protocol.read_response(timeout=CONTENT_SECONDS)
        except BROKEN as error:
            self.close()
            return InDoubt(f"lost before the reply: {type(error).__name__}")
        self.used_at = time.monotonic()
        said = f"{reply.code} {reply.message}"
        if reply.code == 421:
            self.close()
        if 200 <= reply.code < 300:
            return Accepted(said)
        if 400 <= reply.code < 500:
            return Deferred(said)
        return Refused(said) if reply.code >= 500 else InDoubt(f"not a reply to content: {said}")

    async def _reset(self, protocol: SMTPProtocol) -> None:
        self.used_at = time.monotonic()
        try:
            if self._client.is_connected:
                await protocol.execute_command(b"RSET", timeout=COMMAND_SECONDS)
        except BROKEN:
            self.close()

    async def quit(self) -> None:
        """Say goodbye and close."""
        try:
            if self._client.is_connected:
                async with asyncio.timeout(2):
                    await self._client.quit()
        except BROKEN:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self._client.close()


class Pool:
    """Up to `size` connections to one relay, opened when they are wanted and kept."""

    def __init__(self, relay: Relay, size: int) -> None:
        self.relay = relay
        self.size = size
        self._open: list[SmtpConnection] = []

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
        made = [SmtpConnection(self.relay) for _ in range(count)]
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
