"""Bodies that are too large."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from clarion.runtime.web.limits import READ_AWAY, BodyLimit

PIECE = 100
ALLOWED = 250


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


async def left_unread(pieces: int, headers: list[tuple[bytes, bytes]]) -> int:
    """How many pieces of a body a limited application leaves unread when it refuses it; -1 if it takes it."""
    waiting = [{"type": "http.request", "body": b"x" * PIECE, "more_body": True} for _ in range(pieces)]
    waiting[-1]["more_body"] = False

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        pass

    try:
        await BodyLimit(read_all, ALLOWED)({"type": "http", "path": "/", "headers": headers}, receive, send)
    except HTTPException:
        return len(waiting)
    return -1


async def test_a_body_that_is_too_large_is_read_to_its_end_before_it_is_refused() -> None:
    assert await left_unread(2, []) == -1
    assert await left_unread(3, []) == 0
    assert await left_unread(20, [(b"content-length", b"2000")]) == 0


async def test_a_body_without_end_is_not() -> None:
    assert await left_unread(1000, []) == 1000 - ALLOWED * READ_AWAY // PIECE - 1
