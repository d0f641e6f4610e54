"""By which names the site may be asked, and from where its forms may be sent."""

import re
from collections.abc import Iterable
from ipaddress import ip_address

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from clarion.runtime.web.fences import SAFE_METHODS, Fence

log = structlog.get_logger(__name__)

PROBES = ("/healthz", "/readyz")
"""Load balancers ask these by whatever address they know."""
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
ELSEWHERE = ("cross-site", "same-site")
FROM_ANYWHERE = re.compile(r"/api/.*|/u/[^/]+|/hooks/.*")
"""What programs post to, which prove by themselves who they are."""


def is_loopback(host: str | None) -> bool:
    """Whether a name or an address means this machine."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str | None:
    """The host of `host:port`, in lower case; None if it is none."""
    found = HOST.fullmatch(address.lower())
    return found[1] if found else None


class KnownHosts(Fence):
    """Only who asks for a name of ours is answered: whatever is made of a foreign name, we did not make it."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        super().__init__(app)
        self.hosts = {host.lower() for host in hosts}
        self.told = False

    def refusal(self, request: Request) -> HTTPException | None:
        """400 unless the Host header names this machine or one of the known hosts."""
        host = host_of(request.headers.get("host", ""))
        if is_loopback(host) or host in self.hosts or request.url.path in PROBES:
            return None
        if host and not self.told:
            self.told = True
            log.warning(
                "asked by a name that is neither the public URL's nor in CLARION_FURTHER_HOSTS", host=host[:100]
            )
        return HTTPException(400, "This site is not known by the name it was asked for.")


class OwnForms(Fence):
    """Forms are sent from our own pages; browsers say where a request began (Fetch Metadata, W3C)."""

    def refusal(self, request: Request) -> HTTPException | None:
        """403 if another site's page sent what changes something."""
        if request.method in SAFE_METHODS or FROM_ANYWHERE.fullmatch(request.url.path):
            return None
        if request.headers.get("sec-fetch-site") in ELSEWHERE:
            return HTTPException(403, "This form was sent from another site: open the page here and send it again.")
        return None
