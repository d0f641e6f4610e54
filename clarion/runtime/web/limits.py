"""How large a request may be."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1_000_000
READ_AWAY = 16
"""Of a body that is too large, so many times what is allowed is read and thrown away."""


class BodyLimit:
    """ASGI middleware: a body over `max_bytes` is 413, by what arrives and not only by what is announced.

    `larger` says which paths, by how they begin, take more than that: those of files.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MEGABYTE, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.larger = dict(larger or {})

    def most(self, path: str) -> int:
        """How many bytes a request for this path may bring."""
        return next((most for start, most in self.larger.items() if path.startswith(start)), self.max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a receive that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen, most = 0, self.most(scope["path"])
        announced = self.announced(scope)

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if max(seen, announced) > most:
                await self.read_away(receive, message, seen, most)
                raise self.too_large(most)
            return message

        await self.app(scope, counted, send)

    async def read_away(self, receive: Receive, message: Message, seen: int, most: int) -> None:
        """Take in what still comes, up to a bound: closing on unread bytes resets the connection, and with it goes
        the answer that says why.
        """
        while message.get("more_body", False) and seen <= most * READ_AWAY:
            message = await receive()
            seen += len(message.get("body", b""))

    def announced(self, scope: Scope) -> int:
        """The Content-Length of a request, 0 where it does not say one."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    def too_large(self, most: int) -> HTTPException:
        """The answer; the connection is closed since the rest of a very large one is not read."""
        detail = f"The body is larger than {most:,} bytes: send it in parts."
        return HTTPException(413, detail, {"connection": "close"})
