"""Pages: templates of a service on the common base, with headers that let nothing else in."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PACKAGE = "clarion.runtime.web"
STATIC = Path(__file__).parent / "static"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # the address of a page may carry a signed token, which must not travel to other sites
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@cache
def stylesheet() -> str:
    """The address of the stylesheet; it changes with the content, so that caches never show an old one."""
    digest = hashlib.sha256((STATIC / "clarion.css").read_bytes()).hexdigest()
    return f"/static/clarion.css?v={digest[:12]}"


def environment(package: str | None = None) -> Environment:
    """The templates of a package's `templates` folder, if named, and the common ones."""
    loaders: list[BaseLoader] = [PackageLoader(PACKAGE)]
    if package is not None:
        loaders.insert(0, PackageLoader(package))
    made = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["stylesheet"] = stylesheet
    return made


class Pages:
    """Renders the templates of one service, such as `Pages("clarion.services.campaigns")`."""

    def __init__(self, package: str | None = None) -> None:
        self.environment = environment(package)

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page.

        Raises:
            jinja2.UndefinedError: the template names what the context lacks.
        """
        return HTMLResponse(self.environment.get_template(template).render(context), status, headers)


class SecurityHeaders:
    """ASGI middleware: sets the security headers of every response that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to the start of its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, secured)


def install(app: FastAPI) -> None:
    """Serve the stylesheet under `/static` and set the security headers of all responses."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SecurityHeaders)
