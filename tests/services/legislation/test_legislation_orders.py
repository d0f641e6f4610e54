"""Whatever is said, in whatever order and how often: what readers were told last is what holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby, pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.schemas.legislation import HearingAlert, HearingCalendar, HearingCancellation, HearingNotice
from clarion.services.legislation.domain.statements import Outcome, Statement
from clarion.services.legislation.domain.states import content, differences, read_notice
from clarion.services.legislation.operations import hear
from tests.services.legislation.conftest import CALIFORNIA, NOW, make_notice
from tests.services.legislation.memory import Memory

LATER = NOW + timedelta(hours=2)
HEARINGS = ["h-1", "h-2", "h-3"]
BILLS = [[], ["SB 79"], ["SB 79", "AB 1"], ["AB 1"], ["SB 80"]]

FACTS = st.fixed_dictionaries(
    {"hearing_id": st.sampled_from(HEARINGS)},
    optional={
        "starts_at": st.sampled_from(["2027-04-21T13:30:00", "2027-04-22T09:00:00", "2027-04-28T09:00:00"]),
        "location": st.sampled_from([{"name": "Room 1"}, {"name": "Room 2"}, None]),
        "agenda": st.sampled_from([[{"bill": bill} for bill in bills] for bills in BILLS]),
        "time_note": st.sampled_from(["or upon adjournment", None]),
        "committee": st.sampled_from([{"name": "Housing"}, {"name": "Health"}]),
    },
)
SAYINGS = st.tuples(st.booleans() | st.just(value=True), FACTS)


def apart(saying: tuple[bool, dict[str, Any]]) -> tuple[bool, dict[str, Any]]:
    """The same of a hearing whose committees no other has, so that no new id can be of one that is cancelled."""
    is_notice, facts = saying
    committee = facts.get("committee", {"name": "Housing"})["name"]
    return is_notice, facts | {"committee": {"name": f"{committee} of {facts['hearing_id']}"}}


SAYINGS_APART = SAYINGS.map(apart)


@dataclass(frozen=True)
class Model:
    """What holds: the newest notice, and whether an end of it is newer."""

    state: HearingAlert | None
    lives: bool


def said(number: int, saying: tuple[bool, dict[str, Any]], *, counted: bool, source: str = "/sources/a") -> Statement:
    """The statement of that number, which is newer than all with a lower one."""
    is_notice, facts = saying
    count = {"sequence": number} if counted else {}
    data: HearingNotice | HearingCancellation = (
        HearingNotice.model_validate(make_notice(**facts, **count))
        if is_notice
        else HearingCancellation(hearing_id=facts["hearing_id"], jurisdiction=CALIFORNIA, **count)
    )
    kind = "hearing.scheduled" if is_notice else "hearing.cancelled"
    time = None if counted else NOW - timedelta(days=1) + timedelta(seconds=number)
    return Statement(source, f"{source}-{number}", kind, data, NOW, time)


def model_of(statements: Sequence[Statement]) -> dict[str, Model]:
    """What holds after statements in the order in which they were made."""
    found: dict[str, Model] = {}
    for statement in statements:
        data = statement.data
        assert isinstance(data, HearingNotice | HearingCancellation)
        before = found.get(data.hearing_id, Model(None, lives=False))
        if isinstance(data, HearingNotice):
            found[data.hearing_id] = Model(read_notice(data, "x")[0], lives=True)
        else:
            found[data.hearing_id] = replace(before, lives=False)
    return found


def check_told(memory: Memory, model: dict[str, Model]) -> None:
    """Readers know what holds, and were told of nothing else."""
    for name, holds in model.items():
        last = memory.last(name)
        if holds.state is None:
            assert last is None
            continue
        assert last is not None
        assert last.status == ("scheduled" if holds.lives else "cancelled")
        if holds.lives:
            assert content(last) == content(holds.state)


def check_successive(alerts: Sequence[HearingAlert]) -> None:
    """Revisions are counted without a gap, and each says in what it differs from the one before."""
    for _, group in groupby(sorted(alerts, key=lambda one: (one.hearing_id, one.revision)), lambda one: one.hearing_id):
        of_one = list(group)
        assert [one.revision for one in of_one] == list(range(1, len(of_one) + 1))
        for before, after in pairwise(of_one):
            assert after.changed
            if after.status == "scheduled":
                renewed = ["reinstated"] if before.status == "cancelled" else []
                assert after.changed == [*renewed, *differences(before, after)]
            else:
                assert (after.changed, before.status) == (["cancelled"], "scheduled")


def batches(statements: Sequence[Statement], cuts: Sequence[int]) -> list[list[Statement]]:
    """The statements in batches that end at these places."""
    ends = sorted({min(cut, len(statements)) for cut in cuts} | {len(statements)})
    return [list(statements[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


CUTS = st.lists(st.integers(1, 20), max_size=5)


@settings(max_examples=300, deadline=None)
@given(st.lists(SAYINGS_APART, min_size=1, max_size=10), st.booleans(), st.randoms(), CUTS, st.integers(0, 5))
def test_in_any_order_and_any_batches_the_statements_of_one_source_end_in_the_same_state(
    sayings: list[tuple[bool, dict[str, Any]]], counted: bool, order: Any, cuts: list[int], repeats: int
) -> None:
    statements = [said(number, saying, counted=counted) for number, saying in enumerate(sayings)]
    shuffled = statements + order.choices(statements, k=repeats)
    order.shuffle(shuffled)
    memory = Memory()
    for place, batch in enumerate(batches(shuffled, cuts)):
        memory.hear(batch, NOW + timedelta(seconds=20 * place))
    memory.wait(LATER)
    check_told(memory, model_of(statements))
    check_successive(memory.alerts)


@settings(max_examples=100, deadline=None)
@given(st.lists(SAYINGS, min_size=1, max_size=10), st.booleans(), st.randoms())
def test_what_was_said_before_changes_nothing_when_it_is_said_again(
    sayings: list[tuple[bool, dict[str, Any]]], counted: bool, order: Any
) -> None:
    statements = [said(number, saying, counted=counted) for number, saying in enumerate(sayings)]
    memory = Memory()
    memory.hear(statements, NOW)
    memory.wait(LATER)
    told = len(memory.alerts)
    again = [*statements, *statements]
    order.shuffle(again)
    outcomes = {decision.outcome for decision in memory.hear(again, LATER)}
    memory.wait(LATER + timedelta(hours=1))
    assert len(memory.alerts) == told
    assert outcomes <= {Outcome.UNCHANGED, Outcome.OUTDATED, Outcome.RECORDED}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["/a", "/b", "/c"]), SAYINGS), min_size=1, max_size=14), CUTS)
def test_of_sources_that_disagree_the_one_that_changed_its_mind_last_holds(
    sayings: list[tuple[str, tuple[bool, dict[str, Any]]]], cuts: list[int]
) -> None:
    # One id, since different ids of different sources may well be one hearing.
    statements = [
        said(number, (is_notice, facts | {"hearing_id": "h-1"}), counted=False, source=source)
        for number, (source, (is_notice, facts)) in enumerate(sayings)
    ]
    memory = Memory()
    for place, batch in enumerate(batches(statements, cuts)):
        memory.hear(batch, NOW + timedelta(seconds=20 * place))
    memory.wait(LATER)
    stands: dict[tuple[str, str], tuple[bool, Any]] = {}
    holds: dict[str, tuple[bool, Any]] = {}
    for statement in statements:
        data = statement.data
        assert isinstance(data, HearingNotice | HearingCancellation)
        is_notice = isinstance(data, HearingNotice)
        stand = (is_notice, content(read_notice(data, "x")[0]) if isinstance(data, HearingNotice) else None)
        if stands.get((statement.source, data.hearing_id)) != stand:
            stands[statement.source, data.hearing_id] = holds[data.hearing_id] = stand
    for name, (lives, state) in holds.items():
        last = memory.last(name)
        if last is None:
            assert not lives
            continue
        assert (last.status == "scheduled") is lives
        assert not lives or content(last) == state
    check_successive(memory.alerts)


LISTS = st.lists(st.dictionaries(st.sampled_from(HEARINGS), st.sampled_from(["Room 1", "Room 2"])), max_size=8)


@settings(max_examples=200, deadline=None)
@given(LISTS, CUTS)
def test_after_any_lists_of_a_source_what_stands_on_the_last_one_is_held_and_nothing_else(
    lists: list[dict[str, str]], cuts: list[int]
) -> None:
    def calendar(number: int, listed: dict[str, str]) -> Statement:
        hearings = [
            make_notice(hearing_id=name, location={"name": room}, committee={"name": name})
            for name, room in listed.items()
        ]
        data = HearingCalendar.model_validate({"jurisdiction": CALIFORNIA, "hearings": hearings})
        return Statement("/a", f"e-{number}", "hearing.calendar", data, NOW, NOW + timedelta(seconds=number))

    statements = [calendar(number, listed) for number, listed in enumerate(lists)]
    memory = Memory()
    for place, batch in enumerate(batches(statements, cuts)):
        memory.hear(batch, NOW + timedelta(seconds=20 * place))
    memory.wait(LATER)
    for name in {name for listed in lists for name in listed}:
        last = memory.last(name)
        assert last is not None
        assert last.status == ("scheduled" if name in lists[-1] else "cancelled")
        assert name not in lists[-1] or last.location.name == lists[-1][name]
    check_successive(memory.alerts)


@settings(max_examples=300, deadline=None)
@given(st.lists(SAYINGS, min_size=1, max_size=12), st.lists(st.integers(0, 50), min_size=12, max_size=12))
def test_every_bill_that_went_elsewhere_is_told_at_both_hearings_in_one_transaction(
    sayings: list[tuple[bool, dict[str, Any]]], pauses: list[int]
) -> None:
    memory = Memory()
    now = NOW
    for number, (saying, pause) in enumerate(zip(sayings, pauses, strict=False)):
        before = len(memory.alerts)
        memory.hear([said(number, saying, counted=True)], now)
        told = {one.hearing_id: one for one in memory.alerts[before:]}
        for alert in told.values():
            for other in alert.counterparts:
                back = {"went_to": "came_from", "came_from": "went_to"}[other.direction]
                twins = [(one.bill_key, one.direction) for one in told[other.hearing_id].counterparts]
                assert (other.bill_key, back) in twins
                on_agenda = other.bill_key in {item.bill_key for item in alert.agenda}
                # What is cancelled is told with the agenda that it would have had.
                assert on_agenda is (other.direction == "came_from" or alert.status == "cancelled")
        now += timedelta(seconds=pause)
        memory.wait(now)
    memory.wait(now + timedelta(hours=1))


REPLACING = st.fixed_dictionaries(
    {
        "starts_at": st.sampled_from(["2027-04-21T13:30:00", "2027-04-22T09:00:00"]),
        "agenda": st.sampled_from([[{"bill": bill} for bill in bills] for bills in BILLS[1:]]),
        "location": st.sampled_from([{"name": "Room 1"}, {"name": "Room 2"}]),
        "committee": st.sampled_from([{"name": "Housing"}, {"name": "Housing"}, {"name": "Health"}]),
    }
)


def replacements(first: HearingNotice, facts: dict[str, Any], *, listed: bool) -> dict[str, Statement]:
    """What one source says: a list with the old hearing, the old one once more, a new one, and the end of the old."""
    new = HearingNotice.model_validate(make_notice(hearing_id="new", **facts))
    shown = HearingCalendar(jurisdiction=CALIFORNIA, committee=first.committee, hearings=[first])
    end: HearingCancellation | HearingCalendar = HearingCancellation(hearing_id="old", jurisdiction=CALIFORNIA)
    if listed:
        end = HearingCalendar(jurisdiction=CALIFORNIA, committee=first.committee, hearings=[])
    bodies = {
        "list": ("hearing.calendar", shown),
        "old": ("hearing.scheduled", first),
        "new": ("hearing.scheduled", new),
        "end": ("hearing.calendar" if listed else "hearing.cancelled", end),
    }
    return {
        name: Statement("/a", name, kind, data, NOW, NOW + timedelta(seconds=place))
        for place, (name, (kind, data)) in enumerate(bodies.items())
    }


def told(memory: Memory) -> set[tuple[Any, ...]]:
    """What readers were told, whatever the order among different hearings."""
    return {
        (frozenset(one.aliases), one.revision, one.status, tuple(one.changed), str(content(one)), len(one.counterparts))
        for one in memory.alerts
    }


@settings(max_examples=300, deadline=None)
@given(REPLACING, st.booleans(), st.permutations(["old", "new", "end"]), st.booleans(), CUTS)
def test_a_hearing_and_the_one_that_it_replaces_are_told_alike_whichever_is_heard_first(
    facts: dict[str, Any], listed: bool, order: list[str], stays: bool, cuts: list[int]
) -> None:
    first = HearingNotice.model_validate(make_notice(hearing_id="old", committee={"name": "Housing"}))
    said_of = replacements(first, facts, listed=listed)
    memories = [Memory(), Memory()]
    for memory, names in zip(memories, [["end", "new"], order], strict=True):
        now = NOW
        memory.hear([said_of["list"], replace(said_of["old"], event_id="first")], now)
        for batch in batches([said_of[name] for name in names if name != "end" or not stays], cuts):
            now += timedelta(seconds=29)
            memory.wait(now)
            memory.hear(batch, now)
        memory.wait(now + timedelta(seconds=60))
        memory.wait(LATER)
        check_successive(memory.alerts)
    is_alike = {"bill": "SB 79"} in facts["agenda"]
    is_elsewhere = facts["committee"]["name"] != "Housing"
    # Of a bill that goes to another committee the hearing there may have been told first, as one of its own.
    assert told(memories[0]) == told(memories[1]) or (is_alike and is_elsewhere and not stays)
    is_moved = is_alike and not is_elsewhere and not stays
    for memory in memories:
        old, new = memory.last("old"), memory.last("new")
        assert (old == new) is is_moved
        assert old is not None
        assert old.status == ("scheduled" if stays or is_moved else "cancelled")
        assert new is not None
        assert new.status == "scheduled"


def stream(seed: int, hearings: int, updates: int) -> list[Statement]:
    """A season of one source: hearings, then moves, other rooms, other bills, cancellations and repeats of them."""
    dice = Random(seed)
    facts: dict[str, dict[str, Any]] = {}
    said_so_far = []
    for number in range(updates):
        name = f"h-{number if number < hearings else dice.randrange(hearings)}"
        kind = "new" if name not in facts else dice.choice(["start", "room", "agenda", "cancel", "repeat"])
        known = facts.setdefault(name, {"hearing_id": name, "committee": {"name": f"Committee {name}"}})
        if kind in ("new", "start"):
            known["starts_at"] = f"2027-06-{dice.randrange(1, 30):02}T{dice.randrange(8, 18):02}:30:00"
        if kind in ("new", "room"):
            known["location"] = {"name": f"Room {dice.randrange(9)}"}
        if kind in ("new", "agenda"):
            known["agenda"] = [{"bill": f"SB {bill}"} for bill in dice.sample(range(1, 2_000), dice.randrange(1, 6))]
        said_so_far.append(said(number, (kind != "cancel", dict(known)), counted=False))
    return said_so_far


async def test_a_long_stream_leaves_in_the_tables_what_a_plain_model_says(legislation: Any) -> None:
    statements = stream(seed=4, hearings=400, updates=2_000)
    dice = Random(5)
    arriving = sorted(statements, key=lambda one: int(one.event_id.rpartition("-")[2]) + dice.uniform(0, 300))
    for start in range(0, len(arriving), 250):
        async with legislation.database.transaction() as tx:
            await hear(tx, arriving[start : start + 250], legislation.clock(), settle=legislation.settle)
        await legislation.wait(25)
    await legislation.wait(3_600)
    memory = Memory(alerts=[HearingAlert.model_validate(alert) for alert in await legislation.alerts()])
    check_told(memory, model_of(statements))
    check_successive(memory.alerts)
    kept = await legislation.fetch("SELECT state FROM hearings")
    last = {alert.hearing_id: alert for alert in memory.alerts}
    assert {row["state"]["hearing_id"]: HearingAlert.model_validate(row["state"]) for row in kept} == last
    assert await legislation.fetch("SELECT hearing_id FROM withdrawals") == []
    assert await legislation.fetch("SELECT event_id FROM history WHERE outcome IN ('waiting', 'rejected')") == []


def test_thousands_of_hearings_end_as_a_plain_model_says() -> None:
    statements = stream(seed=6, hearings=1_000, updates=4_000)
    memory = Memory()
    for start in range(0, len(statements), 1_000):
        memory.hear(statements[start : start + 1_000], NOW + timedelta(seconds=start / 20))
    memory.wait(LATER)
    check_told(memory, model_of(statements))
    check_successive(memory.alerts)
