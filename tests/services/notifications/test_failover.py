"""Several relays: whatever befalls one of them, mail goes by another, each once, and comes back to the first."""

from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from clarion.services.notifications.channels.relays import Timeouts
from tests.services.notifications.conftest import House
from tests.services.notifications.relays import ScriptedRelay, Turn, drop, listening

SHORT = Timeouts(connect=0.5, command=0.3, content=0.3, quit=0.1)


@pytest.fixture(autouse=True)
def short_of_patience(house: House) -> None:
    house.timeouts = SHORT


def named(first: ScriptedRelay, second: ScriptedRelay) -> str:
    return f"{first.url}?name=first, {second.url}?name=second"


async def by_relay(house: House) -> dict[str, int]:
    rows = await house.rows("SELECT relay, count(*) AS n FROM ledger WHERE state = 'sent' GROUP BY 1")
    return {row["relay"]: row["n"] for row in rows}


def each_once(*relays: ScriptedRelay) -> bool:
    return set(Counter(mail.to for relay in relays for mail in relay.mails).values()) == {1}


async def test_mail_goes_by_the_next_relay_while_the_first_is_away_and_by_the_first_again(
    house: House, until: Any
) -> None:
    first = ScriptedRelay()
    async with first.listening():
        pass
    async with listening() as second:
        house.relay_url = named(first, second)
        await house.call(range(10))
        async with house.sending():

            async def by_second() -> bool:
                return await by_relay(house) == {"second": 10}

            await until(by_second)
            async with first.listening():
                count = 10

                async def first_takes() -> bool:
                    nonlocal count
                    await house.call([count := count + 1])
                    return bool(first.mails)

                await until(first_takes)
    assert each_once(first, second)


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL"])
async def test_a_relay_that_lets_nothing_begin_is_passed_over(house: House, until: Any, step: str) -> None:
    async with listening(lambda turn: drop if turn.step == step else None) as first, listening() as second:
        house.relay_url = named(first, second)
        await house.call(range(20))
        async with house.sending():

            async def by_second() -> bool:
                return await by_relay(house) == {"second": 20}

            # It is tried again and again, with rests that grow.
            await until(by_second, 60)
    assert each_once(second)
    assert {(row["attempts"], row["doubts"]) for row in await house.rows()} == {(1, 0)}


async def test_a_relay_that_refuses_our_login_is_said_loudly_and_the_others_go_on(house: House, until: Any) -> None:
    def refuse(turn: Turn) -> str | None:
        return "535 5.7.8 <calls@clarion.example> wrong password" if turn.step == "AUTH" else None

    async with listening(refuse, extensions=("AUTH PLAIN",)) as first, listening() as second:
        login = f"smtp://calls:secret@127.0.0.1:{first.port}?name=first&starttls=none"
        house.relay_url = f"{login} {second.url}?name=second"
        await house.call(range(20))
        with capture_logs() as logs:
            async with house.sending(senders=2):

                async def by_second() -> bool:
                    return await by_relay(house) == {"second": 20}

                await until(by_second)

                async def known_to_all() -> list[Any]:
                    return await house.rows("SELECT reason FROM breakers WHERE relay = 'first' AND domain = ''")

                ((reason,),) = await until(known_to_all)
    assert reason.startswith("535 5.7.8")
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert {(entry["event"], entry["relay"], entry["said"]) for entry in errors} == {
        ("relay.refuses_us", "first", "535 5.7.8")
    }
    assert "secret" not in str(logs)
    # Two senders of four connections tried once; none came back.
    assert first.sessions <= 8


async def test_a_login_that_the_only_relay_refuses_makes_all_mail_wait(house: House, until: Any) -> None:
    def refuse(turn: Turn) -> str | None:
        return "535 5.7.8 wrong password" if turn.step == "AUTH" else None

    async with listening(refuse, extensions=("AUTH PLAIN",)) as relay:
        house.relay_url = f"smtp://calls:secret@127.0.0.1:{relay.port}?starttls=none"
        await house.call(range(5))
        async with house.sending():

            async def known() -> list[Any]:
                return await house.rows("SELECT FROM breakers WHERE domain = ''")

            await until(known)
        assert await house.states() == {"queued": 5}
        assert {row["attempts"] for row in await house.rows()} == {0}
        sessions = relay.sessions
        async with house.sending():
            await until(lambda: house.rows("SELECT FROM workers"))

            async def looked_at() -> bool:
                return bool(await house.rows("SELECT FROM ledger WHERE claim > 1"))

            await until(looked_at)
    assert relay.sessions == sessions
