"""How long a connection may take to send a request or to take in its answer."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

READ_SECONDS = 20.0
BYTES_A_SECOND = 10_000
WRITE_SECONDS = 60.0


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which waits for slow clients, but not for ever.

    A request has 20 seconds, and a second more for each 10 kB that came; an answer that nobody takes in is given up
    after a minute. Otherwise a few thousand silent connections would be all there are.
    """

    read_seconds = READ_SECONDS
    write_seconds = WRITE_SECONDS
    reading: asyncio.TimerHandle | None = None
    writing: asyncio.TimerHandle | None = None
    began = 0.0
    received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.stop(self.reading)
        self.stop(self.writing)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes, and see whether the request is whole."""
        self.received += len(data)
        super().data_received(data)
        self.watch()

    def on_response_complete(self) -> None:
        """A part of the next request may be here."""
        super().on_response_complete()
        self.watch()

    def pause_writing(self) -> None:
        """The client does not take in what was sent."""
        super().pause_writing()
        self.writing = self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self.stop(self.writing)

    def watch(self) -> None:
        """Have a timer just while a request has begun and is not whole."""
        state = self.conn.their_state
        begun = state is h11.SEND_BODY or (state is h11.IDLE and (not self.cycle or bool(self.conn.trailing_data[0])))
        if not begun:
            self.stop(self.reading)
            self.reading = None
        elif self.reading is None:
            self.began, self.received = self.loop.time(), 0
            self.reading = self.loop.call_later(self.read_seconds, self.look)

    def look(self) -> None:
        """End a connection that is too slow; what we leave unread ourselves is not its fault."""
        left = self.began + self.read_seconds + self.received / BYTES_A_SECOND - self.loop.time()
        if self.flow.read_paused:
            left = max(left, self.read_seconds)
        if left <= 0:
            self.transport.abort()
        else:
            self.reading = self.loop.call_later(left, self.look)

    def stop(self, timer: asyncio.TimerHandle | None) -> None:
        """Wait no more for what this timer was for."""
        if timer is not None:
            timer.cancel()
