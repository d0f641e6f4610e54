"""Mails that go one after another over a connection, and how many of them do."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clarion.services.notifications.channels.lines import FIRST, ROUNDS, Line
from clarion.services.notifications.channels.relays import Relay, Timeouts
from clarion.services.notifications.channels.smtp import Mail, SmtpConnection
from clarion.services.notifications.crew import Crew, Sent, Written
from clarion.services.notifications.domain.messages import Addressed
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome, OutOfTime
from clarion.services.notifications.operations import Ready
from tests.services.notifications.relays import Turn, and_die, drop, listening, taking
from tests.services.notifications.test_relays import MAIL, SENDER, relay_at
from tests.services.notifications.test_rendering import NOW, RENDERER, message


async def carried(relay: Relay, addresses: Sequence[str]) -> list[tuple[str, Outcome]]:
    """What came of these, in that order, over one connection."""
    connection = SmtpConnection(relay)
    await connection.open()
    outcomes: list[tuple[str, Outcome]] = []
    over = asyncio.Event()

    def ended(address: str, outcome: Outcome) -> None:
        outcomes.append((address, outcome))
        if len(outcomes) == len(addresses):
            over.set()

    connection.hand_over(iter([Mail(SENDER, one, MAIL, partial(ended, one)) for one in addresses]))
    await over.wait()
    while connection.busy:
        await asyncio.sleep(0)
    await connection.quit()
    return outcomes


PEOPLE = tuple(f"{name}@alder.example" for name in ("ada", "bo", "cy", "di"))


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_mails_go_one_after_another_over_a_connection(extensions: tuple[str, ...]) -> None:
    async with listening(extensions=extensions) as relay:
        outcomes = await carried(relay_at(relay.url), PEOPLE)
    assert outcomes == [(one, Accepted("250 2.0.0 taken")) for one in PEOPLE]
    assert ([mail.to for mail in relay.mails], relay.sessions) == (list(PEOPLE), 1)
    assert {mail.content for mail in relay.mails} == {b"".join(MAIL)}


@pytest.mark.parametrize(("extensions", "together"), [(("PIPELINING",), True), ((), False)])
async def test_the_next_envelope_goes_with_the_content_before_it_where_that_is_offered(
    extensions: tuple[str, ...], *, together: bool, until: Any
) -> None:
    behind: list[bytes] = []

    async def listen(session: Any) -> None:
        behind.append(await session.reader.read(4096))
        raise ConnectionResetError

    async with listening(lambda turn: listen if turn.step == "content" else None, extensions=extensions) as relay:
        await carried(relay_at(relay.url), PEOPLE[:2])
        await until(lambda: behind)
    assert [one.startswith(b"MAIL FROM:") and one.endswith(b"DATA\r\n") for one in behind] == [together]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "content"])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_refused_mail_in_the_middle_refuses_none_beside_it(step: str, extensions: tuple[str, ...]) -> None:
    def refusing(turn: Turn) -> Any:
        # Without a sender there is no content to wait for either.
        if turn.mail == 2 and (turn.step == step or (step == "MAIL" and turn.step in {"RCPT", "DATA"})):
            return "550 5.7.1 no"
        return None

    async with listening(refusing, extensions=extensions) as relay:
        outcomes = dict(await carried(relay_at(relay.url), PEOPLE))
    kinds = [type(outcomes[one]) for one in PEOPLE]
    assert kinds == [Accepted, Declined, Accepted, Accepted]
    assert (len(relay.mails), relay.sessions) == (3, 1)


async def test_only_what_was_begun_is_in_doubt_where_a_relay_dies_with_more_to_come() -> None:
    async with listening(lambda turn: drop if (turn.step, turn.mail) == ("content", 2) else None) as relay:
        outcomes = dict(await carried(relay_at(relay.url), PEOPLE))
    kinds = [type(outcomes[one]) for one in PEOPLE]
    assert kinds == [Accepted, InDoubt, NotTried, OutOfTime]


async def test_the_word_on_a_mail_holds_though_the_relay_dies_before_the_next_envelope() -> None:
    def script(turn: Turn) -> Any:
        return taking(and_die("250 ok")) if (turn.step, turn.mail) == ("content", 2) else None

    async with listening(script) as relay:
        outcomes = dict(await carried(relay_at(relay.url), PEOPLE))
    assert [type(outcomes[one]) for one in PEOPLE] == [Accepted, Accepted, NotTried, OutOfTime]


async def test_what_waits_behind_a_slow_word_is_given_back_and_never_said(until: Any) -> None:
    announced, heard = asyncio.Event(), asyncio.Event()

    async def slow(session: Any) -> None:
        await session.reader.readuntil(b"DATA\r\n")
        announced.set()
        await heard.wait()
        await session.say("250 ok")

    async with listening(lambda turn: taking(slow) if turn.step == "content" else None) as relay:
        connection = SmtpConnection(relay_at(relay.url, Timeouts()))
        await connection.open()
        outcomes: dict[str, Outcome] = {}
        mails = iter([Mail(SENDER, one, MAIL, partial(outcomes.__setitem__, one)) for one in PEOPLE])
        connection.hand_over(mails)
        await announced.wait()
        for mail in mails:
            mail.ended(OutOfTime("too late"))
        connection.release()
        assert {one: type(outcome) for one, outcome in outcomes.items()} == dict.fromkeys(PEOPLE[1:], OutOfTime)
        heard.set()
        await until(lambda: len(outcomes) == len(PEOPLE))
        assert type(outcomes[PEOPLE[0]]) is Accepted
        assert not connection.usable
    assert [mail.to for mail in relay.mails] == [PEOPLE[0]]


def test_lines_grow_while_the_relay_is_quick_and_shrink_while_it_is_slow() -> None:
    line = Line()
    seen = []
    for seconds in (0.2, 0.3, 0.1, 1.0, 1.0, 0.01, 0.1, 0.01, 0.01, 0.01, 0.01):
        for _ in range(ROUNDS):
            line.learn(seconds)
        seen.append(line.mails)
    assert seen == [4, 2, 2, 1, 1, 2, 2, 4, 8, 16, 16]


def test_lines_do_not_shrink_while_some_rounds_are_quick() -> None:
    line = Line()
    for _ in range(5):
        for seconds in (1.0, 0.3, 0.1, 0.5):
            line.learn(seconds)
    assert line.mails == FIRST


async def test_a_mail_whose_time_runs_out_while_those_before_it_go_is_given_back() -> None:
    times = [NOW]
    sender = SimpleNamespace(clock=lambda: times[-1], renderer=RENDERER, relays=None)
    crew = Crew(cast("Any", SimpleNamespace(sender=sender, worker=None)), 10)
    outcomes: dict[int, Outcome] = {}
    line = []
    for number, not_after in enumerate((None, NOW + timedelta(seconds=0.5), NOW + timedelta(hours=1))):
        written = Written(Ready(message(not_after=not_after)), Addressed("ada@alder.example", ()), MAIL)
        line.append(
            (Sent(cast("Any", SimpleNamespace(relay_name="main")), written), partial(outcomes.__setitem__, number))
        )
    begun = asyncio.get_running_loop().time()
    mails = crew._in_time(line, begun, NOW + timedelta(seconds=2))
    next(mails)
    times.append(NOW + timedelta(seconds=0.5))
    next(mails)
    assert {number: type(outcome) for number, outcome in outcomes.items()} == {1: OutOfTime}
