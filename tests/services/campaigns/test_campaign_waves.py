"""Waves that are let go one by one, and people left out or added by hand: what the fan-out makes of them."""

from campaigns_world import ASKED, World

EAST_BAY = {"a-mayor", "a-chief"}
PENINSULA = {"b-member", "b-manager"}


async def drafted(world: World) -> str:
    """A campaign that waits for the approval of its waves."""
    await world.launch(launch="approval")
    return str((await world.campaign())["id"])


async def decide(world: World, campaign: str, division: str, state: str) -> None:
    """What was decided on a wave, and the hearing looked at again."""
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO approvals (campaign, division, state, revision) VALUES ($1, $2, $3, 1)"
            " ON CONFLICT (campaign, division) DO UPDATE SET state = excluded.state",
            campaign,
            division,
            state,
        )
    await world.adopt(launch="approval", why=f"{division} {state}")
    await world.fan_out()


async def choose(world: World, campaign: str, official: str, *asks: str) -> None:
    """Somebody is added with these asks, or left out where there are none; then the hearing is looked at again."""
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO choices VALUES ($1, $2, $3, $4, 'knows the street', 'command', $5)",
            campaign,
            official,
            bool(asks),
            list(asks),
            world.now,
        )
    await world.adopt(launch="approval", why=f"{official} chosen")
    await world.fan_out()


async def test_nobody_is_called_before_a_wave_is_let_go(world: World) -> None:
    await drafted(world)
    assert await world.called() == set()
    assert (await world.campaign())["status"] == "drafted"
    assert {row["division"]: row["officials"] for row in await world.fetch("SELECT * FROM waves")} == {
        "": 1,
        "east-bay": 2,
        "peninsula": 2,
    }


async def test_each_wave_is_called_when_it_is_let_go_and_no_other(world: World) -> None:
    campaign = await drafted(world)
    await decide(world, campaign, "east-bay", "approved")
    assert await world.called() == EAST_BAY
    found = await world.campaign()
    assert (found["status"], found["launch"]) == ("launched", "approval")
    await decide(world, campaign, "peninsula", "approved")
    assert await world.called() == EAST_BAY | PENINSULA
    await decide(world, campaign, "", "approved")
    assert await world.called() == ASKED


async def test_a_wave_that_is_stopped_is_withdrawn_and_the_others_stay(world: World) -> None:
    campaign = await drafted(world)
    await decide(world, campaign, "east-bay", "approved")
    await decide(world, campaign, "peninsula", "approved")
    await decide(world, campaign, "peninsula", "stopped")
    assert (await world.told_to("b-member@birch.example"))[-1].recipient is None
    assert (await world.told_to("a-mayor@alder.example"))[-1].recipient is not None


async def test_who_is_left_out_is_not_called_and_the_rest_of_the_city_is(world: World) -> None:
    campaign = await drafted(world)
    await choose(world, campaign, "a-mayor")
    await decide(world, campaign, "east-bay", "approved")
    assert await world.called() == {"a-chief"}


async def test_who_is_added_by_hand_comes_without_the_rest_of_the_city_and_is_told_why(world: World) -> None:
    campaign = await drafted(world)
    await choose(world, campaign, "e-mayor", "letter")
    await choose(world, campaign, "a-clerk", "testimony")
    await decide(world, campaign, "east-bay", "approved")
    assert await world.called() == EAST_BAY | {"e-mayor", "a-clerk"}
    [added] = await world.told_to("e-mayor@elm.example")
    assert added.asks == {("letter", "SB 79")}
    assert added.recipient is not None
    assert added.recipient["reasons"] == [{"kind": "hand", "text": "knows the street"}]
    [clerk] = await world.told_to("a-clerk@alder.example")
    assert clerk.asks == {("testimony", "SB 79")}


async def test_who_is_left_out_after_the_call_is_told_that_it_ended(world: World) -> None:
    campaign = await drafted(world)
    await decide(world, campaign, "east-bay", "approved")
    await choose(world, campaign, "a-mayor")
    assert (await world.told_to("a-mayor@alder.example"))[-1].recipient is None


async def test_a_campaign_that_goes_by_itself_leaves_out_the_waves_that_were_rejected(world: World) -> None:
    await world.launch()
    campaign = str((await world.campaign())["id"])
    async with world.database.connection() as connection:
        await connection.execute("INSERT INTO approvals VALUES ($1, 'peninsula', 'stopped', 1)", campaign)
    await world.adopt(why="once more")
    await world.fan_out()
    assert (await world.told_to("b-member@birch.example"))[-1].recipient is None
    assert (await world.told_to("a-mayor@alder.example"))[-1].recipient is not None
