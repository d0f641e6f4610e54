"""`clarion demo`: the main job once, on an embedded stack of its own, told step by step."""

import asyncio
import json
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.embedded import CaughtMail, MailStore
from clarion.runtime.output import print_json, say
from clarion.runtime.settings import Settings
from clarion.runtime.web.keys import create_key
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.services.campaigns.reports import campaign_summary, list_campaigns
from clarion.services.directory.operations import load_sample
from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import SEED, california_cities
from clarion.services.expectation import Expectation, expected_recipients
from clarion.services.mail_pages import body, parsed
from clarion.services.running import open_database, stop_on_signals
from clarion.services.sample import AUTHOR, BILL, adopt_sample_position, sample_notice
from clarion.services.stack import RunningStack, open_port, running_stack

PATIENCE_SECONDS = 120.0
QUIET_SECONDS = 1.0
POLL_SECONDS = 0.05
SHOWN_NAMES = 5


T = TypeVar("T")


class Unfinished(Exception):
    """Something that the demo waits for did not happen in time."""


@dataclass
class Narrator:
    """Tells each step with its time, unless a machine listens; remembers all for the machine."""

    quiet: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    began_at: float = field(default_factory=time.monotonic)

    def tell(self, step: str, text: str, **figures: Any) -> None:
        """One more step is done."""
        now = time.monotonic()
        seconds, self.began_at = now - self.began_at, now
        self.steps.append({"step": step, "seconds": round(seconds, 3)} | figures)
        if not self.quiet:
            say(f"{len(self.steps):>2}  {step.ljust(12)} {text}  ({seconds:.1f} s)")

    def add(self, text: str) -> None:
        """A line that belongs to the last step."""
        if not self.quiet:
            say(f"{' ' * 17}{text}")


@dataclass(frozen=True, slots=True)
class Check:
    """Expected mail against the mail that came."""

    expected: int
    arrived: int
    missing: list[str]
    unexpected: list[str]
    twice: list[str]

    @property
    def passed(self) -> bool:
        """Every expected mail arrived and no other."""
        return self.expected > 0 and not (self.missing or self.unexpected or self.twice)


def compare(expected: frozenset[str], addresses: list[str]) -> Check:
    """Hold the recipients of the caught mails against those expected."""
    caught = Counter(address.casefold() for address in addresses)
    return Check(
        expected=len(expected),
        arrived=caught.total(),
        missing=sorted(expected - caught.keys()),
        unexpected=sorted(caught.keys() - expected),
        twice=sorted(address for address, times in caught.items() if times > 1),
    )


