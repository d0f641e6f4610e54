"""An SMTP session after its greeting: commands may go out together (RFC 2920), replies come back in their order."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

REPLY_LIMIT = 65_536


class Reply(NamedTuple):
    """What the relay said."""

    code: int
    text: str


class Listener(Protocol):
    """Whoever waits for replies; it is called from the event loop by one of the two."""

    def heard(self, replies: Sequence[Reply]) -> None:
        """All replies that were due; once more for those that were due after them."""

    def lost(self, error: Exception) -> None:
        """They will not come: OSError where the connection broke, TimeoutError where they came too late."""


@lru_cache(maxsize=256)
def read(line: bytes) -> Reply | None:
    """A line that is a whole reply, of which most are alike; None if it is a part of one, or nothing of SMTP."""
    if line[3:4] == b"-" or not line[:3].isdigit():
        return None
    return Reply(int(line[:3]), text_of(line))


def text_of(line: bytes) -> str:
    """What follows the code."""
    return line[4:].decode("utf-8", "replace").rstrip("\r")


class Session(asyncio.Protocol):
    """Takes over a connection that is open, secured and signed in; one listener at a time."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        self.pipelining = pipelining
        self.lost = False
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._rest = b""
        self._earlier: list[bytes] = []
        self._replies: list[Reply] = []
        self._due = 0
        self._then = 0
        self._listener: Listener | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether a command can be written; not once the relay has closed or said something unasked."""
        return not (self.lost or self._transport.is_closing())

    def say(self, sent: bytes, due: int, seconds: float, listener: Listener, then: int = 0) -> None:
        """Send bytes to which so many replies are due in so many seconds; the listener is told what came of it.

        `then` as many more are due: the listener hears them by themselves.

        Raises:
            OSError: the connection was lost, so nothing was sent and nobody is told.
        """
        if not self.open:
            raise ConnectionResetError("the relay closed the connection")
        self._due, self._then, self._listener = due, then, listener
        self.expect(seconds)
        self._transport.write(sent)

    async def ask(self, command: bytes, seconds: float) -> Reply:
        """Send a command and wait for its reply.

        Raises:
            OSError: the connection was lost.
            TimeoutError: the reply did not come in time.
        """
        answer = Answer()
        self.say(command + b"\r\n", 1, seconds, answer)
        return await answer.due

    def expect(self, seconds: float) -> None:
        """What is due is to come in so many seconds from now."""
        # The timer is seldom set anew: it rings too early and looks for what is due by then.
        self._deadline = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= self._deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self._due:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._ring)
        else:
            self._give_up(TimeoutError("no reply in time"))

    def data_received(self, data: bytes) -> None:
        """Cut replies out of what comes; once all are there that are due, the listener hears them."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        replies = [reply for line in lines if (reply := read(line)) is not None]
        if len(replies) == len(lines) and not self._earlier:
            self._replies += replies
        else:
            for line in lines:
                self._take(line)
        if len(self._replies) > self._due + self._then or ((self._rest or self._earlier) and self._endless):
            # Unasked, such as a farewell: nothing more is said, but what came before it holds.
            self._transport.abort()
        told = False
        while self._due and len(self._replies) >= self._due:
            self._tell()
            told = True
        if not told and self._transport.is_closing():
            self._give_up(ConnectionResetError("the relay said what is no reply"))

    def _tell(self) -> None:
        replies, self._replies = self._replies[: self._due], self._replies[self._due :]
        self._due, self._then = self._then, 0
        if self._listener is not None:
            # It stays the listener meanwhile, so that it still hears of the end if it stumbles.
            self._listener.heard(replies)
        if not self._due:
            self._listener = None

    @property
    def _endless(self) -> bool:
        return len(self._rest) + sum(map(len, self._earlier)) > REPLY_LIMIT

    def _take(self, line: bytes) -> None:
        if line[3:4] == b"-":
            self._earlier.append(line)
            return
        reply = read(line)
        if reply is None:
            self._transport.abort()
            return
        if self._earlier:
            said = " ".join([*map(text_of, self._earlier), reply.text])
            reply, self._earlier = Reply(reply.code, said), []
        self._replies.append(reply)

    def eof_received(self) -> bool:
        """The relay closed."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """Whoever waits for a reply learns that none will come."""
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._give_up(ConnectionResetError("the connection was lost"))

    def _give_up(self, error: Exception) -> None:
        """Close at once, and say so to who waits."""
        self._transport.abort()
        listener, self._listener, self._due, self._then = self._listener, None, 0, 0
        if listener is not None:
            listener.lost(error)

    def close(self) -> None:
        """Close at once."""
        self._give_up(ConnectionResetError("we closed the connection"))


class Answer:
    """Listens for one reply and lets it be awaited."""

    def __init__(self) -> None:
        self.due: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def heard(self, replies: Sequence[Reply]) -> None:
        """It came."""
        if not self.due.done():
            self.due.set_result(replies[0])

    def lost(self, error: Exception) -> None:
        """It will not come."""
        if not self.due.done():
            self.due.set_exception(error)


def take_over(transport: asyncio.BaseTransport | None, *, pipelining: bool) -> Session:
    """A session on a transport.

    Raises:
        OSError: it is closed already.
    """
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the relay closed the connection")
    return Session(cast("asyncio.Transport", transport), pipelining=pipelining)
