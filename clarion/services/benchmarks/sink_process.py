"""A mail server that takes everything and keeps nothing, in a process of its own; it tells how many mails it took.

python -m clarion.services.benchmarks.sink_process: its port is the first line it prints, `mesg=<count>` follows.
"""

import asyncio
import contextlib
import signal
import sys

from clarion.runtime.output import say
from clarion.services.replicas import stop_with_the_first

HELLO = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
OK = b"250 2.0.0 Ok\r\n"
REPORT_SECONDS = 0.005


class Tally:
    """How many mails all connections took. One that looks into them `reads`, so they are kept until they are whole."""

    mails = 0
    reads = False

    def take(self, _content: bytes) -> None:
        """A mail came; of one that is not read only the end."""
        self.mails += 1


class Sink(asyncio.Protocol):
    """One connection: commands are answered as they come, content is looked at for its end only."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = b""
        self._in_content = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete, all at once."""
        rest = self._buffer + data
        answers = []
        while True:
            end = b"\r\n.\r\n" if self._in_content else b"\r\n"
            taken, found, after = rest.partition(end)
            if not found:
                break
            rest = after
            answers.append(self._taken(taken) if self._in_content else self._answer(taken[:4].upper()))
        # Of content that nobody reads only as much is kept as may hold a part of its end.
        self._buffer = rest[-4:] if self._in_content and not self._tally.reads else rest
        if answers:
            self._transport.write(b"".join(answers))

    def _taken(self, content: bytes) -> bytes:
        self._in_content = False
        self._tally.take(content)
        return OK

    def _answer(self, command: bytes) -> bytes:
        match command:
            case b"EHLO" | b"HELO":
                return HELLO
            case b"DATA":
                self._in_content = True
                return b"354 go on\r\n"
            case b"QUIT":
                asyncio.get_running_loop().call_soon(self._transport.close)
                return b"221 bye\r\n"
            case _:
                return OK


async def serve() -> None:
    """Take mail until told to stop, or until whoever started it has ended."""
    stopping, tally, told = asyncio.Event(), Tally(), 0
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    stop_with_the_first(stopping)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(tally), "127.0.0.1", 0)
    say(str(server.sockets[0].getsockname()[1]))
    while not stopping.is_set():
        if tally.mails != told:
            told = tally.mails
            say(f"mesg={told}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REPORT_SECONDS):
                await stopping.wait()
    server.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