async def demonstrate(*, officials: int, as_json: bool) -> int:
    """Run the demo and return its exit code: 0 only if every expected mail arrived, and no other."""
    stopping = stop_on_signals()
    demo = asyncio.ensure_future(in_folder_of_its_own(officials, Narrator(quiet=as_json)))
    interrupted = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({demo, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    interrupted.cancel()
    if not demo.done():
        demo.cancel()
        await asyncio.wait({demo})
        say("stopped; nothing of the demo is left")
        return 130
    try:
        report = demo.result()
    except Unfinished as error:
        say(f"failed: {error}")
        return 1
    if as_json:
        print_json(report)
    return 0 if report["passed"] else 1


async def in_folder_of_its_own(officials: int, narrator: Narrator) -> dict[str, Any]:
    """The demo on a fresh data dir that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="clarion-demo-") as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder) / "data",
            settle_seconds=1,
        )
        if not narrator.quiet:
            say("Clarion demo: a hearing notice becomes mail. All of it runs on this machine, and nothing leaves it.\n")
        async with running_stack(settings, open_port(0), lambda _: None, throw_away=True) as stack:
            return await show(stack, officials, narrator)


async def show(stack: RunningStack, officials: int, narrator: Narrator) -> dict[str, Any]:
    """All steps, on a stack that runs."""
    mail = stack.embedded.mail
    if mail is None:
        raise Unfinished("the demo needs the embedded mail catcher")
    names = ", ".join(service.name for service in stack.services)
    narrator.tell("stack", f"Apache Kafka, PostgreSQL, a mail catcher and {names} run at {stack.site}")
    expectation = await load_association(stack, officials, narrator)
    published_at = await publish(stack, narrator)
    await watch_campaign(stack, expectation, narrator)
    mails = await watch_mail(mail.store, expectation, published_at, narrator)
    check = compare(expectation.addresses, [address for caught in mails for address in caught.recipients])
    tell_check(check, narrator)
    if mails and not narrator.quiet:
        print_mail(mail.store, mails[0])
        say("\nTo keep one running: clarion up --sample-data")
    return {"passed": check.passed, "expected": check.expected, "arrived": check.arrived, "steps": narrator.steps}


async def load_association(stack: RunningStack, officials: int, narrator: Narrator) -> Expectation:
    """The sample association and its position; returns who ought to be asked, by the tables alone."""
    database = await open_database(stack.settings, "directory", system_clock)
    try:
        reports = await load_sample(database, officials, clock=system_clock)
    finally:
        await database.close()
    counts = {kind: report.added for kind, report in zip(NEEDED_TO_LAUNCH, reports, strict=True)}
    narrator.tell("association", ", ".join(f"{count:,} {kind}" for kind, count in counts.items()), **counts)
    await adopt_sample_position(stack.settings)
    narrator.tell("position", f"the association opposes {BILL} and asks: vote no on {BILL}")
    roster = fictional_officials(california_cities(), officials, SEED)
    return expected_recipients(roster, committee="Housing", chamber="upper", author=AUTHOR)


async def publish(stack: RunningStack, narrator: Narrator) -> datetime:
    """Publish the notice as an integration does, with a key over HTTP; returns when."""
    database = await open_database(stack.settings, "legislation", system_clock)
    try:
        async with database.connection() as connection:
            _, key = await create_key(connection, "demo", ["updates"], "https://tracker.example/")
    finally:
        await database.close()
    notice = sample_notice(system_clock())
    published_at = system_clock()
    answer = await asyncio.to_thread(post, stack.site, key, {"type": "hearing.scheduled", "data": notice})
    narrator.tell("notice", f"posted over HTTP: Senate Housing hears {BILL} on {notice['starts_at']}", **answer)
    return published_at


def post(site: str, key: str, event: dict[str, Any]) -> dict[str, Any]:
    """One event over HTTP; returns the answer."""
    request = urllib.request.Request(  # noqa: S310 - our own site on loopback
        f"{site}/api/v1/legislation/updates",
        json.dumps(event).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
    return answer


async def watch_campaign(stack: RunningStack, expectation: Expectation, narrator: Narrator) -> None:
    """Wait for the launch and its calls, and tell whom it touches beside what the tables say."""
    database = await open_database(stack.settings, "campaigns", system_clock)
    try:
        summary = await soon("the campaign's calls", lambda: issued_campaign(database))
    finally:
        await database.close()
    narrator.tell(
        "affected",
        f"{expectation.members} members from {expectation.districts} districts sit on the committee; with the author's "
        f"{summary['cities']} cities in {summary['divisions']} divisions (by the tables {len(expectation.cities)} in "
        f"{len(expectation.divisions)})",
        members=expectation.members,
        districts=expectation.districts,
        cities=summary["cities"],
        divisions=summary["divisions"],
    )
    narrator.tell(
        "calls",
        f"{summary['asked']:,} officials asked in {summary['mailboxes']:,} mailboxes "
        f"(by the tables {len(expectation.officials):,} in {len(expectation.addresses):,})",
        asked=summary["asked"],
        mailboxes=summary["mailboxes"],
    )


async def issued_campaign(database: Database) -> dict[str, Any] | None:
    """The campaign once all its calls are issued."""
    async with database.connection() as connection:
        for campaign in await list_campaigns(connection):
            if campaign["status"] == "launched" and campaign["asked"] == campaign["officials"]:
                return await campaign_summary(connection, campaign["id"])
    return None


async def watch_mail(
    store: MailStore, expectation: Expectation, published_at: datetime, narrator: Narrator
) -> list[CaughtMail]:
    """Wait for as many mails as are expected, and a moment longer for any that is not."""

    async def arrived() -> bool | None:
        return store.count() >= len(expectation.addresses) or None

    try:
        await soon("the mail", arrived)
    except Unfinished:
        narrator.add("not all of the mail came in time")
    await asyncio.sleep(QUIET_SECONDS)
    mails = sorted(store.list(limit=store.count() or 1), key=lambda mail: mail.received_at)
    if mails:
        first, last = ((mails[place].received_at - published_at).total_seconds() for place in (0, -1))
        text = f"{len(mails):,} mails caught: the first {first:.1f} s after the notice, the last {last:.1f} s"
        narrator.tell("mail", text, mails=len(mails), seconds_to_first=first, seconds_to_last=last)
    return mails


def tell_check(check: Check, narrator: Narrator) -> None:
    """Say whether all was as expected, with names where it was not."""
    narrator.tell(
        "check",
        f"{check.expected:,} mails expected, {check.arrived:,} arrived, {len(check.missing)} missing, "
        f"{len(check.unexpected)} unexpected, {len(check.twice)} twice: {'passed' if check.passed else 'FAILED'}",
    )
    for what in ("missing", "unexpected", "twice"):
        for address in getattr(check, what)[:SHOWN_NAMES]:
            narrator.add(f"{what}: {address}")


def print_mail(store: MailStore, mail: CaughtMail) -> None:
    """One mail as the official sees it."""
    found = store.get(mail.id)
    if found is None or found.content is None:
        return
    message = parsed(found.content)
    say(f"\n{'-' * 78}")
    for name in ("From", "Reply-To", "To", "Subject"):
        say(f"{name}: {message[name]}")
    say(f"\n{body(message, 'plain').strip()}\n{'-' * 78}")


async def soon(what: str, find: Callable[[], Awaitable[T | None]]) -> T:
    """What `find` finds, asked again until it does.

    Raises:
        Unfinished: it did not within the demo's patience.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = await find()
        if found is not None:
            return found
        await asyncio.sleep(POLL_SECONDS)
    raise Unfinished(f"{what} did not come within {PATIENCE_SECONDS:.0f} s")
