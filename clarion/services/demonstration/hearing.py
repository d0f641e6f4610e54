"""A hearing: its notice becomes calls, its move amends them, its cancellation takes them back."""

import asyncio
import json
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, open_database
from clarion.runtime.web.keys import create_key
from clarion.services.campaigns.reports import campaign_summary, list_campaigns
from clarion.services.demonstration.mails import Mailroom
from clarion.services.demonstration.narrator import Narrator, soon
from clarion.services.directory.operations import load_sample
from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import SEED, california_cities
from clarion.services.expectation import Expectation, expected_recipients
from clarion.services.sample import AUTHOR, BILL, adopt_sample_position, sample_notice
from clarion.services.stack import RunningStack

AMENDED_LINES = 16


@dataclass(frozen=True, slots=True)
class Integration:
    """Whoever tracks bills for the association: a key, and the site to post to."""

    site: str
    key: str

    async def post(self, event_type: str, data: dict[str, Any]) -> datetime:
        """Post one event over HTTP; returns when it was posted."""
        posted_at = system_clock()
        await asyncio.to_thread(self._post, {"type": event_type, "data": data})
        return posted_at

    def _post(self, event: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 - our own site on loopback
            f"{self.site}/api/v1/legislation/updates",
            json.dumps(event).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            answer.read()


async def show_hearing(stack: RunningStack, officials: int, narrator: Narrator, mailroom: Mailroom) -> None:
    """Load the association, publish a notice, move the hearing, cancel it."""
    expectation = await load_association(stack, officials, narrator)
    integration = Integration(stack.site, await new_key(stack))
    told = Counter(expectation.addresses)
    notice = sample_notice(system_clock())

    since = await integration.post("hearing.scheduled", notice)
    narrator.tell("notice", f"posted over HTTP: Senate Housing hears {BILL} on {notice['starts_at']}")
    await watch_campaign(stack, expectation, narrator)
    calls = await mailroom.expect("mail", "calls caught", told, since)
    if calls:
        mailroom.show(calls[0])

    start = datetime.fromisoformat(notice["starts_at"])
    moved = notice | {"starts_at": (start + timedelta(days=1)).replace(hour=9).isoformat()}
    since = await integration.post("hearing.rescheduled", moved)
    narrator.tell("move", f"posted over HTTP: the hearing is now on {moved['starts_at']}")
    amendments = await mailroom.expect("mail", "amendments caught", told, since)
    if amendments:
        mailroom.show(amendments[0], AMENDED_LINES)

    named = {name: notice[name] for name in ("hearing_id", "jurisdiction")}
    since = await integration.post("hearing.cancelled", named)
    narrator.tell("cancel", "posted over HTTP: the hearing will not be held")
    cancellations = await mailroom.expect("mail", "cancellations caught", told, since)
    if cancellations:
        mailroom.show(cancellations[0], AMENDED_LINES)


async def new_key(stack: RunningStack) -> str:
    """A key for legislative updates."""
    async with open_database(stack.settings, "legislation") as database, database.connection() as connection:
        _, key = await create_key(connection, "demo", ["updates"], "https://tracker.example/")
    return key


async def load_association(stack: RunningStack, officials: int, narrator: Narrator) -> Expectation:
    """The sample association and its position; returns who ought to be asked, by the tables alone."""
    async with open_database(stack.settings, "directory") as database:
        reports = await load_sample(database, officials, clock=system_clock)
    counts = {report.kind: report.added for report in reports}
    narrator.tell("association", ", ".join(f"{count:,} {kind}" for kind, count in counts.items()), **counts)
    await adopt_sample_position(stack.settings)
    narrator.tell("position", f"the association opposes {BILL} and asks: vote no on {BILL}")
    roster = fictional_officials(california_cities(), officials, SEED)
    return expected_recipients(roster, committee="Housing", chamber="upper", author=AUTHOR)


async def watch_campaign(stack: RunningStack, expectation: Expectation, narrator: Narrator) -> None:
    """Wait for the launch and its calls, and tell whom it touches beside what the tables say."""
    async with open_database(stack.settings, "campaigns") as database:
        summary = await soon("the campaign's calls", lambda: issued_campaign(database))
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
