"""A hearing concerns the groups that a position names: cities as a whole, people as themselves."""

from datetime import date

from campaigns_world import ASKED, World
from starting_world import associate, member, texts

from tests.services.campaigns.campaigns_world import city, official


async def hearing(world: World, *groups: str, **changes: object) -> None:
    await associate(world)
    await world.adopt(groups=groups, **changes)
    await world.hear()
    await world.fan_out()


async def test_a_group_of_cities_is_a_reason_for_each_of_them(world: World) -> None:
    await associate(world)
    await world.project(world.entity(city("elm", "east-bay", revision=2, memberships=[member("coastal-cities")])))
    await world.adopt(groups=("coastal-cities",))
    await world.hear()
    await world.fan_out()
    assert await world.called() == ASKED | {"e-mayor"}
    assert texts((await world.recipient("e-mayor"))["reasons"]) == ["Elm is a member of the Coastal Cities Group."]
    assert "Birch is a member of the Coastal Cities Group." in texts((await world.recipient("b-member"))["reasons"])
    [kept] = await world.fetch("SELECT reasons FROM campaign_cities WHERE city = 'elm'")
    assert [(each["kind"], each["group"], each["bills"]) for each in kept["reasons"]] == [
        ("group", "coastal-cities", ["SB 79"])
    ]


async def test_people_of_a_group_are_asked_as_themselves_and_nobody_else_of_their_city(world: World) -> None:
    await hearing(world, "city-clerks")
    assert await world.called() == ASKED | {"e-mayor"}, "clerks neither write nor testify"
    assert texts((await world.recipient("e-mayor"))["reasons"]) == ["You are a member of the City Clerks Department."]
    await world.project(world.entity(official("elm-council", "elm", "Council Member")))
    await world.quiet_directory()
    assert await world.called() == ASKED | {"e-mayor"}


async def test_a_willing_member_of_a_group_is_asked_to_testify(world: World) -> None:
    await associate(world)
    clerk = official("e-clerk", "elm", "City Clerk", testifies=True, memberships=[member("city-clerks")])
    await world.project(world.entity(clerk))
    await world.adopt(groups=("city-clerks",))
    await world.hear()
    await world.fan_out()
    [told] = await world.told_to("e-clerk@elm.example")
    assert told.asks == {("testimony", "SB 79")}


async def test_who_was_in_the_group_last_year_is_not_concerned(world: World) -> None:
    await associate(world)
    past = [member("city-clerks", until=date(2027, 3, 31)), member("city-clerks", since=date(2027, 5, 1))]
    await world.project(world.entity(official("e-mayor", "elm", "Mayor", revision=2, memberships=past)))
    await world.adopt(groups=("city-clerks",))
    await world.hear()
    await world.fan_out()
    assert await world.called() == ASKED


async def test_cities_that_are_no_members_are_asked_only_where_the_position_says_so(world: World) -> None:
    clerk = official("c-mayor", "cedar", "Mayor", revision=2, memberships=[member("city-clerks")])
    await associate(world)
    await world.project(world.entity(clerk))
    await world.adopt(groups=("city-clerks",))
    await world.hear()
    await world.fan_out()
    assert "c-mayor" not in await world.called()
    await world.adopt(groups=("city-clerks",), include_non_members=True)
    await world.fan_out()
    assert "c-mayor" in await world.called()


async def test_who_is_in_two_groups_is_told_of_both_and_called_once(world: World) -> None:
    await associate(world)
    both = [member("city-clerks", role="Chair"), member("coastal-cities")]
    await world.project(world.entity(official("e-mayor", "elm", "Mayor", revision=2, memberships=both)))
    await world.adopt(groups=("city-clerks", "coastal-cities"))
    await world.hear()
    await world.fan_out()
    assert texts((await world.recipient("e-mayor"))["reasons"]) == [
        "You are chair of the City Clerks Department.",
        "You are a member of the Coastal Cities Group.",
    ]


async def test_a_group_that_nobody_knows_concerns_nobody(world: World) -> None:
    await hearing(world, "no-such-group")
    assert await world.called() == ASKED
