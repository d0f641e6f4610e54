"""Audiences drawn at random, and whom the directory's own words make of them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from campaigns_world import HOUSING, SEVEN, THREE, World, committee, district, division
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starting_world import count, make_draft

from clarion.schemas.directory import City, Group, Membership, Official
from clarion.schemas.roles import LETTER_ROLES
from clarion.services.campaigns.starting.errors import Unfit
from tests.services.campaigns.campaigns_world import city, official

TODAY = date(2027, 4, 1)
DIVISIONS, GROUPS, ROLES = ("north", "south"), ("coast", "caucus"), ("mayor", "city clerk", "planner")
DISTRICTS = {"upper:7": SEVEN, "lower:3": THREE}
CITIES = [f"c{number}" for number in range(6)]
PAST, COMING = (None, date(2027, 3, 31)), (date(2027, 4, 2), None)
TIMES = ((None, None), (TODAY, TODAY), PAST, COMING)


@dataclass(frozen=True)
class State:
    """A small directory."""

    cities: list[City]
    officials: list[Official]
    shares: dict[str, dict[str, float]] = field(default_factory=dict)


def memberships() -> st.SearchStrategy[list[Membership]]:
    return st.lists(
        st.builds(
            lambda group, role, days: Membership(group=group, role=role, since=days[0], until=days[1]),
            st.sampled_from(GROUPS),
            st.sampled_from(("member", "chair")),
            st.sampled_from(TIMES),
        ),
        max_size=2,
    )


@st.composite
def states(draw: st.DrawFn) -> State:
    cities = [
        city(
            name,
            draw(st.sampled_from((*DIVISIONS, None))),
            member=draw(st.booleans()),
            active=draw(st.integers(0, 9)) > 0,
            memberships=draw(memberships()),
        )
        for name in CITIES
    ]
    officials = [
        official(
            f"o{number}",
            draw(st.sampled_from(CITIES)),
            *draw(st.lists(st.sampled_from(ROLES), max_size=2, unique=True)),
            active=draw(st.integers(0, 9)) > 0,
            address=f"box{draw(st.integers(0, 6))}@x.example",
            memberships=draw(memberships()),
        )
        for number in range(8)
    ]
    shares = {
        name: draw(st.dictionaries(st.sampled_from(CITIES), st.just(0.5), min_size=1, max_size=4)) for name in DISTRICTS
    }
    return State(cities, officials, shares)


@st.composite
def audiences(draw: st.DrawFn) -> dict[str, Any]:
    def some(values: Any) -> list[str]:
        return draw(st.lists(st.sampled_from(list(values)), max_size=2, unique=True))

    return {
        "divisions": some(DIVISIONS),
        "cities": some(CITIES),
        "groups": some((*GROUPS, "coast:chair", "caucus:chair")),
        "roles": some(ROLES),
        "districts": some(DISTRICTS),
        "committees": draw(st.sampled_from(([], [], [HOUSING]))),
        "officials": some([f"o{number}" for number in range(8)]),
        "members": draw(st.sampled_from(("members", "others", "all"))),
        "statewide": draw(st.booleans()),
    }


def holds(memberships: list[Membership], wanted: list[str]) -> bool:
    now = [
        each
        for each in memberships
        if (each.since is None or each.since <= TODAY) and (each.until is None or each.until >= TODAY)
    ]
    return bool({name for each in now for name in (each.group, f"{each.group}:{each.role}")} & set(wanted))


def expected(state: State, audience: dict[str, Any], *, elected: bool) -> set[str]:
    """Whom the words of an audience mean, one official after another."""
    cities = {each.id: each for each in state.cities if each.active}
    seated = {"upper:7"} if audience["committees"] else set()

    def fits(place: City) -> bool:
        drawn = [audience[kind] for kind in ("divisions", "cities", "groups", "districts", "committees")]
        wanted = {"members": (True,), "others": (False,), "all": (True, False)}[audience["members"]]
        return (
            (audience["statewide"] or any(drawn))
            and place.member in wanted
            and (not audience["divisions"] or place.division in audience["divisions"])
            and (not audience["cities"] or place.id in audience["cities"])
            and all(
                not chosen or any(place.id in state.shares[one] for one in chosen)
                for chosen in (set(audience["districts"]), seated)
            )
        )

    asked = set()
    for person in state.officials:
        if not person.active or person.city not in cities:
            continue
        place = cities[person.city]
        roles = set(person.roles)
        in_role = not audience["roles"] or bool(roles & set(audience["roles"]))
        speaks = bool(roles & (set(audience["roles"]) or (LETTER_ROLES if elected else roles))) or (
            not elected and not audience["roles"]
        )
        as_city = fits(place) and (not audience["groups"] or holds(place.memberships, audience["groups"])) and speaks
        as_person = (
            fits(place) and bool(audience["groups"]) and holds(person.memberships, audience["groups"]) and in_role
        )
        if as_city or as_person or person.id in audience["officials"]:
            asked.add(person.id)
    return asked


async def fill(world: World, state: State) -> None:
    await world.empty()
    await world.import_all(
        divisions=[division(slug, slug.title()) for slug in DIVISIONS],
        cities=state.cities,
        districts=[district(name, **shares) for name, shares in state.shares.items()],
        legislators=list(DISTRICTS.values()),
        committees=[committee(HOUSING, "Housing", "upper", (SEVEN, "chair"))],
        officials=state.officials,
    )
    await world.project(*(world.entity(Group(id=name, revision=1, name=name.title())) for name in GROUPS))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states(), audience=audiences(), kind=st.sampled_from(("comment-period", "volunteer")))
async def test_an_audience_is_whom_its_words_mean(
    world: World, state: State, audience: dict[str, Any], kind: str
) -> None:
    await fill(world, state)
    known_roles = {role for each in state.officials if each.active for role in each.roles}
    known_people = {each.id for each in state.officials if each.active}
    audience |= {"cities": [c for c in audience["cities"] if any(x.id == c and x.active for x in state.cities)]}
    audience |= {"roles": [role for role in audience["roles"] if role in known_roles]}
    audience |= {"officials": [one for one in audience["officials"] if one in known_people]}
    held = {f"{m.group}:{m.role}" for each in [*state.officials, *state.cities] for m in each.memberships}
    audience |= {"groups": [name for name in audience["groups"] if ":" not in name or name in held]}
    draft = make_draft(audience, kind=kind)
    if draft.audience.is_empty and not audience["statewide"]:
        return
    people = expected(state, audience, elected=kind == "comment-period")
    try:
        found = await count(world, draft)
    except Unfit as error:
        raise AssertionError(error.errors) from error
    boxes = {each.mailbox for each in state.officials if each.id in people}
    assert (found.officials, found.mailboxes) == (len(people), len(boxes))
    assert sum(each.officials for each in found.divisions) == found.officials
