"""What became of a bill is told once per real change, whatever the order, the source and the spelling."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.schemas.legislation import BillProgress, BillUpdate
from clarion.services.legislation.domain.bills import Bill, Docket, bill_id
from clarion.services.legislation.domain.statements import Decision, Outcome, Statement
from clarion.services.legislation.domain.states import bill_content
from clarion.services.legislation.domain.world import World
from tests.services.legislation.conftest import CALIFORNIA, NOW

pytestmark = pytest.mark.timeout(60)

BILL = {"jurisdiction": CALIFORNIA, "session": "20272028", "bill": "SB 79", "status": "In committee"}


def make_update(**changes: Any) -> BillUpdate:
    return BillUpdate.model_validate(BILL | changes)


def said(number: int, update: BillUpdate, *, source: str = "/a", counted: bool = False) -> Statement:
    """The statement of that number, which is newer than all with a lower one."""
    if counted:
        return Statement(source, f"{source}-{number}", "bill.updated", _with_sequence(update, number), NOW)
    return Statement(source, f"{source}-{number}", "bill.updated", update, NOW, NOW + timedelta(seconds=number))


def _with_sequence(update: BillUpdate, sequence: int) -> BillUpdate:
    return update.model_copy(update={"sequence": sequence})


class Kept:
    """The bills as the tables keep them between batches, and all that was told."""

    def __init__(self) -> None:
        self.bills: dict[str, Bill] = {}
        self.told: list[BillProgress] = []

    def hear(self, statements: Sequence[Statement]) -> list[Decision]:
        world = World(NOW, lambda: "no hearing", docket=Docket())
        world.docket.know(self.bills.values())
        for statement in statements:
            world.hear(statement)
        progress = world.docket.progress()
        decisions = world.decisions({})
        self.bills |= world.docket.bills
        for one, state in progress.items():
            self.bills[one].published = state
            self.told.append(state)
        return decisions

    def last(self) -> BillProgress:
        [bill] = self.bills.values()
        assert bill.published is not None
        return bill.published


def outcomes(decisions: Sequence[Decision]) -> list[Outcome]:
    return [decision.outcome for decision in decisions]


UPDATES = st.builds(
    make_update,
    bill=st.sampled_from(["SB 79", "sb0079", "S.B. 79"]),
    status=st.sampled_from(["In committee", "IN  COMMITTEE", "Passed"]),
    title=st.sampled_from([None, "Housing near transit", "Housing"]),
    author=st.sampled_from([None, "Rivera"]),
    amended_on=st.sampled_from([None, "2027-03-03", "2027-04-04"]),
    committee=st.sampled_from(
        [None, {"name": "Housing"}, {"name": "Housing", "id": "1"}, {"name": "Housing", "id": "2"}]
    ),
    text=st.sampled_from([None, "Read second time"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(UPDATES, min_size=1, max_size=8), st.booleans(), st.randoms(), st.integers(0, 4), st.integers(1, 4))
def test_in_any_order_and_any_batches_the_updates_of_a_source_end_in_the_newest(
    updates: list[BillUpdate], counted: bool, order: Any, repeats: int, size: int
) -> None:
    statements = [said(number, update, counted=counted) for number, update in enumerate(updates)]
    shuffled = statements + order.choices(statements, k=repeats)
    order.shuffle(shuffled)
    kept = Kept()
    for start in range(0, len(shuffled), size):
        kept.hear(shuffled[start : start + size])
    assert bill_content(kept.last()) | {"committee": None} == bill_content(updates[-1]) | {"committee": None}
    assert [state.revision for state in kept.told] == list(range(1, len(kept.told) + 1))
    assert [bool(state.changed) for state in kept.told] == [False] + [True] * (len(kept.told) - 1)


def test_an_update_says_in_what_the_bill_differs_from_what_was_told() -> None:
    kept = Kept()
    first = {"title": "Housing", "author": "Rivera", "amended_on": "2027-03-03", "committee": {"name": "Housing"}}
    kept.hear([said(1, make_update(**first))])
    assert (kept.last().revision, kept.last().changed, kept.last().bill_key) == (1, [], "SB79")
    kept.hear([said(2, make_update(**first | {"amended_on": "2027-04-04", "committee": {"name": "Health"}}))])
    assert (kept.last().revision, kept.last().changed) == (2, ["amended", "committee"])
    assert kept.last().amended_on == date(2027, 4, 4)


@pytest.mark.parametrize(
    "change",
    [{"bill": "sb079"}, {"status": " in COMMITTEE"}, {"text": "Read second time"}, {"title": "housing"}],
)
def test_another_spelling_or_text_alone_is_not_told(change: dict[str, Any]) -> None:
    kept = Kept()
    assert outcomes(kept.hear([said(1, make_update(title="Housing"))])) == ["alerted"]
    assert outcomes(kept.hear([said(2, make_update(**{"title": "Housing"} | change))])) == ["unchanged"]
    assert len(kept.told) == 1


def test_what_is_older_is_outdated_and_a_used_count_with_other_content_is_rejected() -> None:
    kept = Kept()
    kept.hear([said(2, make_update(), counted=True)])
    assert outcomes(kept.hear([said(1, make_update(status="Introduced"), counted=True)])) == ["outdated"]
    [decision] = kept.hear([said(2, make_update(status="Passed"), counted=True)])
    assert decision == Decision(Outcome.REJECTED, "SB 79: this source has said something else with the sequence 2")
    assert outcomes(kept.hear([said(2, make_update(), counted=True)])) == ["unchanged"]
    assert kept.last().status == "In committee"


def test_of_two_sources_the_one_that_changed_its_mind_last_holds() -> None:
    kept = Kept()
    kept.hear([said(1, make_update(status="Introduced"))])
    kept.hear([said(2, make_update(status="Passed"), source="/b")])
    assert outcomes(kept.hear([said(3, make_update(status="Introduced"))])) == ["unchanged"]
    assert kept.last().status == "Passed"
    kept.hear([said(4, make_update(status="Chaptered"))])
    assert (kept.last().status, kept.last().revision) == ("Chaptered", 3)


def test_a_source_that_does_not_know_title_author_or_version_takes_them_from_nobody() -> None:
    kept = Kept()
    known = {"title": "Housing", "author": "Rivera", "amended_on": "2027-03-03", "committee": {"name": "Housing"}}
    kept.hear([said(1, make_update(**known))])
    kept.hear([said(2, make_update(status="Passed"), source="/b")])
    assert (kept.last().title, kept.last().author, kept.last().amended_on) == ("Housing", "Rivera", date(2027, 3, 3))
    assert (kept.last().committee, kept.last().changed) == (None, ["status", "committee"])


def test_a_bill_has_one_id_however_it_is_written_and_another_in_another_session_or_state() -> None:
    assert bill_id(make_update(bill="sb 0079")) == bill_id(make_update())
    nevada = "ocd-jurisdiction/country:us/state:nv/government"
    others = [
        make_update(),
        make_update(session="20252026"),
        make_update(jurisdiction=nevada),
        make_update(bill="SB 7"),
    ]
    assert len({bill_id(one) for one in others}) == 4


def record(legislation: Any, event_id: str, time: datetime | None = None, **changes: Any) -> Any:
    source = changes.pop("source", "/sources/a")
    return legislation.record(BILL | changes, event_id, kind="bill.updated", time=time, source=source)


async def test_a_bill_nobody_spoke_of_before_is_told_and_kept_with_its_source(legislation: Any) -> None:
    await legislation.hear(record(legislation, "e-1", title="Housing", amended_on="2027-03-03"))
    await legislation.hear(record(legislation, "e-1", title="Housing", amended_on="2027-03-03"))
    await legislation.hear(record(legislation, "e-2", NOW, title="Housing", amended_on="2027-04-04"))
    await legislation.hear(record(legislation, "e-0", NOW - timedelta(days=1), title="Old"))
    told = await legislation.progress()
    assert [(one["revision"], one["changed"], one["amended_on"]) for one in told] == [
        (1, [], "2027-03-03"),
        (2, ["amended"], "2027-04-04"),
    ]
    [kept] = await legislation.fetch("SELECT revision, state FROM bills")
    assert (kept["revision"], kept["state"]) == (2, told[-1])
    [row] = await legislation.fetch("SELECT key, headers FROM outbox ORDER BY id DESC LIMIT 1")
    headers = dict(row["headers"])
    assert row["key"].decode() == headers["ce_subject"] == told[-1]["bill_id"]
    assert (headers["ce_type"], headers["ce_id"]) == ("bill.progressed", f"{told[-1]['bill_id']}.2")
    found = {event: outcome for event, (outcome, _) in (await legislation.outcomes()).items()}
    assert found == {"e-0": "outdated", "e-1": "alerted", "e-2": "alerted"}


async def test_a_bad_update_of_a_bill_is_a_dead_letter_and_costs_nothing_else(legislation: Any, notice: Any) -> None:
    await legislation.hear(
        record(legislation, "e-1", bill="- -"),
        record(legislation, "e-2", amended_on="2027-03-03T10:00:00Z"),
        record(legislation, "e-3", amended_on=20270303),
        record(legislation, "e-4", jurisdiction="ocd-jurisdiction/country:us/state:zz/government"),
        record(legislation, "e-5", sequence=1),
        record(legislation, "e-6", sequence=1, status="Passed"),
        legislation.record(notice(), "e-7"),
    )
    found = {event: outcome for event, (outcome, _) in (await legislation.outcomes()).items()}
    assert found == {"e-1": "rejected", "e-4": "rejected", "e-5": "alerted", "e-6": "rejected", "e-7": "alerted"}
    assert len(await legislation.reasons()) == 5
    assert (len(await legislation.progress()), len(await legislation.alerts())) == (1, 1)


async def test_a_bill_that_changes_leaves_the_hearings_with_it_as_they_were_told(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await legislation.hear(record(legislation, "e-2", title="Another title", author="Sample"))
    await legislation.wait(300)
    [alert] = await legislation.alerts()
    assert alert["agenda"][0]["title"] == "Housing near transit"
    assert (await legislation.progress())[-1]["title"] == "Another title"


async def test_replicas_with_the_same_bills_tell_every_change_once(legislation: Any) -> None:
    def batch(source: str, numbers: Sequence[int]) -> list[Any]:
        return [record(legislation, f"{source}-{one}", source=source, bill=f"SB {one}") for one in numbers]

    orders = [range(30), range(29, -1, -1), [*range(15, 30), *range(15)]]
    batches = [batch(f"/sources/{place}", order) for place, order in enumerate(orders)]
    await asyncio.gather(*(legislation.hear(*records) for records in batches))
    assert sorted(one["bill_key"] for one in await legislation.progress()) == sorted(f"SB{one}" for one in range(30))
    assert {one["revision"] for one in await legislation.progress()} == {1}
    assert await legislation.reasons() == []
