"""Mail to a relay over connections that stay open, with the phase of every failure known."""

import asyncio
import re
import ssl
import time
from collections.abc import Sequence
from typing import Protocol

import aiosmtplib

from clarion.services.notifications.channels.relays import Relay, trusted
from clarion.services.notifications.channels.session import Reply, Session, take_over, within
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome
from clarion.services.notifications.domain.replies import Step, classify

IDLE_SECONDS = 60.0
MAILS_PER_CONNECTION = 1_000
STEPS: tuple[Step, ...] = ("MAIL", "RCPT", "DATA")
GO_ON = 354
BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
BEYOND_ASCII = "the relay does not take addresses beyond ASCII"
NOT_FOR_THE_WIRE = "an address holds what no command may hold"


class RelayDown(Exception):
    """No connection to the relay can be opened now."""


class LoginRefused(RelayDown):
    """The relay does not take our login, so trying it again soon is of no use."""


def transparent(content: bytes) -> bytes:
    """Content whose lines that begin with a dot get a second one (RFC 5321, 4.5.2); its lines end in CR LF."""
    stuffed = content.replace(b"\n.", b"\n..") if b"\n." in content else content
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def why(error: Exception) -> RelayDown:
    """What kept us from a relay, in words."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"{error.code} {error.message}"
        refused = isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500
        return LoginRefused(said) if refused else RelayDown(said)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RelayDown(f"its certificate cannot be trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return RelayDown(f"no TLS with it: {cause.reason or type(cause).__name__}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TimeoutError):
        return RelayDown("no answer in time")
    return RelayDown(str(error) or type(error).__name__)


def envelope(sender: str, address: str, *, smtputf8: bool) -> tuple[bytes, bytes]:
    """The MAIL and the RCPT command; addresses beyond ASCII go as RFC 6531 says.

    Raises:
        ValueError: an address would end its command, or needs what the relay does not offer.
    """
    if CONTROL.search(sender + address):
        raise ValueError(NOT_FOR_THE_WIRE)
    if sender.isascii() and address.isascii():
        return f"MAIL FROM:<{sender}>".encode(), f"RCPT TO:<{address}>".encode()
    if not smtputf8:
        raise ValueError(BEYOND_ASCII)
    return f"MAIL FROM:<{sender}> BODY=8BITMIME SMTPUTF8".encode(), f"RCPT TO:<{address}>".encode()


class Connection(Protocol):
    """One open way to the relay, used by one mail at a time."""

    @property
    def relay_name(self) -> str:
        """The relay at its other end."""

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it; never raises for what the relay does."""


class SmtpConnection:
    """One SMTP session, open until the relay or `close` ends it."""

    def __init__(self, relay: Relay) -> None:
        self.relay_name = relay.name
        self.mails = 0
        self.busy = False
        self.used_at = time.monotonic()
        self._timeouts = relay.timeouts
        self._smtputf8 = False
        self._session: Session | None = None
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.tls,
            start_tls=relay.starttls,
            username=relay.user,
            password=relay.password,
            timeout=relay.timeouts.connect,
            tls_context=trusted(relay.ca_file),
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
            self._smtputf8 = all(self._client.supports_extension(one) for one in ("smtputf8", "8bitmime"))
            pipelining = self._client.supports_extension("pipelining")
            self._session = take_over(self._client.transport, pipelining=pipelining)
        except BROKEN as error:
            self.close()
            raise why(error) from error
        self.used_at = time.monotonic()

    async def deliver(self, sender: str, address: str, content: bytes) -> Outcome:
        """Hand over one mail and say what came of it; `busy` meanwhile."""
        self.mails += 1
        self.busy = True
        try:
            return await self._handed_over(sender, address, content)
        finally:
            self.busy = False

    async def _handed_over(self, sender: str, address: str, content: bytes) -> Outcome:
        session = self._session
        if session is None:
            return NotTried("the connection was closed")
        try:
            commands = envelope(sender, address, smtputf8=self._smtputf8)
        except ValueError as error:
            return Declined("refused", str(error))
        try:
            replies = await session.ask(*commands, b"DATA", seconds=self._timeouts.command)
            failure = self._failure(replies)
            if failure is not None:
                await self._reset(session, replies)
                return failure
            due = session.write(transparent(content) + b".\r\n", 1)
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

    async def _last_reply(self, due: asyncio.Future[Sequence[Reply]]) -> Outcome:
        try:
            (reply,) = await within(due, self._timeouts.content)
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
            await session.ask(b"RSET", seconds=self._timeouts.command)
        except BROKEN:
            self.close()

    async def quit(self) -> None:
        """Say goodbye and close."""
        try:
            if self._session is not None and self._session.open:
                await self._session.ask(b"QUIT", seconds=self._timeouts.quit)
        except BROKEN:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        if self._session is not None:
            self._session.abort()
        self._client.close()
