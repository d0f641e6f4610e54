"""An SMTP server on loopback that keeps every mail instead of delivering it."""

import asyncio
import contextlib
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.embedded.errors import EmbeddedError, PortTaken
from clarion.runtime.embedded.mailstore import MailStore
from clarion.runtime.embedded.ports import HOST, any_free_port, is_free, settle_port

ReplyTo = Callable[[str, bytes], str | None]

_HOST_NAME = "localhost"
_IDENT = "Clarion mail catcher"
_START_SECONDS = 10.0
_PLAIN_PATH = re.compile(r"<([^\s<>@\"(),:;\\[\]]+@[\w.-]+)>\s*(.*)")
_END_OF_CONTENT = b"\r\n.\r\n"
CONTENT_LIMIT_BYTES = 32 * 1024 * 1024

_log = structlog.get_logger(__name__)


class HangUp(Exception):
    """Raised by a `reply_to` hook: close the connection without a reply, the mail `kept` or not."""

    def __init__(self, *, kept: bool = False) -> None:
        super().__init__("the connection is closed without a reply")
        self.kept = kept


class MailCatcher:
    """Receives mail into a store, in a thread of its own; keeps its port from start to start.

    With `port_path` the port is kept in that file too, and used again by the next process if free.

    `reply_to`, if given, is asked at each RCPT with the address and no content, and after the content
    with each recipient and the content. A reply line such as "451 4.3.0 later" that it returns is
    given instead of accepting; `HangUp` ends the connection.
    """

    def __init__(
        self,
        store: MailStore,
        *,
        port: int | None = None,
        port_path: Path | None = None,
        reply_to: ReplyTo | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.store = store
        self.reply_to = reply_to
        self._clock = clock
        self._port = port
        self._port_path = port_path
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """`smtp://127.0.0.1:port`, once started."""
        if self._port is None:
            raise EmbeddedError("the mail catcher has not been started")
        return f"smtp://{HOST}:{self._port}"

    async def start(self) -> None:
        """Start listening; raises `PortTaken` when the wanted port is in use."""
        if self._thread is not None:
            return
        if self._port is not None and not is_free(self._port):
            raise PortTaken(f"port {self._port} is taken by another program; choose another one")
        # It logs every command, and so people's addresses.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._port = self._port or self._choose_port()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready, self._port), name="mail-catcher", daemon=True)
        self._thread.start()
        await asyncio.to_thread(ready.wait, _START_SECONDS)
        if self._loop is None:
            self._thread = None
            raise PortTaken(f"the mail catcher cannot listen on port {self._port}")
        _log.info("mail_catcher_started", port=self._port)

    def _choose_port(self) -> int:
        return settle_port(self._port_path) if self._port_path else any_free_port()

    async def stop(self) -> None:
        """Close all connections and stop listening; harmless when it does not run."""
        if self._thread is None or self._loop is None or self._ending is None:
            return
        self._loop.call_soon_threadsafe(self._ending.set)
        await asyncio.to_thread(self._thread.join)
        self._thread = None

    def _run(self, ready: threading.Event, port: int) -> None:
        try:
            with contextlib.suppress(OSError):
                asyncio.run(self._serve(ready, port))
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        connections: set[_Connection] = set()

        def accept() -> SMTP:
            return _Connection(_Recorder(self), connections, loop)

        server = await loop.create_server(accept, HOST, port)
        self._loop = loop
        ready.set()
        await self._ending.wait()
        server.close()
        for connection in list(connections):
            connection.hang_up()
        while connections:  # noqa: ASYNC110 - emptied by callbacks that are already due
            await asyncio.sleep(0)

    def record(self, envelope: Envelope) -> None:
        """Keep what one connection has handed over, received now."""
        content = envelope.content
        if not isinstance(content, bytes):
            raise TypeError("the content of a mail is bytes")
        self.store.add(envelope.mail_from or "", envelope.rcpt_tos, content, self._clock())


class _Connection(SMTP):
    """One client; known to the server, so that stopping ends it."""

    # The reader's limit too: a mail is read at once, which takes a third of the time of line by line.
    line_length_limit = CONTENT_LIMIT_BYTES
    command_size_limit = 1024

    def __init__(self, recorder: "_Recorder", open_ones: set["_Connection"], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(recorder, enable_SMTPUTF8=True, hostname=_HOST_NAME, ident=_IDENT, loop=loop)
        self._open_ones = open_ones

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open_ones.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._open_ones.discard(self)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # aiosmtpd's full parser takes a third of the time of a whole mail.
        plain = _PLAIN_PATH.fullmatch(arg)
        return (plain[1], plain[2]) if plain else super()._getaddr(arg)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        envelope = self.envelope
        if await self.check_helo_needed() or envelope is None:
            return
        if not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        try:
            envelope.content = await self._read_content()
        except asyncio.LimitOverrunError:
            await self.push("552 5.3.4 Error: too much mail data")
            self.hang_up()
            return
        reply = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(reply)

    async def _read_content(self) -> bytes:
        """The content without its transparency dots (RFC 5321, 4.5.2)."""
        read = bytearray()
        while read != _END_OF_CONTENT[2:] and not read.endswith(_END_OF_CONTENT):
            if len(read) > CONTENT_LIMIT_BYTES:
                raise asyncio.LimitOverrunError("more than a mail may have", len(read))
            read += await self._reader.readuntil(_END_OF_CONTENT[2:])
        content = bytes(read[:-3]).replace(b"\r\n.", b"\r\n")
        return content.removeprefix(b".")

    def hang_up(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


class _Recorder:
    """What aiosmtpd asks at each step of a transaction."""

    def __init__(self, catcher: MailCatcher) -> None:
        self._catcher = catcher

    async def handle_EHLO(  # noqa: N802
        self, _server: _Connection, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # aiosmtpd reads commands one by one from its buffer, so they may come together.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: _Connection, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        try:
            reply = self._reply(address, b"")
        except HangUp:
            server.hang_up()
            return ""
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, server: _Connection, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content: Any = envelope.content
        try:
            replies = [self._reply(address, content) for address in envelope.rcpt_tos]
        except HangUp as ending:
            if ending.kept:
                self._catcher.record(envelope)
            server.hang_up()
            return ""
        refusal = next((reply for reply in replies if reply is not None), None)
        if refusal is None:
            self._catcher.record(envelope)
        return refusal or "250 2.0.0 OK"

    def _reply(self, address: str, content: bytes) -> str | None:
        ask = self._catcher.reply_to
        return ask(address, content) if ask else None
