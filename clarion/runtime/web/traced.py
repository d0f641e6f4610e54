"""A span for each request, so that what it enqueues belongs to the caller's trace."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from clarion.runtime import traces


class TracedRequests:
    """ASGI middleware. Of a path only the first part is told: what follows may be a signed link."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, within a span where there are traces."""
        if scope["type"] != "http" or not traces.tracing():
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(traces.TRACEPARENT)
        area = scope["path"].split("/")[1]
        with traces.span(f"{scope['method']} /{area}", [given] if given else []):
            await self.app(scope, receive, send)
