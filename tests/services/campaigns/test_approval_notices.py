"""Who answers for waves is mailed that they wait: once for each burst, again when it becomes urgent, never twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from approving_world import account, approve, drafted, no_staff, shown
from campaigns_world import IMPORTS, World

from clarion.runtime.database import Database, Transaction
from clarion.runtime.staff.rights import Role
from clarion.services.campaigns.approving.bursts import NO_ACCOUNT
from clarion.services.campaigns.approving.notices import tell_waiting

SITE = "https://clarion.example"
POSITION = {"launch": "approval"}


@pytest.fixture
async def office(world: World) -> AsyncIterator[World]:
    """The world with nobody of staff yet, and nobody left behind."""
    await no_staff(world)
    yield world
    await no_staff(world)


async def tell(world: World, seconds: float = 6) -> int:
    world.later(seconds=seconds)
    return await tell_waiting(world.database, SITE, world.now)


async def mails(world: World) -> list[dict[str, Any]]:
    return [one for one in await world.batches() if one.get("template") == "notice"]


def readers(batches: list[dict[str, Any]]) -> list[str]:
    return sorted(one["recipients"][0]["address"] for one in batches)


async def test_each_manager_gets_one_mail_for_a_burst_of_hearings(office: World) -> None:
    both, east = await account(office, manages="east-bay peninsula"), await account(office, manages="east-bay")
    state = await account(office, Role.STATE)
    await drafted(office)
    await office.hear(hearing_id="h-2")
    assert await tell(office, seconds=1) == 0
    assert await tell(office) == 3
    found = {one["recipients"][0]["name"]: one for one in await mails(office)}
    assert sorted(found) == sorted(one.actor.name for one in (both, east, state))
    assert found[both.actor.name]["content"]["subject"] == "Calls waiting for you: 4 waves of calls wait"
    assert found[east.actor.name]["content"]["subject"] == "Calls waiting for you: 2 waves of calls wait"
    assert found[east.actor.name]["content"]["url"] == f"{SITE}/campaigns/waiting"
    assert found[state.actor.name]["content"]["paragraphs"][0] == "2 waves of calls wait for approval: no division."
    assert found[east.actor.name]["matter"].startswith(f"waiting:east-bay:{east.actor.id}:")
    assert await tell(office, seconds=600) == 0


async def test_one_wave_that_waits_is_linked_itself(office: World) -> None:
    await account(office, manages="peninsula")
    campaign = await drafted(office)
    assert await tell(office) == 2
    [mail] = [one for one in await mails(office) if one["matter"].startswith("waiting:peninsula")]
    assert mail["content"]["url"] == f"{SITE}/campaigns/{campaign}/peninsula"
    assert mail["not_after"] == (await shown(office, campaign)).useless_at.isoformat().replace("+00:00", "Z")


async def test_without_an_account_the_address_in_the_directory_is_written_to(office: World) -> None:
    await drafted(office)
    assert await tell(office) == 2
    found = await mails(office)
    assert readers(found) == ["rpam@east-bay.example", "rpam@peninsula.example"]
    assert all(one["content"]["paragraphs"][-1] == NO_ACCOUNT for one in found)


async def test_where_nobody_can_be_told_it_is_told_once_somebody_can(office: World) -> None:
    cities = [each.model_copy(update={"division": None}) for each in IMPORTS["cities"]]
    await office.import_all(cities=cities)
    await office.adopt(**POSITION)
    await office.hear()
    assert await tell(office) == 0
    await account(office, Role.ADMIN)
    assert await tell(office) == 1
    assert await tell(office) == 0


async def test_what_becomes_urgent_is_told_again_and_to_the_state_team(office: World) -> None:
    east, state = await account(office, manages="east-bay"), await account(office, Role.STATE)
    campaign = await drafted(office)
    await tell(office)
    before = len(await mails(office))
    office.now = (await shown(office, campaign)).useless_at - timedelta(hours=23)
    assert await tell(office) == 3
    urgent = (await mails(office))[before:]
    assert readers(urgent) == sorted(
        [f"{east.actor.id}@staff.example", f"{state.actor.id}@staff.example", "rpam@peninsula.example"]
    )
    assert all(one["content"]["subject"].startswith("Urgent: calls waiting for you") for one in urgent)
    assert await tell(office) == 0


async def test_what_is_urgent_when_it_comes_is_told_once(office: World) -> None:
    await account(office, manages="east-bay")
    await office.import_all()
    await office.adopt(**POSITION)
    await office.hear(starts_at=(office.now + timedelta(hours=20)).isoformat())
    assert await tell(office) == 2
    assert await tell(office) == 0


async def test_what_waits_again_is_told_again(office: World) -> None:
    await account(office, manages="east-bay")
    campaign = await drafted(office)
    await tell(office)
    before = len(await mails(office))
    await approve(office, campaign)
    await office.hear(revision=2, location={"name": "Room 2"})
    assert await tell(office) == 1
    assert (await mails(office))[before]["matter"].startswith("waiting:east-bay")


async def test_what_was_decided_or_is_over_is_told_nobody(office: World) -> None:
    await account(office, manages="east-bay")
    campaign = await drafted(office)
    for division in ("east-bay", "peninsula", ""):
        await approve(office, campaign, division)
    assert await tell(office) == 0
    await office.hear(hearing_id="h-2", revision=1)
    await office.hear(hearing_id="h-2", revision=2, status="cancelled")
    assert await tell(office) == 0


async def test_a_bill_that_came_to_a_launched_campaign_is_told_the_state_team(office: World) -> None:
    state = await account(office, Role.STATE)
    campaign = await drafted(office)
    await approve(office, campaign)
    await office.fan_out()
    await tell(office)
    before = len(await mails(office))
    await office.adopt(**POSITION, bill="SB 5")
    await office.hear(revision=2, agenda=[{"bill": one, "title": one, "author": None} for one in ("SB 79", "SB 5")])
    assert await tell(office) == 1
    [mail] = (await mails(office))[before:]
    assert readers([mail]) == [f"{state.actor.id}@staff.example"]
    assert mail["content"]["url"] == f"{SITE}/campaigns/waiting"


async def test_two_replicas_tell_once(office: World) -> None:
    await account(office, manages="east-bay")
    await drafted(office)
    office.later(seconds=6)
    told = await asyncio.gather(*[tell_waiting(office.database, SITE, office.now) for _ in range(4)])
    assert sorted(told) == [0, 0, 0, 2]
    assert len(await mails(office)) == 2


class Dying:
    """A database whose process dies before its transaction commits."""

    def __init__(self, database: Database) -> None:
        self.connection = database.connection
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._database.transaction() as tx:
            yield tx
            raise ConnectionError


async def test_a_death_before_the_commit_costs_and_doubles_nothing(office: World) -> None:
    await drafted(office)
    office.later(seconds=6)
    with pytest.raises(ConnectionError):
        await tell_waiting(Dying(office.database), SITE, office.now)  # type: ignore[arg-type]
    assert await mails(office) == []
    assert await tell(office) == 2
    assert len(await mails(office)) == 2
