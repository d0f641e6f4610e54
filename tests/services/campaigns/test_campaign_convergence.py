"""In any order, with repetitions and deaths: what stands in the end is what the last facts alone would give."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from campaigns_world import HOUSING, IMPORTS, World, city, district, official
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.runtime.staff.audit import Actor
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns import fanout
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions.operations import withdraw
from clarion.services.campaigns.positions.repository import Place

ACTOR = Actor("system", "tests", "tests", "here")
HOUSES = [
    {"name": "Housing", "chamber": "upper", "id": None},
    {"name": "Housing & Community Development", "chamber": "lower", "id": None},
    {"name": "Whatever", "chamber": None, "id": HOUSING},
]
AGENDAS = [[{"bill": "SB 79"}], [{"bill": "AB 5"}, {"bill": "SB 79"}], [{"bill": "AB 5"}], [{"bill": "SB 1"}]]
PEOPLE = ("ann", "bob", "cleo", "dan")
PLACES = ("alder", "birch", "cedar", "elm")

hearings = st.fixed_dictionaries(
    {
        "starts_at": st.sampled_from(["2027-04-21T13:30:00-07:00", "2027-04-22T09:30:00-07:00", "2027-04-22"]),
        "time_note": st.sampled_from([None, "upon adjournment"]),
        "location": st.sampled_from([{}, {"name": "Room 1200"}]),
        "committee": st.sampled_from(HOUSES),
        "agenda": st.sampled_from([*AGENDAS, AGENDAS[0], AGENDAS[1]]),
        "status": st.sampled_from(["scheduled", "scheduled", "scheduled", "cancelled"]),
        "letters_due_at": st.sampled_from([None, "2027-03-14T12:00:00-07:00", "2027-04-14T12:00:00-07:00"]),
        "notice_url": st.sampled_from([None, "https://notices.example/1"]),
    }
)
positions = st.fixed_dictionaries(
    {
        "bill": st.sampled_from(["SB 79", "SB 79", "AB 5"]),
        "stance": st.sampled_from(["oppose", "oppose", "support", "watch"]),
        "statewide": st.booleans(),
        "include_non_members": st.booleans(),
        "why": st.sampled_from(["Zoning.", "Money."]),
    }
)
people = st.fixed_dictionaries(
    {
        "key": st.sampled_from(PEOPLE),
        "place": st.sampled_from(PLACES),
        "role": st.sampled_from(["Mayor", "City Clerk"]),
        "address": st.sampled_from([None, "clerk@towns.example", "other@towns.example"]),
        "testifies": st.booleans(),
        "active": st.sampled_from([True, True, True, False]),
    }
)
cities = st.tuples(st.sampled_from(PLACES), st.sampled_from(["east-bay", "peninsula", None]), st.booleans())
shares = st.sets(st.sampled_from(PLACES)).map(sorted)
steps = st.one_of(
    st.tuples(st.just("hear"), hearings),
    st.tuples(st.just("hear"), hearings),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.tuples(st.just("adopt"), positions),
    st.tuples(st.just("withdraw"), st.sampled_from(["SB 79", "AB 5"])),
    st.tuples(st.just("person"), people),
    st.tuples(st.just("city"), cities),
    st.tuples(st.just("district"), shares),
    st.tuples(st.sampled_from(["fan out", "die", "quiet", "review", "import"]), st.none()),
)


@dataclass
class Story:
    """What happens, and the last word on everything."""

    world: World
    heard: list[dict[str, Any]] = field(default_factory=list)
    adopted: dict[str, dict[str, Any]] = field(default_factory=dict)
    entities: dict[str, Any] = field(default_factory=dict)
    revision: int = 1
    somebody_left: bool = False

    async def happen(self, what: str, detail: Any) -> None:
        await getattr(self, what.replace(" ", "_"))(detail)

    async def hear(self, changes: dict[str, Any]) -> None:
        self.heard.append(changes | {"revision": len(self.heard) + 1})
        await self.world.hear(**self.heard[-1])

    async def again(self, number: int) -> None:
        if self.heard:
            await self.world.hear(**self.heard[number % len(self.heard)])

    async def adopt(self, changes: dict[str, Any]) -> None:
        self.adopted[changes["bill"]] = changes
        await self.world.adopt(**changes)

    async def withdraw(self, bill: str) -> None:
        if self.adopted.pop(bill, None) is not None:
            async with self.world.database.transaction() as tx:
                place = Place(CALIFORNIA, "20272028", bill_key(bill))
                await withdraw(tx, ACTOR, place, "Amended as cities asked", self.world.clock)

    async def person(self, one: dict[str, Any]) -> None:
        self.somebody_left |= not one["active"]
        changes = {"address": one["address"], "testifies": one["testifies"], "active": one["active"]}
        await self._project(official(one["key"], one["place"], one["role"], revision=self._next(), **changes))

    async def city(self, one: tuple[str, str | None, bool]) -> None:
        name, division, member = one
        await self._project(city(name, division, member=member, revision=self._next()))

    async def district(self, places: list[str]) -> None:
        seven = district("upper:7", **dict.fromkeys(places, 0.5))
        await self._project(seven.model_copy(update={"revision": self._next()}))

    async def import_(self, _: None) -> None:
        records = [self.world.entity(each) for each in self.entities.values()]
        await self.world.project(*records)

    async def fan_out(self, _: None) -> None:
        await fanout.fan_out(self.world.database, self.world.clock)

    async def die(self, _: None) -> None:
        await self.world.fan_out_and_die()

    async def quiet(self, _: None) -> None:
        await self.world.quiet_directory()

    async def review(self, _: None) -> None:
        await self.world.review()

    def _next(self) -> int:
        self.revision += 1
        return self.revision

    async def _project(self, entity: Any) -> None:
        self.entities[f"{type(entity).__name__}:{entity.id}"] = entity
        await self.world.project(self.world.entity(entity))


async def outcome(world: World) -> dict[str, Any]:
    """What the facts of now give: who is asked for what, how many they are, and what is stated."""
    calls = await world.fetch(
        "SELECT official, mailbox, letter, testimony, city, division FROM calls"
        " WHERE ended_at IS NULL AND (letter OR testimony) ORDER BY official"
    )
    campaigns = await world.fetch("SELECT * FROM campaigns WHERE status = 'launched'")
    stated = [{fact["key"]: fact["text"] for fact in row["message"]["facts"] if fact["material"]} for row in campaigns]
    names = ("divisions", "cities", "officials", "title", "held", "bills", "committee", "ends_at", "not_after")
    shown = [{name: row[name] for name in names} for row in campaigns if row["officials"]]
    return {
        "calls": [dict(row) for row in calls],
        "facts": stated if shown else [],
        "campaign": shown,
    }


async def everyone_knows(world: World, *, somebody_left: bool) -> None:
    """Whoever is concerned was asked to be told what is in force, named; whoever is not, was withdrawn or had left."""
    told = await world.told()
    for row in await world.fetch("SELECT * FROM campaigns WHERE launched_at IS NOT NULL"):
        facts = {fact["key"]: fact["text"] for fact in row["message"]["facts"] if fact["material"]}
        standing = await world.fetch("SELECT official, mailbox FROM calls WHERE ended_at IS NULL")
        for call in standing:
            last = told[call["mailbox"]][-1]
            assert last.recipient is not None
            assert call["official"] in last.recipient["officials"]
            assert {key: text for key, text in last.facts.items() if key in facts or key != "status"} == facts
        boxes = {call["mailbox"] for call in standing}
        readers = await world.fetch("SELECT mailbox FROM officials WHERE active")
        for box in {each["mailbox"] for each in readers} - boxes:
            assert somebody_left or box not in told or told[box][-1].recipient is None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(happening=st.lists(steps, min_size=3, max_size=14))
async def test_what_stands_in_the_end_is_what_the_last_facts_alone_would_give(
    world: World, happening: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 1)
    await world.empty()
    story = Story(world)
    await world.import_all()
    await story.adopt({"bill": "SB 79"})
    await story.hear({})
    for what, detail in happening:
        await story.happen("import_" if what == "import" else what, detail)
    await world.quiet_directory()
    await world.fan_out()
    found = await outcome(world)
    await everyone_knows(world, somebody_left=story.somebody_left)
    await world.empty()
    for kind in NEEDED_TO_LAUNCH:
        final = {f"{type(each).__name__}:{each.model_dump()['id']}": each for each in IMPORTS[kind]}
        last = [story.entities.get(key, each) for key, each in final.items()]
        name = type(IMPORTS[kind][0]).__name__
        last += [each for key, each in story.entities.items() if key not in final and key.startswith(f"{name}:")]
        await world.project(*world.import_records(kind, last))
    for changes in story.adopted.values():
        await world.adopt(**changes)
    await world.hear(**story.heard[-1])
    await world.review()
    await world.fan_out()
    assert found == await outcome(world)
