"""An SMTP session after its greeting: commands may go out together (RFC 2920), replies come back in their order."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, TypeVar, cast

REPLY_LIMIT = 65_536
T = TypeVar("T")


class Reply(NamedTuple):
    """What the relay said."""

    code: int
    text: str


async def within(due: asyncio.Future[T], seconds: float) -> T:
    """The result of a future that has so many seconds; asyncio.timeout costs several times as much.

    Raises:
        TimeoutError: it did not come in time.
    """

    def late() -> None:
        if not due.done():
            due.set_exception(TimeoutError())

    timer = due.get_loop().call_later(seconds, late)
    try:
        return await due
    finally:
        timer.cancel()


class Session(asyncio.Protocol):
    """Takes over a connection that is open, secured and signed in."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        self.pipelining = pipelining
        self.lost = False
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: list[Reply] = []
        self._waiting: deque[tuple[int, asyncio.Future[Sequence[Reply]]]] = deque()
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether a command can be written; not once the relay has closed or said something unasked."""
        return not (self.lost or self._transport.is_closing())

    async def ask(self, *commands: bytes, seconds: float) -> Sequence[Reply]:
        """Send commands and read a reply to each; without pipelining the first refusal ends it.

        Raises:
            OSError: the connection was lost.
            TimeoutError: a reply did not come in time.
        """
        if self.pipelining:
            return await self.replies(b"\r\n".join(commands) + b"\r\n", len(commands), seconds)
        replies: list[Reply] = []
        for command in commands:
            replies += await self.replies(command + b"\r\n", 1, seconds)
            if replies[-1].code >= 400:
                break
        return replies

    async def replies(self, sent: bytes, count: int, seconds: float) -> Sequence[Reply]:
        """Send bytes and wait for so many replies. Raises like `ask`."""
        return await within(self.write(sent, count), seconds)

    def write(self, sent: bytes, count: int) -> asyncio.Future[Sequence[Reply]]:
        """Send bytes to which so many replies are due.

        Raises:
            OSError: the connection was lost, so nothing was sent.
        """
        if not self.open:
            raise ConnectionResetError("the relay closed the connection")
        due: asyncio.Future[Sequence[Reply]] = asyncio.get_running_loop().create_future()
        self._waiting.append((count, due))
        self._transport.write(sent)
        return due

    def data_received(self, data: bytes) -> None:
        """Cut replies out of what comes."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._take(line.decode("utf-8", "replace").rstrip("\r"))
        if len(self._buffer) + sum(map(len, self._lines)) > REPLY_LIMIT:
            self._transport.abort()

    def _take(self, line: str) -> None:
        self._lines.append(line[4:])
        if line[3:4] == "-":
            return
        text, self._lines = " ".join(self._lines), []
        if not self._waiting or not line[:3].isdigit():
            # Unasked, such as a farewell; or nothing of SMTP.
            self._transport.abort()
            return
        self._replies.append(Reply(int(line[:3]), text))
        count, due = self._waiting[0]
        if len(self._replies) == count:
            self._waiting.popleft()
            replies, self._replies = self._replies, []
            if not due.done():
                due.set_result(replies)

    def eof_received(self) -> bool:
        """The relay closed."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """Whoever waits for a reply learns that none will come."""
        self.lost = True
        while self._waiting:
            _, due = self._waiting.popleft()
            if not due.done():
                due.set_exception(ConnectionResetError("the connection was lost"))
                due.exception()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()


def take_over(transport: asyncio.BaseTransport | None, *, pipelining: bool) -> Session:
    """A session on a transport.

    Raises:
        OSError: it is closed already.
    """
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the relay closed the connection")
    return Session(cast("asyncio.Transport", transport), pipelining=pipelining)
