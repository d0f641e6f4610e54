"""Who was told nothing yet is called without a look for earlier calls, and the outcome is the same as with it."""

import contextlib
import json
from datetime import datetime
from typing import Any

from campaigns_world import NOW, World, mailbox, official
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.messages import CallBill, CallContent, MessageBatch, Reason
from clarion.schemas.topics import BUCKETS
from clarion.services.campaigns import fanout
from clarion.services.campaigns.domain.batches import City, Elsewhere, Message, batches_of
from clarion.services.campaigns.domain.model import Asked
from clarion.services.campaigns.repository import QUERIES

CALLS = (
    "SELECT official, city, division, mailbox, letter, phone, testimony, ended_at, outcome FROM calls ORDER BY official"
)
THREADS = "SELECT bucket, mailbox, division, revision, standing FROM threads ORDER BY bucket, mailbox"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() != ""
)


class TakenBack(Exception):
    pass


async def brought_up(world: World, *, thorough: bool) -> list[Any]:
    """What one transaction of the fan-out asks, calls and keeps as told; it is taken back."""
    found: list[Any] = []
    with contextlib.suppress(TakenBack):
        async with world.database.transaction() as tx:
            jobs = await fanout.claim_jobs(tx.connection, world.now)
            await QUERIES.plan_afresh(tx.connection)
            message = await fanout.message_of_campaign(tx.connection, jobs[0].campaign)
            found += await fanout._bring_up_to_date(tx.connection, message, jobs, world.now, thorough=thorough)
            found += [[tuple(row) for row in await tx.connection.fetch(query)] for query in (CALLS, THREADS)]
            raise TakenBack
    return found


async def test_the_first_calls_are_the_same_whether_or_not_earlier_ones_are_looked_for(world: World) -> None:
    shared = mailbox("clerk@two-cities.example")
    people = [official(f"o{number}", "alder", "Mayor") for number in range(40)]
    people += [official(f"two-{city}", city, "Mayor", mailbox=shared) for city in ("birch", "alder", "dell")]
    people += [official("chief", "birch", "Fire Chief", testifies=True)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    plain, thorough = [await brought_up(world, thorough=thorough) for thorough in (False, True)]
    assert plain == thorough
    asked, withdrawn, calls, threads = plain
    assert (len(asked), withdrawn, len(calls), len(threads)) == (42, [], 44, 42)
    [together] = [each for each in asked if each.mailbox == shared]
    assert (together.officials, together.cities) == (("two-alder", "two-birch", "two-dell"), ("alder", "birch", "dell"))


async def test_who_was_called_and_has_an_address_where_nobody_was_told_anything_has_one_call(world: World) -> None:
    old, new = f"{0:08x}{1:024x}", f"{5:08x}{1:024x}"
    await world.import_all(officials=[official("o1", "alder", "Mayor", mailbox=old)])
    await world.adopt()
    await world.hear()
    assert await fanout.fan_out(world.database, world.clock, None, [0])
    moved = official("o1", "alder", "Mayor", mailbox=new, revision=2)
    await world.project(world.entity(moved), world.entity(official("o2", "alder", "Mayor", mailbox=f"{5:08x}{2:024x}")))
    await world.fan_out()
    rows = await world.fetch("SELECT official, mailbox FROM calls ORDER BY official")
    assert [tuple(row) for row in rows] == [("o1", new), ("o2", f"{5:08x}{2:024x}")]
    assert set(await world.told()) == {old, new, f"{5:08x}{2:024x}"}


async def test_a_wave_is_taken_to_be_spread_evenly_over_its_buckets(world: World) -> None:
    await world.import_all(officials=[official(f"o{number}", "alder", "Mayor") for number in range(4 * BUCKETS - 1)])
    await world.adopt()
    await world.hear()
    rows = await world.fetch("SELECT division, bucket, officials FROM fanout_jobs WHERE officials > 0")
    assert sorted(tuple(row) for row in rows) == [("east-bay", bucket, 4) for bucket in range(BUCKETS)]


def message(now: datetime, reason: str, bill: str) -> Message:
    bills = [CallBill(bill=bill, stance="oppose", ask="a", why="w")]
    told = dict.fromkeys(("share", "legislator", "group", "role"))
    told |= {"kind": "statewide", "bills": [bill], "rank": 0, "name": reason}
    return Message(
        campaign="c", revision=3, facts_revision=1, jurisdiction="state", facts=[],
        content=CallContent(committee="Housing", when="soon", letters_due="today", bills=bills),
        calendar=None, calling=True, withdrawal="", arrivals=[], departures=[], letters_due_at=None, ends_at=now,
        told_until=now, cities={"alder": City(reason, (bill,), json.dumps([told]))}, paragraphs={"": reason},
        first_ask="letter", heard=True, letter_roles=None,
    )  # fmt: skip


@given(st.lists(TEXTS, min_size=1, max_size=3, unique=True), TEXTS, TEXTS, TEXTS)
def test_what_is_written_reads_as_it_was_meant(officials: list[str], own: str, reason: str, bill: str) -> None:
    box = mailbox("a@alder.example")
    asked = Asked(box, "", 2, tuple(officials), ("alder",), True, True, own=(Reason(kind="hand", text=own),))
    elsewhere = Elsewhere(called={box: {bill}})
    [(bucket, batch)] = batches_of(message(NOW, reason, bill), [asked], {}, elsewhere, NOW)
    read = MessageBatch.model_validate_json(batch.model_dump_json())
    [recipient] = read.recipients
    assert (bucket, read.matter, read.revision, read.content["paragraph"]) == (2, "campaign:c", 3, reason)
    assert (recipient.mailbox, recipient.officials) == (box, officials)
    assert recipient.reasons[0].text == own
    assert [(each.kind, each.bill) for each in recipient.asks] == [("letter", bill), ("testimony", bill)]
    assert recipient.told_elsewhere == [f"bill:{bill}"]
