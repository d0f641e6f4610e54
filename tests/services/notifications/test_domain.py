"""The rules of states, lanes, retries and addressing."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clarion.schemas.messages import Recipient
from clarion.services.notifications.caretaker import Steadiness
from clarion.services.notifications.domain.lanes import ORDER, shares
from clarion.services.notifications.domain.messages import (
    LEFT,
    MALFORMED,
    NO_OFFICIAL,
    PATIENCE,
    Addressed,
    NotSent,
    NotYet,
    Official,
    address,
    joined,
    reachable,
)
from clarion.services.notifications.domain.outcomes import (
    Accepted,
    Declined,
    InDoubt,
    NotTried,
    Outcome,
    Retries,
    judge,
)
from clarion.services.notifications.domain.replies import RULES
from clarion.services.notifications.domain.states import FINAL, MOVES, WAITING, State, allowed, ending_as, waiting_as
from tests.services.notifications.conftest import mailbox_of, recipient
from tests.services.notifications.test_rendering import message

NOW = datetime(2027, 4, 1, tzinfo=UTC)
STATES = get_args(State)
EXPECTED = {
    "queued": "claimed expired superseded unneeded suppressed",
    "deferred": "claimed expired superseded unneeded suppressed",
    "uncertain": "claimed sent unknown",
    "claimed": "sending queued uncertain failed unknown expired superseded unneeded suppressed",
    "sending": "sent deferred failed queued uncertain unknown",
    "failed": "queued",
    "suppressed": "queued",
    "expired": "queued",
    "unknown": "uncertain bounced",
    "sent": "bounced",
    "bounced": "queued",
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_a_move_is_allowed_only_if_the_table_says_so(before: State, after: State) -> None:
    assert allowed(before, after) == (after in EXPECTED.get(before, "").split())


def test_every_state_is_final_or_leads_to_a_final_one() -> None:
    assert set(MOVES) == set(STATES)
    assert {state for state in STATES if MOVES[state] <= WAITING - {"deferred"} | {"bounced"}} == FINAL
    reached = set(FINAL)
    for _ in STATES:
        reached |= {state for state in STATES if MOVES[state] & reached}
    assert reached == set(STATES)
    assert all("claimed" in MOVES[state] for state in WAITING)


@given(
    outcome=st.sampled_from([Accepted("250"), NotTried("x"), InDoubt("x"), *(Declined(kind, "x") for kind in RULES)]),
    attempts=st.integers(0, 50),
    doubts=st.integers(0, 1),
    jitter=st.floats(0, 1),
    waited=st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_every_verdict_on_a_mail_being_sent_is_an_allowed_move(
    outcome: Outcome, attempts: int, doubts: int, jitter: float, waited: timedelta
) -> None:
    retries = Retries()
    verdict = judge(
        outcome, attempts=attempts, doubts=doubts, queued_at=NOW - waited, now=NOW, jitter=jitter, retries=retries
    )
    assert allowed("sending", verdict.state)
    counted = RULES[outcome.kind].counted if isinstance(outcome, Declined) else not isinstance(outcome, NotTried)
    assert verdict.attempts == attempts + counted
    if waited >= retries.give_up_after and not isinstance(outcome, InDoubt):
        assert verdict.state in FINAL
    assert (verdict.state in FINAL) == (verdict.due_at is None)
    if doubts and not isinstance(outcome, Accepted):
        assert verdict.state in {"uncertain", "unknown"}


@given(state=st.sampled_from(STATES), doubts=st.integers(0, 3))
def test_what_was_in_doubt_ends_sent_or_unknown(state: State, doubts: int) -> None:
    if doubts:
        assert ending_as(state, doubts) in {"sent", "unknown"}
        assert waiting_as(state, doubts) == "uncertain"
    else:
        assert ending_as(state, doubts) == waiting_as(state, doubts) == state


@given(attempts=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_waits_grow_and_stay_bounded(attempts: int, jitter: float) -> None:
    retries = Retries(first_seconds=30, limit_seconds=3600)
    wait = retries.wait_seconds(attempts, jitter)
    assert 15 <= wait <= 5400
    assert wait <= retries.wait_seconds(attempts + 1, jitter)


@example(room=4, waiting={0: 2, 1: 1, 2: 1, 3: 1})
@given(room=st.integers(0, 500), waiting=st.dictionaries(st.integers(0, 3), st.integers(0, 500)))
def test_lanes_share_all_the_room_that_can_be_used(room: int, waiting: dict[int, int]) -> None:
    given_places = shares(room, waiting)
    assert sum(given_places.values()) == min(room, sum(waiting.values()))
    assert all(0 <= count <= waiting[lane] for lane, count in given_places.items())
    if room >= len(ORDER):
        assert all(given_places[lane] for lane, count in waiting.items() if count)


def test_a_newsletter_does_not_delay_a_sign_in() -> None:
    assert shares(15, {0: 100, 1: 100, 2: 100, 3: 100_000}) == {0: 8, 1: 4, 2: 2, 3: 1}
    assert shares(20, {0: 3, 3: 100_000}) == {0: 3, 3: 17}


def known(number: int = 1, *, active: bool = True, mailbox: str | None = None) -> Official:
    return Official(
        f"o{number}", f"Ada Nr{number}", "ada@alder.example", mailbox or mailbox_of(1), "Alder", ("Mayor",), active
    )


def test_a_message_waits_for_officials_that_are_not_known_yet() -> None:
    waiting = message(queued_at=NOW)
    assert address(waiting, {}, NOW) == NotYet(1.0)
    assert address(waiting, {}, NOW + timedelta(seconds=30)) == NotYet(15.0)
    assert address(waiting, {}, NOW + PATIENCE) == NotSent("unneeded", NO_OFFICIAL)


def test_once_patience_ends_those_who_are_known_get_it() -> None:
    both = message(queued_at=NOW, recipient=Recipient.model_validate(recipient(1, officials=["o1", "o2"])))
    assert isinstance(address(both, {"o1": known()}, NOW), NotYet)
    assert address(both, {"o1": known()}, NOW + PATIENCE) == Addressed("ada@alder.example", (known(),), "Ada Nr1")


@pytest.mark.parametrize("official", [known(active=False), known(mailbox=mailbox_of(9))])
def test_who_left_or_moved_gets_nothing(official: Official) -> None:
    assert address(message(queued_at=NOW), {"o1": official}, NOW) == NotSent("unneeded", LEFT)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "x",
        "@c.example",
        "a@b@c.example",
        "a b@c.example",
        "a@c.example\r\nDATA",
        "<a@c.example>",
        "a@-",
        '"a"b"@c.example',
        '"a\r\n"@c.example',
        '""@c.example',
        "é\x85@c.example",
        "é\u2028@c.example",
        "é\u202e@c.example",
        "é\ud800@c.example",
        "é é@c.example",
        "é" * 40 + "@c.example",
        "a@é\u202e.example",
        "a@xn--é.example",
    ],
)
def test_a_malformed_address_is_never_put_into_a_command(to: str) -> None:
    assert reachable(to, (), None) == NotSent("failed", MALFORMED)


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    assert reachable("clerk@höhe.example", (), None) == Addressed("clerk@xn--hhe-sna.example", (), None)
    assert reachable("clerk@straße.example", (), None) == Addressed("clerk@xn--strae-oqa.example", (), None)


@pytest.mark.parametrize(
    "to", ["josé@alder.example", "市長@alder.example", '"ada b"@alder.example', r'"a\"b@c"@d.example']
)
def test_a_local_part_in_quotes_or_beyond_ascii_stays_as_it_is(to: str) -> None:
    assert reachable(f" {to} ", (), None) == Addressed(to, (), None)


@given(to=st.text(max_size=80) | st.from_regex(r"[^@]{0,20}@[a-z]{1,5}\.example", fullmatch=True))
def test_whatever_is_given_nothing_written_can_end_a_command_or_a_header(to: str) -> None:
    found = reachable(to, (), None)
    if isinstance(found, Addressed):
        assert found.address.isprintable()
        local, _, domain = found.address.rpartition("@")
        assert domain.isascii()
        assert local.startswith('"') or not set(local) & set(' <>@,;:"')


def test_parts_of_a_shared_mailbox_are_read_as_one_recipient() -> None:
    parts = [recipient(1), recipient(1, officials=["o2"], asks=[{"kind": "testimony", "bill": "SB 79"}])]
    whole = joined(mailbox_of(1), ["o1", "o2"], parts)
    assert whole.officials == ["o1", "o2"]
    assert [ask.kind for ask in whole.asks] == ["letter", "testimony"]
    assert len(whole.reasons) == 1


def test_after_a_gap_a_full_lease_passes_before_anyone_is_buried() -> None:
    steadiness = Steadiness(timedelta(seconds=10))
    seconds = [0, 4, 8, 11, 20, 24, 28, 29, 31]
    assert [steadiness.saw(NOW + timedelta(seconds=at)) for at in seconds] == [
        False, False, False, True, False, False, False, False, True,
    ]  # fmt: skip
