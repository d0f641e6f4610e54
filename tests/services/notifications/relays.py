"""A relay that does what a test tells it to, on a real socket."""

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8")


@dataclass(frozen=True)
class Turn:
    """Where a session stands: `connect`, a command's verb, or `content`; `mail` counts the session's mails from 1."""

    step: str
    said: str
    session: "Session"
    mail: int


Act = Callable[["Session"], Awaitable[None]]
Script = Callable[[Turn], str | Act | None]
"""A reply line, something to do in its place, or None for what a good relay does."""


async def drop(session: "Session") -> None:
    """Close without a word."""
    session.writer.transport.abort()


async def stall(session: "Session") -> None:
    """Say nothing more, until the client leaves."""
    while await session.reader.read(4096):
        pass
    raise ConnectionResetError


def after(event: asyncio.Event, reply: str) -> Act:
    """Reply once something has happened."""

    async def act(session: "Session") -> None:
        await event.wait()
        await session.say(reply)

    return act


def trickle(reply: str) -> Act:
    """Reply byte by byte, each in a packet of its own."""

    async def act(session: "Session") -> None:
        for byte in f"{reply}\r\n".encode():
            session.writer.write(bytes([byte]))
            await session.writer.drain()
            await asyncio.sleep(0)

    return act


def and_die(reply: str) -> Act:
    """Reply and close at once."""

    async def act(session: "Session") -> None:
        await session.say(reply)
        session.writer.close()
        raise ConnectionResetError

    return act


@dataclass(frozen=True)
class Received:
    """A mail that the relay took."""

    sender: str
    to: str
    content: bytes


@dataclass
class ScriptedRelay:
    """`lines` are all commands that reached it, `mails` what it said 250 to."""

    script: Script = lambda _turn: None
    extensions: tuple[str, ...] = EXTENSIONS
    tls: ssl.SSLContext | None = None
    mails: list[Received] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["ScriptedRelay"]:
        """Serve until the end of the block, on the port it had before if it had one."""
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            self.sessions += 1
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await Session(self, reader, writer).run()
            writer.transport.abort()
            tasks.discard(task)

        server = await asyncio.start_server(serve, "127.0.0.1", self.port, limit=2**20)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Session:
    """One connection."""

    def __init__(self, relay: ScriptedRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.relay = relay
        self.reader = reader
        self.writer = writer
        self.mail = 0
        self.sender = ""
        self.to = ""

    async def say(self, reply: str) -> None:
        self.writer.write(f"{reply}\r\n".encode())
        await self.writer.drain()

    async def run(self) -> None:
        await self.answer("connect", "", "220 ready")
        while line := await self.reader.readline():
            said = line.decode("utf-8", "surrogateescape").removesuffix("\r\n")
            self.relay.lines.append(said)
            verb = said.split(" ")[0].upper()
            if verb == "QUIT":
                await self.say("221 bye")
                return
            await getattr(self, f"on_{verb.lower()}", self.on_other)(said)

    async def answer(self, step: str, said: str, good: str) -> bool:
        """Whether the reply was a good one."""
        scripted = self.relay.script(Turn(step, said, self, self.mail))
        if scripted is None or isinstance(scripted, str):
            await self.say(scripted or good)
            return scripted is None
        await scripted(self)
        return getattr(scripted, "takes", False)

    async def on_other(self, said: str) -> None:
        await self.answer(said.split(" ", maxsplit=1)[0].upper(), said, "250 ok")

    async def on_auth(self, said: str) -> None:
        await self.answer("AUTH", said, "235 2.7.0 welcome")

    async def on_ehlo(self, said: str) -> None:
        offered = [*self.relay.extensions, *(["STARTTLS"] if self.relay.tls and not self.secured else [])]
        lines = ["relay", *offered]
        good = "\r\n".join(f"250{'-' if number < len(lines) else ' '}{one}" for number, one in enumerate(lines, 1))
        await self.answer("EHLO", said, good)

    @property
    def secured(self) -> bool:
        return self.writer.get_extra_info("ssl_object") is not None

    async def on_starttls(self, _said: str) -> None:
        assert self.relay.tls is not None
        await self.say("220 go ahead")
        await self.writer.start_tls(self.relay.tls)

    async def on_mail(self, said: str) -> None:
        self.mail += 1
        self.sender = said
        await self.answer("MAIL", said, "250 2.1.0 ok")

    async def on_rcpt(self, said: str) -> None:
        accepted = await self.answer("RCPT", said, "250 2.1.5 ok")
        self.to = said.partition(":")[2].strip("<>") if accepted else ""

    async def on_data(self, said: str) -> None:
        if not self.to:
            await self.say("503 5.5.1 no recipient")
            return
        scripted = self.relay.script(Turn("DATA", said, self, self.mail))
        if scripted is not None:
            await (self.say(scripted) if isinstance(scripted, str) else scripted(self))
            return
        await self.say("354 go on")
        content = (await self.reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
        received = Received(self.sender, self.to, content)
        scripted = self.relay.script(Turn("content", self.to, self, self.mail))
        # A good reply that is scripted, such as a slow one, takes the mail.
        if scripted is None or getattr(scripted, "takes", False):
            self.relay.mails.append(received)
        if scripted is None or isinstance(scripted, str):
            await self.say(scripted or "250 2.0.0 taken")
        else:
            await scripted(self)


def taking(act: Act) -> Act:
    """The act of a relay that has taken the mail."""
    act.takes = True  # type: ignore[attr-defined]
    return act


@contextlib.asynccontextmanager
async def listening(script: Script | None = None, **changes: object) -> AsyncIterator[ScriptedRelay]:
    """A relay that serves."""
    relay = ScriptedRelay(**{**({"script": script} if script else {}), **changes})  # type: ignore[arg-type]
    async with relay.listening():
        yield relay


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for an address, and a server's context with it."""
    key, made = folder / "key.pem", folder / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=relay.example", "-addext", f"subjectAltName=IP:{name}", "-days", "2"]
    subprocess.run([*request, "-keyout", key, "-out", made, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return made, context
