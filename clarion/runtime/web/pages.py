"""Pages: templates of a service on the common base, with headers that let nothing else in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from clarion.runtime.settings import Settings
from clarion.runtime.web.headers import SecurityHeaders

PACKAGE = "clarion.runtime.web"
STATIC = Path(__file__).parent / "static"


@cache
def stylesheet() -> str:
    """The address of the stylesheet; it changes with the content, so that caches never show an old one."""
    digest = hashlib.sha256((STATIC / "clarion.css").read_bytes()).hexdigest()
    return f"/static/clarion.css?v={digest[:12]}"


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who asks, at the foot of the pages on which a person acts: the same that stands at the foot of every mail."""

    postal_address: str | None = None
    filings_url: str | None = None

    @staticmethod
    def of(settings: Settings) -> "Imprint":
        """As the installation has it."""
        return Imprint(settings.postal_address, settings.filings_url)


def environment(package: str | None = None, imprint: Imprint | None = None) -> Environment:
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
    made.globals |= {"stylesheet": stylesheet, "imprint": imprint or Imprint()}
    return made


class Pages:
    """Renders the templates of one service, such as `Pages("clarion.services.campaigns")`."""

    def __init__(self, package: str | None = None, imprint: Imprint | None = None) -> None:
        self.environment = environment(package, imprint)

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


class Assets(StaticFiles):
    """Files whose address changes with their content: whoever has one need not ask again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, to be kept."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def install(app: FastAPI, *, https: bool = False) -> None:
    """Serve the stylesheet under `/static` and set the security headers of all responses."""
    app.mount("/static", Assets(directory=STATIC), name="static")
    app.add_middleware(SecurityHeaders, https=https)
