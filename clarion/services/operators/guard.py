"""Who may see the operators' pages: staff who may operate, and who is on this machine, by way of no proxy."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.hosts import is_loopback
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import SAFE_METHODS, StaffOnly, Visit, check_form, client_address, given_token

WHO = "operators' page"
"""Whoever sits at this machine, in the record of acts and in the history of dead letters."""

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


@dataclass(frozen=True, slots=True)
class Operator:
    """Who looks at the pages: somebody of staff on a visit, or whoever sits at this machine."""

    actor: Actor
    visit: Visit | None = None


class Door:
    """Lets operators in: staff who may operate, and on an address of this machine whoever is on it.

    Behind a public address only staff come in: what a proxy sends looks as if it came from this machine.
    """

    def __init__(self, staff: StaffOnly | None, *, here: bool) -> None:
        self._staff = staff
        self._here = here

    async def __call__(self, request: Request) -> Operator:
        """A FastAPI dependency.

        Raises:
            Refused: 303 to sign in, 401 or 403.
        """
        if self._here:
            only_here(request)
            visit = await self._staff.find(request) if self._staff is not None else None
            if visit is None or not visit.may(Act.OPERATE):
                return Operator(Actor("command", "operators-page", WHO, client_address(request)))
            if request.method not in SAFE_METHODS:
                check_form(visit, await given_token(request))
        elif self._staff is None:
            raise Refused(403, WORDS)
        else:
            visit = await self._staff.let_in(request)
            visit.allow(Act.OPERATE)
        return Operator(visit.actor, visit)
