"""Lists of hearings that fit no record: they go in parts, each of which is true by itself, and nothing is withdrawn."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from clarion.runtime.messaging.record import Record, headers_from_json
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.legislation.intake import InvalidUpdate, read_update
from clarion.services.legislation.operations import Intake, take_in
from clarion.services.legislation.splitting import PART_BYTES
from tests.services.legislation.conftest import CALIFORNIA, Legislation, make_notice
from tests.services.legislation.test_legislation_http import PATH, opened_site

HEARINGS, BILLS = 40, 300
TITLE = "Housing development near transit, and other matters of that kind: local control"


def listed(number: int, bills: int = BILLS) -> dict[str, Any]:
    agenda = [{"bill": f"AB {number * BILLS + place}", "title": TITLE, "author": "Muster"} for place in range(bills)]
    return make_notice(hearing_id=f"h-{number}", starts_at=f"2027-04-21T08:{number:02}:00-07:00", agenda=agenda)


def long_list(hearings: int = HEARINGS) -> dict[str, Any]:
    return {"jurisdiction": CALIFORNIA, "hearings": [listed(number) for number in range(hearings)]}


async def publish(legislation: Legislation, data: dict[str, Any], event_id: str) -> Intake:
    item = {"type": "hearing.calendar", "id": event_id, "data": data}
    update = read_update(item, identify=lambda *_: "", source="/sources/a")
    async with legislation.database.transaction() as tx:
        return await take_in(tx, [update], legislation.now)


async def sent(legislation: Legislation, event_id: str) -> list[Record]:
    """The records of an update, as they travel."""
    rows = await legislation.fetch(
        "SELECT key, headers, body FROM outbox WHERE topic = $1 ORDER BY id", "legislation.updates.v1"
    )
    records = [
        Record(
            "legislation.updates.v1",
            0,
            next(legislation.offsets),
            row["key"],
            tuple(headers_from_json(row["headers"])),
            row["body"],
            legislation.now,
        )
        for row in rows
    ]
    return [one for one in records if str(dict(one.headers)["ce_id"], "utf-8").partition("#")[0] == event_id]


async def hear_one_by_one(legislation: Legislation, records: Sequence[Record]) -> None:
    for record in records:
        await legislation.hear(record)


async def test_a_list_that_fits_no_record_goes_in_parts_that_say_the_same_together(legislation: Legislation) -> None:
    assert await publish(legislation, long_list(), "list-1") == Intake(1, 0)
    records = await sent(legislation, "list-1")
    bodies = [json.loads(record.body or b"") for record in records]
    assert len(records) > 3
    assert all(len(record.body or b"") < 2 * PART_BYTES < LEGISLATION_UPDATES.max_bytes for record in records)
    assert [one["hearing_id"] for body in bodies for one in body["hearings"]] == [f"h-{n}" for n in range(HEARINGS)]
    every = {f"h-{number}" for number in range(HEARINGS)}
    for body in bodies:
        assert {one["hearing_id"] for one in body["hearings"]} | set(body["also_listed"]) == every
    assert await publish(legislation, long_list(), "list-1") == Intake(0, 1)
    assert len(await sent(legislation, "list-1")) == len(records)


@pytest.mark.parametrize("order", [1, -1])
async def test_every_hearing_of_the_parts_is_told_once_in_any_order_and_again_nothing(
    legislation: Legislation, order: int
) -> None:
    await publish(legislation, long_list(), "list-1")
    records = (await sent(legislation, "list-1"))[::order]
    await hear_one_by_one(legislation, [*records, *records])
    await legislation.wait(61)
    assert sorted(alert["aliases"][0] for alert in await legislation.alerts()) == sorted(
        f"h-{number}" for number in range(HEARINGS)
    )
    assert {alert["status"] for alert in await legislation.alerts()} == {"scheduled"}


async def test_only_what_is_in_no_part_is_withdrawn(legislation: Legislation) -> None:
    await publish(legislation, long_list(), "list-1")
    await hear_one_by_one(legislation, await sent(legislation, "list-1"))
    legislation.now += timedelta(hours=1)
    await publish(legislation, long_list(HEARINGS - 1), "list-2")
    [first, *_] = await sent(legislation, "list-2")
    await legislation.hear(first)
    await legislation.wait(61)
    [cancelled] = [alert for alert in await legislation.alerts() if alert["status"] == "cancelled"]
    assert cancelled["aliases"] == [f"h-{HEARINGS - 1}"]


def part(legislation: Legislation, held: Sequence[int], others: Sequence[int], seconds: int) -> Record:
    """A part as an integration sends it, at so many seconds past noon."""
    data = {
        "jurisdiction": CALIFORNIA,
        "hearings": [listed(number, 2) for number in held],
        "also_listed": [f"h-{number}" for number in others],
    }
    at = legislation.now - timedelta(minutes=1) + timedelta(seconds=seconds)
    return legislation.record(data, f"part-{seconds}", kind="hearing.calendar-part", time=at)


async def test_a_part_that_comes_late_is_heard_and_one_of_an_older_list_is_not(legislation: Legislation) -> None:
    later, late = part(legislation, [1, 2], [3], 20), part(legislation, [3], [1, 2], 10)
    older = part(legislation, [4], [1, 2, 3], 5)
    await hear_one_by_one(legislation, [later, late, older])
    outcomes = {name: outcome for name, (outcome, _) in (await legislation.outcomes()).items()}
    assert outcomes == {"part-20": "alerted", "part-10": "alerted", "part-5": "outdated"}
    assert {alert["aliases"][0] for alert in await legislation.alerts()} == {"h-1", "h-2", "h-3"}


async def test_the_status_of_a_list_in_parts_is_of_all_of_them(legislation: Legislation) -> None:
    async with opened_site(legislation.database, legislation.clock) as site:

        async def status() -> dict[str, Any]:
            answer: httpx.Response = await site.get(f"{PATH}/list-1")
            found: dict[str, Any] = answer.json()
            return found

        await publish(legislation, long_list(), "list-1")
        *records, last = await sent(legislation, "list-1")
        await hear_one_by_one(legislation, records)
        assert ((await status())["type"], (await status())["outcome"]) == ("hearing.calendar", "received")
        await legislation.hear(last)
        assert (await status())["outcome"] == "alerted"


def refusal(data: dict[str, Any], event_id: str) -> tuple[str, str]:
    with pytest.raises(InvalidUpdate) as refused:
        read_update({"type": "hearing.calendar", "id": event_id, "data": data}, identify=lambda *_: "")
    [error] = refused.value.errors
    return error.field, error.message


def test_a_list_with_a_hearing_that_fits_no_record_is_refused_with_what_to_do() -> None:
    bills = [{"bill": f"AB {number}", "title": "x" * 990, "author": "y" * 990} for number in range(500)]
    field, said = refusal(long_list(2) | {"hearings": [listed(0), make_notice(agenda=bills)]}, "e-1")
    assert (field, "send a list for each committee" in said) == ("data.hearings[1]", True)


def test_a_list_in_parts_leaves_room_for_their_numbers_in_its_id() -> None:
    field, said = refusal(long_list(), "e" * 490)
    assert (field, "480 characters" in said) == ("data", True)
