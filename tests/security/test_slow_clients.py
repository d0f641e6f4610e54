"""Connections that send or take nothing are ended; what is no HTTP is refused; the server does not name itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from clarion.runtime.web.fences import MOST_HEAD_BYTES
from clarion.runtime.web.patience import PatientProtocol
from clarion.services import running
from clarion.services.running import listen, serving

HOST = b"host: 127.0.0.1\r\n"


def site() -> FastAPI:
    app = FastAPI()

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/much")
    async def much() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(2_000):
                yield b"x" * 100_000

        return StreamingResponse(pieces())

    return app


class Hasty(PatientProtocol):
    read_seconds = 0.3
    write_seconds = 0.3


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the site."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with serving(site(), listener):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with less patience."""
    monkeypatch.setattr(running, "PatientProtocol", Hasty)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that still comes, until the other side ends the connection."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /length HTTP/1.1\r\n",
        b"GET /length HTTP/1.1\r\n" + HOST + b"x-slow: ",
        b"POST /length HTTP/1.1\r\n" + HOST + b"content-length: 10\r\n\r\nabc",
        b"POST /length HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n5\r\nab",
    ],
)
@pytest.mark.usefixtures("hasty")
async def test_a_request_that_does_not_come_to_its_end_is_ended(sent: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(sent)
        assert await rest(reader) == b""


@pytest.mark.usefixtures("hasty")
async def test_one_byte_at_a_time_buys_no_time() -> None:
    async with connected() as (reader, writer):

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b"x")
                await asyncio.sleep(0.02)

        writer.write(b"GET /length HTTP/1.1\r\nx-slow: ")
        dripping = asyncio.create_task(drip())
        assert await rest(reader) == b""
        dripping.cancel()


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_nobody_takes_in_is_given_up() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /much HTTP/1.1\r\n" + HOST + b"\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await asyncio.sleep(1)
        assert len(await rest(reader)) < 2_000 * 100_000


@pytest.mark.usefixtures("hasty")
async def test_who_is_quick_keeps_the_connection() -> None:
    request = b"POST /length HTTP/1.1\r\n" + HOST + b"content-length: 3\r\n\r\nabc"
    async with connected() as (reader, writer):
        for _ in range(5):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert b"server:" not in head.lower()
            assert await reader.readexactly(1) == b"3"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /length HTTP/1.1\r\n" + HOST + b"content-length: 3\r\ncontent-length: 5\r\n\r\nabcde",
        b"POST /length HTTP/1.1\r\n" + HOST + b"transfer-encoding: gzip\r\n\r\nabc",
        b"GET / HTTP/1.1\r\n" + HOST + b"x-folded: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_http_or_too_long_a_head_is_refused_without_a_word_of_the_server(sent: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(sent + b"\r\n\r\n")
        answer = await rest(reader)
    assert answer.split(b"\r\n")[0] in (b"HTTP/1.1 400 ", b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 501 Not Implemented")
    assert b"uvicorn" not in answer.lower()
    assert b"h11" not in answer


async def test_a_head_without_end_is_not_waited_for() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"x-long: " + b"x" * (MOST_HEAD_BYTES + 1))
        assert (await rest(reader)).startswith(b"HTTP/1.1 400")


async def test_chunks_decide_where_a_request_ends_whatever_length_is_said() -> None:
    both = (
        b"POST /length HTTP/1.1\r\n"
        + HOST
        + b"content-length: 50\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    async with connected() as (reader, writer):
        writer.write(both)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"3"


async def test_there_are_no_websockets() -> None:
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n"
    async with connected() as (reader, writer):
        writer.write(b"GET /much HTTP/1.1\r\n" + HOST + upgrade)
        assert not (await reader.readline()).startswith(b"HTTP/1.1 101")
