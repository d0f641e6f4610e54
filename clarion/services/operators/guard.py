"""Who may see the operators' pages: until staff can sign in, who is on this machine, by way of no proxy."""

from urllib.parse import urlsplit

from fastapi import Request

from clarion.runtime.web.hosts import is_loopback
from clarion.runtime.web.problems import Refused

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""A request that carries one of these came by way of a proxy, whatever it says of where it began."""

WORDS = (
    "The operators' pages are open on the machine itself only, without a proxy. There: the address that"
    " `clarion up` printed with /operators, or http://127.0.0.1:CLARION_HEALTH_PORT/operators of the process that"
    " serves web."
)


def is_local(url: str) -> bool:
    """Whether an address leads to this machine."""
    try:
        return is_loopback(urlsplit(url).hostname)
    except ValueError:
        return False


def only_here(request: Request) -> None:
    """Let through what comes from this machine.

    The Host header counts as well: a page elsewhere could have its own name point here and read what we answer.

    Raises:
        Refused: 403, it comes from elsewhere, or by way of a proxy.
    """
    direct = not any(name in request.headers for name in FORWARDED)
    from_here = request.client is not None and is_loopback(request.client.host)
    to_here = is_local(f"//{request.headers.get('host', '')}")
    if not (direct and from_here and to_here):
        raise Refused(403, WORDS)


def refuse() -> None:
    """For a site that the world may reach.

    Raises:
        Refused: 403, always.
    """
    raise Refused(403, WORDS)
