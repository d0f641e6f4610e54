"""A bill that goes from one hearing to another: told at the new one, and at the old to the others alone."""

from typing import Any

from campaigns_world import IMPORTS, World, committee, make_alert

A = {"committee": {"name": "Housing", "chamber": "upper", "id": None}, "starts_at": "2027-04-21T13:30:00-07:00"}
B = {"committee": {"name": "Rules", "chamber": "upper", "id": None}, "starts_at": "2027-04-22T09:30:00-07:00"}
BOTH = [{"bill": "SB 79"}, {"bill": "SB 80"}]
OTHER = [{"bill": "SB 80"}]
RULES = committee(
    "ocd-organization/rules", "Rules", "upper", *((each, "member") for each in IMPORTS["legislators"][1:])
)
"""Birch (SD 11) is called at both, Elm (AD 3) at B alone, Alder and Dell (SD 7) at A alone."""
BIRCH, ALDER = "b-member@birch.example", "a-mayor@alder.example"


def counterpart(direction: str, hearing: str, told: dict[str, Any]) -> dict[str, Any]:
    fields = {"bill_key": "SB79", "direction": direction, "hearing_id": hearing, "zone": "America/Los_Angeles"}
    return fields | told


def left(agenda: list[dict[str, str]]) -> Any:
    return make_alert(hearing_id="h-a", revision=2, agenda=agenda, counterparts=[counterpart("went_to", "h-b", B)], **A)


def came(revision: int = 1) -> Any:
    return make_alert(
        hearing_id="h-b",
        revision=revision,
        agenda=[{"bill": "SB 79"}],
        counterparts=[counterpart("came_from", "h-a", A)],
        **B,
    )


async def prepare(world: World, agenda: list[dict[str, str]], **changes: Any) -> None:
    await world.import_all(committees=[*IMPORTS["committees"], RULES])
    await world.adopt(**changes)
    await world.adopt(bill="SB 80", ask="vote no on SB 80", **changes)
    await world.hear(make_alert(hearing_id="h-a", agenda=agenda, **A))
    await world.fan_out()


async def matter(world: World, hearing: str) -> str:
    [row] = await world.fetch("SELECT id FROM campaigns WHERE hearing = $1", hearing)
    return f"campaign:{row['id']}"


async def at(world: World, hearing: str, address: str) -> list[Any]:
    return await world.told_to(address, await matter(world, hearing))


async def test_who_is_called_at_the_new_hearing_is_told_there_that_the_bill_moved(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(left(OTHER))
    await world.hear(came())
    await world.fan_out()
    [fresh] = await at(world, "h-b", BIRCH)
    assert fresh.recipient["reasons"][0] == {
        "kind": "moved",
        "text": "SB 79 moved: now Thursday, April 22, 2027, 9:30 am PDT, was Wednesday, April 21, 2027, 1:30 pm PDT"
        " (Senate Committee on Housing).",
    }
    assert await at(world, "h-b", ALDER) == []


async def test_the_old_hearing_is_silent_about_it_to_them_and_tells_the_others(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(came())
    await world.hear(left(OTHER))
    await world.fan_out()
    birch, alder = (await at(world, "h-a", BIRCH))[-1], (await at(world, "h-a", ALDER))[-1]
    assert (birch.revision, alder.revision) == (2, 2)
    assert birch.recipient["told_elsewhere"] == ["bill:SB79"]
    assert alder.recipient["told_elsewhere"] == []
    assert "bill:SB79" not in alder.facts


async def test_a_hearing_left_by_all_its_bills_ends_silently_for_those_called_at_the_other(world: World) -> None:
    await prepare(world, [{"bill": "SB 79"}])
    await world.hear(left([]))
    await world.hear(came())
    await world.fan_out()
    birch, alder = (await at(world, "h-a", BIRCH))[-1], (await at(world, "h-a", ALDER))[-1]
    assert (birch.recipient, alder.recipient) == (None, None)
    assert (birch.body["told_elsewhere"], alder.body["told_elsewhere"]) == (True, False)
    assert [each.recipient is not None for each in await at(world, "h-b", BIRCH)] == [True]


async def test_the_old_hearing_waits_for_the_new_one_to_be_heard_of(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(left(OTHER))
    await world.fan_out()
    assert len(await at(world, "h-a", ALDER)) == 1
    await world.hear(came())
    await world.fan_out()
    assert len(await at(world, "h-a", ALDER)) == 2
    assert (await at(world, "h-a", BIRCH))[-1].recipient["told_elsewhere"] == ["bill:SB79"]


async def test_it_does_not_wait_for_ever(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(left(OTHER))
    world.later(seconds=11)
    await world.fan_out()
    birch = (await at(world, "h-a", BIRCH))[-1]
    assert (birch.revision, birch.recipient["told_elsewhere"]) == (2, [])


async def test_where_the_new_hearing_calls_nobody_the_old_one_tells_everyone(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(came().model_copy(update={"status": "cancelled"}))
    await world.hear(left(OTHER))
    await world.fan_out()
    told = [(await at(world, "h-a", each))[-1].recipient["told_elsewhere"] for each in (BIRCH, ALDER)]
    assert told == [[], []]


async def test_who_was_not_called_at_the_old_hearing_hears_nothing_of_it(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(came())
    await world.fan_out()
    [fresh] = await at(world, "h-b", "e-mayor@elm.example")
    assert [each["kind"] for each in fresh.recipient["reasons"]] == ["committee"]


async def test_a_later_state_of_the_new_hearing_still_tells_that_the_bill_moved_there(world: World) -> None:
    await prepare(world, BOTH)
    await world.hear(came())
    await world.hear(came(2).model_copy(update={"counterparts": []}))
    await world.fan_out()
    [fresh] = await at(world, "h-b", BIRCH)
    assert [each["kind"] for each in fresh.recipient["reasons"]] == ["moved", "committee"]
