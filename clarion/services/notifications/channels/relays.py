"""The relays that take our mail, as CLARION_SMTP_URL names them, and how they are trusted."""

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from clarion.runtime.tls import trusting

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,62}")
STARTTLS = {"required": True, "none": False, "offered": None}
PARAMETERS = frozenset({"starttls", "name", "weight"})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a relay may take, in seconds (RFC 5321, 4.5.3.2): `content` is the wait for its word on a whole mail."""

    connect: float = 15.0
    command: float = 300.0
    content: float = 600.0
    quit: float = 2.0


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes: `smtp://user:password@host:port`, `smtps://`; `?starttls=required` or `none`.

    `?name=` is what reports and limits call it. Relays with a `?weight=` share the mail by it; one without takes it all
    when none before it can be reached.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None
    name: str = "relay"
    weight: float = 0.0
    timeouts: Timeouts = Timeouts()
    ca_file: Path | None = None

    @classmethod
    def from_url(cls, url: str, ca_file: Path | None = None) -> "Relay":
        """Read one URL; `ca_file` holds the certificate of a private authority that is trusted as well.

        Raises:
            ValueError: it is of another scheme, lacks a host, or has a parameter that is unknown or malformed.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("CLARION_SMTP_URL is smtp://host:port or smtps://host:port, several separated by spaces")
        said = _parameters(parts)
        tls = parts.scheme == "smtps"
        port = parts.port or (465 if tls else 587 if parts.username else 25)
        return cls(
            host=parts.hostname,
            port=port,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=False if tls else STARTTLS[said.get("starttls", "offered")],
            name=said.get("name", f"{parts.hostname}:{port}"),
            weight=float(said.get("weight", 0)),
            ca_file=ca_file,
        )


def _parameters(parts: SplitResult) -> dict[str, str]:
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := said.keys() - PARAMETERS:
        raise ValueError(f"CLARION_SMTP_URL: {', '.join(sorted(unknown))} is not known: starttls, name or weight")
    if said.get("starttls", "offered") not in STARTTLS:
        raise ValueError(f"CLARION_SMTP_URL: starttls={said['starttls']} is not known: required, none or offered")
    if not NAME.fullmatch(said.get("name", "relay")):
        raise ValueError("CLARION_SMTP_URL: name= is of letters, digits, dots and hyphens")
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", said.get("weight", "1")) or not float(said.get("weight", "1")):
        raise ValueError(f"CLARION_SMTP_URL: weight={said['weight']} is no number above 0")
    return said


def read_relays(urls: str, ca_file: Path | None = None) -> list[Relay]:
    """The relays of the setting, in order of preference; separated by spaces, or by a comma before the next scheme.

    Raises:
        ValueError: there is none, one cannot be read, or two have one name.
    """
    relays = [Relay.from_url(url, ca_file) for url in re.split(r"\s*,\s*(?=smtps?://)|\s+", urls.strip()) if url]
    names = [relay.name for relay in relays]
    if not relays:
        raise ValueError("CLARION_SMTP_URL names no relay")
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"CLARION_SMTP_URL: two relays are called {', '.join(sorted(twice))}: give each a ?name=")
    return relays


@cache
def trusted(ca_file: Path | None = None) -> ssl.SSLContext:
    """The certificates that this machine trusts, and those of a private authority; reading them takes a while.

    Raises:
        ValueError: the file cannot be read or holds no certificate.
    """
    try:
        return trusting(ca_file)
    except OSError as error:
        raise ValueError(f"CLARION_SMTP_CA_FILE {ca_file} cannot be read: {error}") from error


@cache
def own_name() -> str:
    """What we call ourselves to a relay (RFC 5321, 4.1.1.1); the machine's resolver may take its time over it."""
    return socket.getfqdn()


def get_ready(relays: Sequence[Relay]) -> None:
    """Find out now what every connection is opened with, so that the first mail does not wait for it.

    Raises:
        ValueError: the certificates of a private authority cannot be read.
    """
    own_name()
    for relay in relays:
        trusted(relay.ca_file)


def by_weight(relays: Sequence[Relay], dice: float) -> list[Relay]:
    """The order in which relays are asked: a weighted one first, as a throw from 0 to 1 says, then as configured."""
    total = sum(relay.weight for relay in relays)
    reached = 0.0
    for relay in relays:
        reached += relay.weight
        if relay.weight and dice * total < reached:
            return [relay, *(other for other in relays if other is not relay)]
    return list(relays)
