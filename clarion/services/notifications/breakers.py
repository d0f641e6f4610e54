"""The breakers that all senders share, as one of them knows them, and what it heard of the relays."""

import time
from collections.abc import Callable, Sequence

import structlog

from clarion.runtime.database import Transaction
from clarion.services.notifications.domain.breakers import WHOLE_RELAY, Breaker, Gate, Pace
from clarion.services.notifications.domain.outcomes import Accepted, Declined, Outcome, brief
from clarion.services.notifications.domain.replies import RULES, code_of
from clarion.services.notifications.repository import queries

log = structlog.get_logger(__name__)

Key = tuple[str, str]
"""A relay and a domain."""

News = dict[Key, str | None]
"""Breakers that were opened, with the reason, or closed (None)."""


class Breakers:
    """Closed ones are not kept, so that nothing is asked while none is open."""

    def __init__(self, pace: Pace, seconds: Callable[[], float] = time.monotonic) -> None:
        self.pace = pace
        self._seconds = seconds
        self._kept: dict[Key, Breaker] = {}
        self._news: News = {}
        self._heard: dict[str, tuple[str, str]] = {}
        self._told: dict[str, tuple[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def find(self, relay: str, domain: str = WHOLE_RELAY) -> Breaker | None:
        """The breaker, unless it is closed."""
        return self._kept.get((relay, domain))

    def gate(self, relay: str, domain: str = WHOLE_RELAY) -> Gate:
        """Whether mail goes through."""
        found = self._kept.get((relay, domain))
        return found.gate(self._seconds()) if found else "closed"

    def wait_seconds(self, relay: str, domain: str) -> float:
        """How long until a mail may go through, in seconds."""
        found = self._kept.get((relay, domain))
        return found.wait_seconds(self._seconds()) if found else 0.0

    def hear(self, relay: str, state: str, said: str) -> None:
        """What is told of a relay by `clarion relays`: `up` or `down`, and its last word."""
        self._heard[relay] = (state, said)

    def learn(self, tried: Sequence[tuple[str, str]], outcomes: Sequence[Outcome]) -> None:
        """What the tries of a round, each by a relay to an address, say of the relays and the domains."""
        said: dict[str, str] = {}
        for (relay, address), outcome in zip(tried, outcomes, strict=True):
            if isinstance(outcome, Accepted):
                said[relay] = outcome.reply
                if self._kept:
                    self._learn(relay, domain_of(address), outcome)
            elif isinstance(outcome, Declined):
                said[relay] = outcome.reply
                self._learn(relay, domain_of(address), outcome)
        for relay, reply in said.items():
            self.hear(relay, "up", reply)

    def _learn(self, relay: str, domain: str, outcome: Accepted | Declined) -> None:
        blocks = RULES[outcome.kind].blocks if isinstance(outcome, Declined) else None
        if blocks:
            self.open(relay, domain if blocks == "domain" else WHOLE_RELAY, outcome.reply)
            return
        self.close(relay, domain)
        if isinstance(outcome, Accepted):
            self.close(relay, WHOLE_RELAY)

    def open(self, relay: str, domain: str, reply: str) -> None:
        """Nothing more for a while; if it is open already it stays as it is."""
        if self.gate(relay, domain) == "open" and not self._probing(relay, domain):
            return
        reason = brief(reply)
        self._kept[relay, domain] = Breaker(relay, domain, reason, self._seconds() + self.pace.first(domain))
        self._news[relay, domain] = reason
        # The reply may name the recipient.
        if domain == WHOLE_RELAY:
            log.error("relay.refuses_us", relay=relay, said=code_of(reply))
        else:
            log.warning("relay.domain_blocked", relay=relay, domain=domain, said=code_of(reply))

    def close(self, relay: str, domain: str) -> None:
        """Mail goes through again, if the first time of the breaker is over: what went out before says nothing."""
        found = self._kept.get((relay, domain))
        if found is not None and self._seconds() >= found.until:
            del self._kept[relay, domain]
            self._news[relay, domain] = None
            log.info("relay.takes_again", relay=relay, domain=domain)

    def _probing(self, relay: str, domain: str) -> bool:
        found = self._kept[relay, domain]
        return found.until <= self._seconds() < found.probe_until

    async def write(self, tx: Transaction) -> News:
        """Tell the others what was learnt here; nothing is asked if that is nothing. Gives what was told."""
        news = dict(sorted(self._news.items()))
        opened = [
            {"relay": relay, "domain": domain, "reason": reason, "first": self.pace.first(domain)}
            for (relay, domain), reason in news.items()
            if reason is not None
        ]
        if opened:
            await queries.trip_breakers(tx.connection, rows=opened, limit_seconds=self.pace.limit)
        closed = [{"relay": relay, "domain": domain} for (relay, domain), reason in news.items() if reason is None]
        if closed:
            await queries.close_breakers(tx.connection, rows=closed)
        return news

    def written(self, news: News) -> None:
        """It was committed."""
        for key, reason in news.items():
            if key in self._news and self._news[key] is reason:
                del self._news[key]

    async def read(self, tx: Transaction) -> None:
        """Learn what the others know, and tell what was heard of the relays."""
        if self._heard != self._told:
            rows = [{"name": name, "state": state, "said": brief(said)} for name, (state, said) in self._heard.items()]
            await queries.save_relays(tx.connection, rows=rows)
            self._told = dict(self._heard)
        now = self._seconds()
        kept = {}
        async for row in queries.open_breakers(tx.connection):
            probe_until = now + row["probe_seconds"] if row["probe_seconds"] is not None else 0.0
            key = (row["relay"], row["domain"])
            kept[key] = Breaker(*key, row["reason"], now + row["seconds"], probe_until)
        self._kept = {**kept, **{key: self._kept[key] for key in self._news if key in self._kept}}
        for key in [key for key, reason in self._news.items() if reason is None]:
            self._kept.pop(key, None)

    async def take_probes(self, tx: Transaction, wanted: list[Key]) -> set[Key]:
        """Of these half-open breakers those through which the caller may send one mail."""
        rows = [{"relay": relay, "domain": domain} for relay, domain in sorted(set(wanted))]
        found = queries.take_probes(tx.connection, rows=rows, probe_seconds=self.pace.probe)
        return {(row["relay"], row["domain"]) async for row in found}


def domain_of(address: str) -> str:
    """The domain of an address, as breakers and limits name it."""
    return address.rpartition("@")[2].lower()
