"""How much of a fan-out each transaction takes: every mailbox once, whatever the sizes and wherever it dies."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
from amending import MOVED
from campaigns_world import World, official
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.deliveries import Delivery
from clarion.services.campaigns import fanout
from clarion.services.campaigns.domain.jobs import END, START, Job, within

JOBS = st.lists(
    st.builds(
        Job,
        campaign=st.sampled_from(["a", "b"]),
        division=st.sampled_from(["", "east", "north"]),
        bucket=st.integers(0, 3),
        officials=st.integers(0, 500),
    ),
    min_size=1,
    unique_by=lambda job: (job.campaign, job.bucket, job.division),
)


def in_order(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.campaign, job.bucket, job.reached, job.division))


@given(JOBS, st.integers(1, 300))
def test_the_ranges_of_a_job_follow_one_another_from_the_first_mailbox_to_the_last(jobs: list[Job], room: int) -> None:
    ranges: dict[tuple[str, int, str], list[tuple[str, str]]] = {}
    left = in_order(jobs)
    while left:
        taken = within(left, room)
        assert taken
        assert len({(job.reached, job.upto) for job in taken}) == 1
        if taken[0].upto == END and taken[0].reached == START and len({job.bucket for job in taken}) > 1:
            assert sum(job.officials for job in taken) <= room
        for job in taken:
            ranges.setdefault((job.campaign, job.bucket, job.division), []).append((job.reached, job.upto))
        done = {(job.campaign, job.bucket, job.division) for job in taken}
        rest = [job for job in left if (job.campaign, job.bucket, job.division) not in done]
        left = in_order([*rest, *(replace(job, reached=job.upto, upto=END) for job in taken if job.upto != END)])
    for found in ranges.values():
        assert found[0][0] == START
        assert found[-1][1] == END
        assert all(before[1] == after[0] for before, after in pairwise(found))


async def planned_as_full(world: World, bucket: int, officials: int) -> None:
    """As if each bucket had so many officials: these mailboxes stand for a share of a large directory's."""
    await world.fetch("UPDATE fanout_jobs SET officials = $2 WHERE bucket = $1 AND officials > 0", bucket, officials)


async def test_each_transaction_reads_its_own_officials_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [
        official(f"o{number}", "alder", "Mayor", mailbox=f"{number * 24 * 700_000:08x}{number:024x}")
        for number in range(250)
    ]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    await planned_as_full(world, bucket=0, officials=250)
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 50)
    sizes = []
    called = 0
    while await fanout.fan_out(world.database, world.clock):
        await world.fan_out_and_die()
        sizes.append(len(await world.called()) - called)
        called += sizes[-1]
    assert sum(sizes) == 250
    assert max(sizes) <= 60
    assert len(await world.recipients()) == 250


async def test_an_amendment_in_the_middle_of_a_bucket_begins_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        official(f"o{number}", "alder", "Mayor", mailbox=f"{number * 24 * 3_500_000:08x}{number:024x}")
        for number in range(50)
    ]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    await planned_as_full(world, bucket=0, officials=50)
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 10)
    assert await fanout.fan_out(world.database, world.clock)
    early = set(await world.told())
    assert 0 < len(early) < 50
    await world.hear(revision=2, starts_at=MOVED)
    await world.fan_out()
    told = await world.told()
    assert {box: [each.revision for each in found] for box, found in told.items()} == {
        box: [1, 2] if box in early else [2] for box in told
    }
    assert len(told) == 50


async def test_what_became_of_calls_is_written_on_their_pages(world: World) -> None:
    """So no index is touched: that is most of what an outcome cost."""
    await world.import_all(officials=[official(f"o{number}", "alder", "Mayor") for number in range(250)])
    await world.adopt()
    await world.hear()
    await world.fan_out()
    pages = "SELECT official, split_part(ctid::text, ',', 1) AS page, outcome FROM calls ORDER BY official"
    matter = f"campaign:{(await world.campaign())['id']}"
    async with world.database.connection() as connection:
        before = await connection.fetch(pages)
        told = [
            Delivery(matter=matter, revision=1, mailbox=box, state="sent", at=world.now) for box in await world.told()
        ]
        await world.deliver(*told)
        after = await connection.fetch(pages)
    assert {row["outcome"] for row in before} == {None}
    assert {row["outcome"] for row in after} == {"sent"}
    assert len({row["page"] for row in after}) > 1
    assert [row["page"] for row in before] == [row["page"] for row in after]


async def test_a_call_is_found_by_its_keys_though_the_statistics_know_other_campaigns_alone(world: World) -> None:
    """Else each official of a new campaign costs a look at all of its calls."""
    await world.import_all(officials=[official(f"o{number}", "alder", "Mayor") for number in range(300)])
    await world.adopt()
    await world.hear()
    await world.fan_out()
    people = "EXPLAIN (FORMAT JSON) SELECT * FROM people_of_campaign('new', true, true, true, '{mayor}', '{3}')"
    mailbox = "EXPLAIN (FORMAT JSON) SELECT FROM calls WHERE campaign = 'new' AND mailbox = 'abc'"
    async with world.database.connection() as connection:
        await connection.execute("ANALYZE calls, officials, campaign_cities")
        await connection.execute("SET enable_seqscan = off")
        by_official = str(await connection.fetchval(people))
        by_mailbox = str(await connection.fetchval(mailbox))
        await connection.execute("RESET enable_seqscan")
    assert "calls_pkey" in by_official
    assert "calls_by_mailbox" not in by_official
    assert "calls_by_mailbox" in by_mailbox


async def test_a_claim_reads_its_own_jobs_however_many_wait_that_nobody_counted_yet(world: World) -> None:
    """A thousand campaigns may be launched before the statistics know of any."""
    await world.import_all()
    await world.adopt()
    await world.hear()
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO fanout_jobs (campaign, division, bucket, officials)"
            " SELECT id, 'd' || d, b, 2 FROM campaigns, generate_series(1, 800) AS d, generate_series(0, 23) AS b"
        )
    seen: list[asyncpg.connection.LoggedQuery] = []
    async with world.database.transaction() as tx:
        with tx.connection.query_logger(seen.append):
            assert await fanout.claim_jobs(tx.connection, world.now)
            await asyncio.sleep(0)
        [claim] = [one for one in seen if "fanout_jobs AS j" in one.query]
        [plan] = await tx.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {claim.query}", *claim.args)
    assert rows_of(plan["Plan"], "fanout_jobs") <= fanout.JOBS_PER_TRANSACTION


def rows_of(plan: dict[str, Any], table: str) -> float:
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    return own + sum(rows_of(part, table) for part in plan.get("Plans", []))
