"""Where the measured mail goes: our own sink, Postfix's smtp-sink, or any server that an URL names."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from clarion.runtime.embedded.ports import any_free_port

OURS = "ours"
SMTP_SINK = "smtp-sink"
BACKLOG = "1000"
READ_BYTES = 65_536
LOOK_SECONDS = 0.02
"""Whoever is woken by each count that the sink tells takes a tenth of what a mail costs."""
START_SECONDS = 10.0
COUNT = re.compile(rb"mesg=(\d+)")


class NoSink(Exception):
    """The sink that was asked for cannot be had; the message says what to do."""


@dataclass
class Sink:
    """A mail server; `arrivals` are how many mails it had taken at which moment, if it tells."""

    url: str
    pid: int | None = None
    counts: bool = True
    arrivals: list[tuple[float, int]] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many mails it has taken."""
        return self.arrivals[-1][1] if self.arrivals else 0

    def since(self, before: int, count: int) -> float:
        """When it had taken so many mails more than `before`."""
        place = bisect_left(self.arrivals, before + count, key=lambda seen: seen[1])
        return self.arrivals[place][0]

    async def watch(self, output: int) -> None:
        """Note what it says of its count, looked at every now and then, until it ends."""
        rest = b""
        while found := await _said(output):
            counts = COUNT.findall(rest + found)
            if counts:
                self.arrivals.append((time.monotonic(), int(counts[-1])))
            rest = (rest + found)[-16:]
            await asyncio.sleep(LOOK_SECONDS)


@contextlib.asynccontextmanager
async def opened_sink(kind: str) -> AsyncIterator[Sink]:
    """A sink until the end of the block: `ours`, `smtp-sink`, or the one at an URL, which is left alone.

    Raises:
        NoSink: there is no such program here, or it does not start.
    """
    if kind not in {OURS, SMTP_SINK}:
        if not kind.startswith(("smtp://", "smtps://")):
            raise NoSink(f"{kind!r} is no sink: it is {SMTP_SINK}, an smtp:// URL, or left out for our own")
        yield Sink(kind, counts=False)
        return
    process, output, port = await (_start_ours() if kind == OURS else _start_smtp_sink())
    sink = Sink(f"smtp://127.0.0.1:{port}?starttls=none", process.pid)
    watching = asyncio.create_task(sink.watch(output))
    try:
        yield sink
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await watching
        os.close(output)


async def _start_ours() -> tuple[asyncio.subprocess.Process, int, int]:
    process, output = await _start(sys.executable, "-m", "clarion.services.benchmarks.sink_process")
    async with asyncio.timeout(START_SECONDS):
        return process, output, int(await _said(output))


async def _start_smtp_sink() -> tuple[asyncio.subprocess.Process, int, int]:
    program = shutil.which(SMTP_SINK) or shutil.which(SMTP_SINK, path="/usr/sbin:/usr/libexec/postfix")
    if program is None:
        raise NoSink("there is no smtp-sink on this machine: it comes with Postfix (on Debian: apt install postfix)")
    port = any_free_port()
    user = ["-u", "postfix"] if os.geteuid() == 0 else []
    process, output = await _start(program, *user, "-c", f"127.0.0.1:{port}", BACKLOG)
    async with asyncio.timeout(START_SECONDS):
        while not await _listens(port):
            if process.returncode is not None:
                raise NoSink(f"smtp-sink does not start: it ended with {process.returncode}")
            await asyncio.sleep(0.05)
    return process, output, port


async def _start(*command: str) -> tuple[asyncio.subprocess.Process, int]:
    """The process and where its output can be read without waiting."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=theirs), ours
    finally:
        os.close(theirs)


async def _said(output: int) -> bytes:
    """What a sink has said since it was asked last, once there is something; nothing at its end."""
    while True:
        with contextlib.suppress(BlockingIOError):
            return os.read(output, READ_BYTES)
        await asyncio.sleep(LOOK_SECONDS)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
