"""The mails that came, held against those that were to come."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from clarion.runtime.embedded import CaughtMail, MailStore
from clarion.runtime.output import say
from clarion.services.demonstration.narrator import Narrator, Unfinished, soon
from clarion.services.mail_pages import body, parsed

QUIET_SECONDS = 1.0
SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """How the mails that came differ from those expected, by address."""

    expected: int
    arrived: int
    missing: list[str]
    unexpected: list[str]

    @property
    def passed(self) -> bool:
        """Every expected mail arrived and no other."""
        return self.expected > 0 and not (self.missing or self.unexpected)


def compare(expected: Counter[str], caught: Counter[str]) -> Check:
    """Hold the recipients of the caught mails against those expected, each as often as expected."""
    return Check(
        expected=expected.total(),
        arrived=caught.total(),
        missing=sorted((expected - caught).elements()),
        unexpected=sorted((caught - expected).elements()),
    )


@dataclass
class Mailroom:
    """The mail catcher of a demonstration, and how many mails each address is to have by now."""

    store: MailStore
    narrator: Narrator
    expected: Counter[str] = field(default_factory=Counter)

    async def expect(self, step: str, what: str, addresses: Counter[str], since: datetime) -> list[CaughtMail]:
        """Wait for one more wave of mails and tell how it came; returns its mails, oldest first."""
        before = self.expected.total()
        self.expected += addresses

        async def arrived() -> bool | None:
            return self.store.count() >= self.expected.total() or None

        try:
            await soon(what, arrived)
        except Unfinished:
            self.narrator.add("not all of the mail came in time")
        await asyncio.sleep(QUIET_SECONDS)
        wave = sorted(self.mails(), key=lambda mail: mail.id)[before:]
        if wave:
            first, last = ((wave[place].received_at - since).total_seconds() for place in (0, -1))
            text = f"{len(wave):,} {what}: the first after {first:.1f} s, the last after {last:.1f} s"
            self.narrator.tell(step, text, mails=len(wave), seconds_to_first=first, seconds_to_last=last)
        return wave

    def mails(self) -> Sequence[CaughtMail]:
        """All that was caught."""
        return self.store.list(limit=self.store.count() or 1)

    def check(self) -> Check:
        """Hold all that was caught against all that was expected, and say how it stands."""
        caught = Counter(address.casefold() for mail in self.mails() for address in mail.recipients)
        check = compare(self.expected, caught)
        self.narrator.tell(
            "check",
            f"{check.expected:,} mails expected, {check.arrived:,} arrived, {len(check.missing)} missing, "
            f"{len(check.unexpected)} unexpected: {'passed' if check.passed else 'FAILED'}",
        )
        for what in ("missing", "unexpected"):
            for address in getattr(check, what)[:SHOWN_NAMES]:
                self.narrator.add(f"{what}: {address}")
        return check

    def show(self, mail: CaughtMail, lines: int | None = None) -> None:
        """Print one mail as its reader sees it, or its first lines."""
        found = self.store.get(mail.id)
        if self.narrator.quiet or found is None or found.content is None:
            return
        message = parsed(found.content)
        say(f"\n{'-' * 78}")
        for name in ("From", "Reply-To", "To", "Subject"):
            say(f"{name}: {message[name]}")
        text = body(message, "plain").strip().splitlines()
        shown = text if lines is None or len(text) <= lines else [*text[:lines], "..."]
        say("\n" + "\n".join(shown) + f"\n{'-' * 78}\n")
