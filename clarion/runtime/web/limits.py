"""How large a request may be."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1_000_000
READ_AWAY = 16
"""Of a body that is too large, so many times what is allowed is read and thrown away."""


class BodyLimit:
    """ASGI middleware: a body over `max_bytes` is 413, by what arrives and not only by what is announced."""

    def __init__(self, app: ASGIApp, max_bytes: int = MEGABYTE) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a receive that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = 0
        announced = self.announced(scope)

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if max(seen, announced) > self.max_bytes:
                await self.read_away(receive, message, seen)
                raise self.too_large()
            return message

        await self.app(scope, counted, send)

    async def read_away(self, receive: Receive, message: Message, seen: int) -> None:
        """Take in what still comes, up to a bound: closing on unread bytes resets the connection, and with it goes
        the answer that says why.
        """
        while message.get("more_body", False) and seen <= self.max_bytes * READ_AWAY:
            message = await receive()
            seen += len(message.get("body", b""))

    def announced(self, scope: Scope) -> int:
        """The Content-Length of a request, 0 where it does not say one."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    def too_large(self) -> HTTPException:
        """The answer; the connection is closed since the rest of a very large one is not read."""
        detail = f"The body is larger than {self.max_bytes:,} bytes: send it in parts."
        return HTTPException(413, detail, {"connection": "close"})
