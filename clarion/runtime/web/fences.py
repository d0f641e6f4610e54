"""What stands before the routes: each fence lets a request through, or says why not as every error is said."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from clarion.runtime.web.problems import on_http_exception

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MOST_ADDRESS_BYTES = 8_000
MOST_HEADERS = 100
MOST_HEAD_BYTES = 16_384
MOST_AT_ONCE = 500


class Fence:
    """ASGI middleware: a request for which `refusal` finds a reason is answered with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def refusal(self, request: Request, /) -> HTTPException | None:
        """Why this request may not pass, or None."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        reason = self.refusal(request)
        if reason is None:
            await self.app(scope, receive, send)
            return
        answer = await on_http_exception(request, reason)
        await answer(scope, receive, send)


class HeadLimit(Fence):
    """An address, or headers, longer or more than any browser and any program of sense sends; or one with a NUL."""

    def refusal(self, request: Request) -> HTTPException | None:
        """400 for a NUL, which no database takes; 414 or 431 for what is too long."""
        headers = request.scope["headers"]
        if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            return HTTPException(400, "There is a character in the address that no text has.")
        if len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"]) > MOST_ADDRESS_BYTES:
            return HTTPException(414, f"The address is longer than {MOST_ADDRESS_BYTES:,} bytes.")
        if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_HEAD_BYTES:
            return HTTPException(431, f"The headers are more than {MOST_HEADERS} or {MOST_HEAD_BYTES:,} bytes.")
        return None


class AtOnce(Fence):
    """So many requests are in work at a time; beyond that it is better to say so than to keep all waiting."""

    def __init__(self, app: ASGIApp, most: int = MOST_AT_ONCE) -> None:
        super().__init__(app)
        self.most = most
        self.under_way = 0

    def refusal(self, _request: Request) -> HTTPException | None:
        """503 while all places are taken."""
        if self.under_way <= self.most:
            return None
        return HTTPException(503, "Too much is asked at the same time: try again.", {"retry-after": "1"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request for as long as it takes."""
        self.under_way += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.under_way -= 1
