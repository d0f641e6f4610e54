"""Mail to a relay over connections that stay open, with the phase of every failure known."""

import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import aiosmtplib

from clarion.services.notifications.channels.handover import Handover, Parcel
from clarion.services.notifications.channels.relays import Relay, own_name, trusted
from clarion.services.notifications.channels.session import Session, take_over
from clarion.services.notifications.domain.outcomes import Declined, NotTried, Outcome

IDLE_SECONDS = 60.0
MAILS_PER_CONNECTION = 1_000
BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
BEYOND_ASCII = "the relay does not take addresses beyond ASCII"
NOT_FOR_THE_WIRE = "an address holds what no command may hold"


class RelayDown(Exception):
    """No connection to the relay can be opened now."""


class LoginRefused(RelayDown):
    """The relay does not take our login, so trying it again soon is of no use."""


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


def envelope(sender: str, address: str, *, smtputf8: bool) -> bytes:
    """The MAIL, the RCPT and the DATA command, a line each; addresses beyond ASCII go as RFC 6531 says.

    Raises:
        ValueError: an address would end its command, or needs what the relay does not offer.
    """
    said = sender + address
    if not (said.isascii() and said.isprintable()) and CONTROL.search(said):
        raise ValueError(NOT_FOR_THE_WIRE)
    if said.isascii():
        return f"MAIL FROM:<{sender}>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()
    if not smtputf8:
        raise ValueError(BEYOND_ASCII)
    return f"MAIL FROM:<{sender}> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()


class Mail(NamedTuple):
    """A mail from and to one address; `ended` is called once with what came of it, perhaps at once.

    `content`, in pieces, is sent as it is: its lines end in CR LF and none begins with a dot (RFC 5321, 4.5.2).
    """

    sender: str
    address: str
    content: Sequence[bytes]
    ended: Callable[[Outcome], None]


class Connection(Protocol):
    """One open way to the relay, used by one mail after another."""

    @property
    def relay_name(self) -> str:
        """The relay at its other end."""

    def hand_over(self, mails: Iterator[Mail]) -> None:
        """Begin to hand over these, each as soon as the one before has ended; nothing else goes over it meanwhile."""

    def release(self) -> None:
        """Give back what has not begun where the mail before it takes long."""


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
        self._handover: Handover | None = None
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=own_name(),
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

    def hand_over(self, mails: Iterator[Mail]) -> None:
        """Begin to hand over mails, one after another; `busy` until the last of them has ended."""
        session = self._session
        if session is None:
            for mail in mails:
                mail.ended(NotTried("the connection was closed"))
            return
        self.busy = True
        self._handover = Handover(session, self._timeouts, self._parcels(mails), self._over)
        self._handover.begin()

    def release(self) -> None:
        """Give back what waits behind a mail whose last word takes long."""
        if self._handover is not None:
            self._handover.release()

    def _parcels(self, mails: Iterator[Mail]) -> Iterator[Parcel]:
        for sender, address, content, ended in mails:
            self.mails += 1
            try:
                said = envelope(sender, address, smtputf8=self._smtputf8)
            except ValueError as error:
                ended(Declined("refused", str(error)))
                continue
            yield Parcel(said, content, ended)

    def _over(self) -> None:
        self.busy, self._handover = False, None
        self.used_at = time.monotonic()

    async def quit(self) -> None:
        """Say goodbye and close; without a word if a mail is under way."""
        try:
            if self._session is not None and self._session.open and not self.busy:
                await self._session.ask(b"QUIT", self._timeouts.quit)
        except BROKEN:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        if self._session is not None:
            self._session.close()
        self._client.close()
