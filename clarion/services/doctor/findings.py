"""What was found, in a line, and in another what to do about it."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from clarion.runtime.clock import Clock
from clarion.runtime.settings import Settings
from clarion.schemas.commands import Finding

Area: TypeAlias = Literal["settings", "machine", "database", "broker", "mail", "dns", "work"]


class Names(Protocol):
    """Where domain names are looked up."""

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name; none if it has none. Raises Unreadable."""

    async def takes_mail(self, name: str) -> bool:
        """Whether mail to the name goes anywhere. Raises Unreadable."""


class Unreadable(Exception):
    """What was to be looked at cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at, from here and now; nothing is waited for longer than `patience_seconds`."""

    settings: Settings
    clock: Clock
    names: Names
    patience_seconds: float = 20.0


Check: TypeAlias = Callable[[Patient], Awaitable[list[Finding]]]


def well(area: Area, what: str) -> Finding:
    """All is as it should be."""
    return Finding(area=area, level="ok", what=what, todo=None)


def warn(area: Area, what: str, todo: str) -> Finding:
    """It works, but."""
    return Finding(area=area, level="warning", what=what, todo=todo)


def bad(area: Area, what: str, todo: str) -> Finding:
    """Something does not work, or will not be safe."""
    return Finding(area=area, level="problem", what=what, todo=todo)


def told(area: Area, error: Exception) -> Finding:
    """A failure whose words end with what to do."""
    what, _, todo = (str(error) or type(error).__name__).rpartition(": ")
    return bad(area, what or todo, todo if what else "mend that and look again")


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, so that nobody listens in between."""
    if not host or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == socket.gethostname()
