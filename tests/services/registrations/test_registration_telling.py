"""What was decided is told behind admission: once, in its order, whatever dies."""

import asyncio

import pytest

from clarion.runtime.database import Database
from clarion.services.registrations import repository
from clarion.services.registrations.precedence import Precedence
from clarion.services.registrations.tellings import Teller
from tests.services.registrations.conftest import Registrations, opened


async def count(registrations: Registrations, table: str) -> int:
    async with registrations.database.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))


async def die_while_telling(registrations: Registrations) -> None:
    async with registrations.database.transaction() as tx:
        assert await repository.take_telling(tx.connection) is not None
        raise ConnectionError


async def test_an_answer_is_in_the_table_before_it_is_told(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada"))
    assert (await registrations.standing())["ada"] == ("confirmed", None)
    assert await count(registrations, "outbox") == 0
    await registrations.tell()
    assert await count(registrations, "outbox") == 2
    assert await count(registrations, "tellings") == 0


async def test_a_teller_that_dies_before_its_commit_tells_nothing_and_the_next_tells_it_once(
    registrations: Registrations,
) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada"), registrations.asks(event, "bo"))
    with pytest.raises(ConnectionError):
        await die_while_telling(registrations)
    assert await count(registrations, "tellings") == 1
    assert len(await registrations.outcomes()) == 2
    assert len(await registrations.notices()) == 2
    await registrations.tell()
    assert len(await registrations.notices()) == 2


async def test_two_tellers_at_once_tell_everything_once_and_each_person_in_order(registrations: Registrations) -> None:
    event = await registrations.create(capacity=2)
    for number in range(12):
        await registrations.hear(registrations.asks(event, f"p{number}"))
    for number in range(8):
        await registrations.hear(registrations.cancels(event, f"p{number}"))
    second = await Database.connect(registrations.database.url, "registrations")
    other = await opened(second)
    try:
        while await count(registrations, "tellings"):
            await asyncio.gather(registrations.tell(), other.tell())
    finally:
        await second.close()
    outcomes = [body for _, body in await registrations.outcomes()]
    assert len(outcomes) == 12 + 8 + 8
    for name in {body["registration_id"] for body in outcomes}:
        revisions = [body["revision"] for body in outcomes if body["registration_id"] == name]
        assert revisions == list(range(1, len(revisions) + 1))
    assert len(await registrations.notices()) == 12 + 8 + 8


async def test_a_mail_states_the_event_as_it_was_when_the_answer_was_given(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada"))
    await registrations.move(title="Another title")
    titles = [notice["content"]["title"] for notice in await registrations.notices()]
    assert titles == ["How the packaging law will affect local governments", "Another title"]


async def test_who_was_erased_meanwhile_is_told_nothing(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada"), registrations.asks(event, "bo"))
    await registrations.fetch("DELETE FROM registrations WHERE email LIKE 'ada@%'")
    assert [notice["recipients"][0]["name"] for notice in await registrations.notices()] == ["Bo"]
    assert len(await registrations.outcomes()) == 1


async def test_the_teller_works_when_it_is_woken_and_stops_when_told(registrations: Registrations) -> None:
    event = await registrations.create()
    stopping = asyncio.Event()
    working = asyncio.create_task(Teller(registrations.database, registrations.desk).run(stopping))
    async with asyncio.timeout(10):
        await registrations.hear(registrations.asks(event, "ada"))
        while await count(registrations, "outbox") < 2:
            await asyncio.sleep(0)
        stopping.set()
        await working


async def test_telling_gives_way_to_a_rush_as_long_as_its_patience_lasts() -> None:
    requests = Precedence(quiet_seconds=0.002, patience_seconds=60)
    async with asyncio.timeout(10):
        await requests.give_way()
        with requests.at_work():
            waiting = asyncio.create_task(requests.give_way())
            await Precedence(0.002).give_way()
            assert not waiting.done()
        await waiting
        hasty = Precedence(quiet_seconds=0.002, patience_seconds=0.01)
        with hasty.at_work():
            await hasty.give_way()
            await hasty.give_way()
