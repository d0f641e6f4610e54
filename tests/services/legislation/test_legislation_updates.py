"""Updates on the real database: history, alerts, dead letters, replicas at the same time."""

import asyncio
from typing import Any

import pytest

from clarion.schemas.legislation import HearingNotice
from clarion.services.legislation.domain.statements import Statement
from clarion.services.legislation.operations import hear
from clarion.services.legislation.repository import lock_jurisdictions

pytestmark = pytest.mark.timeout(60)


async def test_the_same_notice_under_any_source_and_id_is_one_alert(legislation: Any, notice: Any) -> None:
    again = notice(starts_at="2027-04-21T20:30:00Z", agenda=[{"bill": "sb079"}])
    await legislation.hear(legislation.record(notice(), "e-1"))
    await legislation.hear(legislation.record(notice(), "e-1"), legislation.record(notice(), "e-2"))
    await legislation.hear(legislation.record(again, "e-3", source="/sources/b"))
    alerts = await legislation.alerts()
    assert [(alert["revision"], alert["aliases"]) for alert in alerts] == [(1, ["ca-2027-04-21-s-housing"])]
    assert {event: outcome for event, (outcome, _) in (await legislation.outcomes()).items()} == {
        "e-1": "alerted",
        "e-2": "unchanged",
        "e-3": "unchanged",
    }
    assert await legislation.reasons() == []


async def test_an_alert_is_keyed_by_the_hearing_and_named_by_its_revision(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    [row] = await legislation.fetch("SELECT key, headers FROM outbox")
    [hearing] = await legislation.fetch("SELECT id::text, state FROM hearings")
    headers = dict(row["headers"])
    assert row["key"].decode() == hearing["id"] == hearing["state"]["hearing_id"]
    assert headers["ce_id"] == f"{hearing['id']}.1"
    assert (headers["ce_type"], headers["ce_source"]) == ("bill-hearing.scheduled", "/clarion/legislation")


async def test_the_last_statement_of_each_source_is_kept(legislation: Any, notice: Any) -> None:
    await legislation.hear(
        legislation.record(notice(), "e-1"),
        legislation.record(notice(notice_url="https://notices.example/2"), "e-2"),
        legislation.record(notice(), "e-3", source="/sources/b"),
    )
    rows = await legislation.fetch("SELECT source, notice FROM standings ORDER BY source")
    assert [(row["source"], row["notice"]["notice_url"]) for row in rows] == [
        ("/sources/a", "https://notices.example/2"),
        ("/sources/b", None),
    ]


async def test_a_bad_record_costs_itself_alone(legislation: Any, notice: Any) -> None:
    odd = "ocd-jurisdiction/country:us/state:zz/government"
    await legislation.hear(
        legislation.record(b"{ not json", "e-1"),
        legislation.record(notice(jurisdiction=odd), "e-2"),
        legislation.record(notice(hearing_id="nul \u0000"), "e-3"),
        legislation.record(notice(starts_at="0001-01-01T00:00:00+14:00"), "e-4"),
        legislation.record(notice(extra="\u0000 in a field nobody knows"), "e-5"),
    )
    outcomes = await legislation.outcomes()
    assert {event: outcome for event, (outcome, _) in outcomes.items()} == {
        "e-2": "rejected",
        "e-4": "rejected",
        "e-5": "alerted",
    }
    assert len(await legislation.reasons()) == 4
    assert len(await legislation.alerts()) == 1


async def test_two_replicas_with_the_same_hearings_in_other_orders_alert_once_of_each(
    legislation: Any, notice: Any
) -> None:
    def batch(source: str, ids: list[str]) -> list[Any]:
        return [legislation.record(notice(hearing_id=one), f"{source}-{one}", source=source) for one in ids]

    ids = [f"h-{number}" for number in range(40)]
    shuffled = [ids, ids[::-1], ids[20:] + ids[:20], ids[::2] + ids[1::2]]
    batches = [batch(f"/sources/{number}", order) for number, order in enumerate(shuffled)]
    await asyncio.gather(*(legislation.hear(*records) for records in batches))
    await legislation.wait(60)
    alerts = await legislation.alerts()
    assert sorted(alert["aliases"][0] for alert in alerts) == sorted(ids)
    counts = {
        row["outcome"]: row["count"]
        for row in await legislation.fetch("SELECT outcome, count(*) FROM history GROUP BY outcome")
    }
    assert counts == {"alerted": 40, "unchanged": 120}
    assert await legislation.reasons() == []


async def test_replicas_that_meet_in_several_jurisdictions_wait_and_never_in_a_circle(
    legislation: Any, notice: Any, until: Any
) -> None:
    def batch(source: str, states: list[str]) -> list[Any]:
        places = [f"ocd-jurisdiction/country:us/state:{state}/government" for state in states]
        return [legislation.record(notice(jurisdiction=one), f"{source}-{one}", source=source) for one in places]

    async def both_wait() -> bool:
        [row] = await legislation.fetch(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        return bool(row["count"] == 2)

    async with legislation.database.connection() as connection:
        blocker = connection.transaction()
        await blocker.start()
        await lock_jurisdictions(connection, ["ocd-jurisdiction/country:us/state:nv/government"])
        waiting = asyncio.gather(
            legislation.hear(*batch("/x", ["wa", "nv", "ca"])), legislation.hear(*batch("/y", ["ca", "nv", "wa"]))
        )
        await until(both_wait)
        await blocker.rollback()
        await waiting
    assert len(await legislation.alerts()) == 3


async def test_the_same_id_in_another_jurisdiction_is_another_hearing(legislation: Any, notice: Any) -> None:
    nevada = "ocd-jurisdiction/country:us/state:nv/government"
    await legislation.hear(legislation.record(notice(), "e-1"), legislation.record(notice(jurisdiction=nevada), "e-2"))
    assert len({alert["hearing_id"] for alert in await legislation.alerts()}) == 2


async def test_five_hundred_updates_take_no_more_statements_than_one(legislation: Any, notice: Any) -> None:
    def statements(start: int, count: int) -> list[Statement]:
        return [
            Statement(
                "/sources/a",
                f"e-{number}",
                "hearing.scheduled",
                HearingNotice.model_validate(notice(hearing_id=f"h-{number}")),
                legislation.clock(),
            )
            for number in range(start, start + count)
        ]

    counts = []
    for batch in (statements(0, 1), statements(1, 1), statements(2, 500)):
        queries: list[Any] = []
        async with legislation.database.transaction() as tx:
            with tx.connection.query_logger(queries.append):
                decisions = await hear(tx, batch, legislation.clock())
        assert [decision.outcome for decision in decisions] == ["alerted"] * len(batch)
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 20
