"""How much mail a domain or a relay takes in a time, as CLARION_SMTP_LIMITS says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
RULE = re.compile(r"(?P<name>[^=\s]+)\s*=\s*(?P<count>\d{1,9}(?:\.\d{1,3})?)\s*/\s*(?P<unit>[smhd])")
DOMAIN = re.compile(r"(\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
RELAY_PREFIX = "relay:"


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` mails go to what `name` says; of what was not used at most `burst` may go at once."""

    name: str
    per_second: float

    @property
    def burst(self) -> float:
        """What a second allows, and at least one mail."""
        return max(1.0, self.per_second)


class Rates:
    """Which rate holds for a domain and for a relay."""

    def __init__(self, rates: Sequence[Rate] = ()) -> None:
        self._exact = {rate.name: rate for rate in rates if not rate.name.startswith("*.")}
        self._below = {rate.name[1:]: rate for rate in rates if rate.name.startswith("*.")}

    def __bool__(self) -> bool:
        return bool(self._exact or self._below)

    def __iter__(self) -> Iterator[Rate]:
        return iter([*self._exact.values(), *self._below.values()])

    def of_domain(self, domain: str) -> Rate | None:
        """The rate named for the domain itself, else for the nearest `*.` above it, which all below it share."""
        found = self._exact.get(domain)
        at = domain.find(".")
        while found is None and at >= 0:
            found = self._below.get(domain[at:])
            at = domain.find(".", at + 1)
        return found

    def of_relay(self, name: str) -> Rate | None:
        """The rate of a relay."""
        return self._exact.get(RELAY_PREFIX + name)


def read_rates(text: str, relays: Sequence[str]) -> Rates:
    """Read `gmail.com=20/s, *.example=100/m, relay:primary=500/s`; the units are s, m, h and d.

    Raises:
        ValueError: names the entry that is wrong and why.
    """
    rates = [_rate(entry, relays) for part in text.split(",") if (entry := part.strip())]
    names = [rate.name for rate in rates]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"CLARION_SMTP_LIMITS names {', '.join(sorted(twice))} twice")
    return Rates(rates)


def _rate(entry: str, relays: Sequence[str]) -> Rate:
    found = RULE.fullmatch(entry)
    if found is None:
        raise ValueError(f"CLARION_SMTP_LIMITS: {entry!r} is not like gmail.com=20/s (units: {', '.join(UNITS)})")
    name, count = found["name"], float(found["count"])
    if not count:
        raise ValueError(f"CLARION_SMTP_LIMITS: {entry!r} lets nothing through; a rate is above 0")
    if name.startswith(RELAY_PREFIX):
        if name.removeprefix(RELAY_PREFIX) not in relays:
            raise ValueError(f"CLARION_SMTP_LIMITS: {entry!r} names no relay; there is: {', '.join(relays)}")
    elif not DOMAIN.fullmatch(name.lower()):
        raise ValueError(f"CLARION_SMTP_LIMITS: {entry!r} names no domain: write one in ASCII, or *.domain")
    return Rate(name if name.startswith(RELAY_PREFIX) else name.lower(), count / UNITS[found["unit"]])
