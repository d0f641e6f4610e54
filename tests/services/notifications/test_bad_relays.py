"""Relays that misbehave, a disk that is full, a clock that jumps: nothing is lost, nothing goes out twice."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from clarion.services.notifications.channels.relays import Timeouts
from tests.services.notifications.conftest import House, batch, official, recipient
from tests.services.notifications.relays import (
    Script,
    Turn,
    after,
    and_die,
    certificate,
    drop,
    listening,
    stall,
    taking,
    trickle,
)

SHORT = Timeouts(connect=0.5, command=0.3, content=0.3, quit=0.1)


@pytest.fixture(autouse=True)
def short_of_patience(house: House) -> None:
    house.timeouts = SHORT


async def ends(house: House, until: Any, script: Script, count: int = 12, **how: Any) -> Counter[str]:
    """Send mails through a relay with this script until all are sent; who got how many."""
    async with listening(script, **how) as relay:
        house.relay_url = relay.url
        await house.call(range(count))
        async with house.sending():

            async def all_ended() -> bool:
                return (await house.states()).keys() <= {"sent", "unknown", "failed"}

            await until(all_ended)
    return Counter(mail.to for mail in relay.mails)


def on_first_mails(step: str, act: Any) -> Script:
    """Misbehave at a step with the first mail of each of the first three sessions."""
    met: set[int] = set()

    def script(turn: Turn) -> Any:
        if turn.step != step or turn.mail != 1 or id(turn.session) in met or len(met) == 3:
            return None
        met.add(id(turn.session))
        return act

    return script


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("act", [stall, drop, "421 4.3.2 going down"])
async def test_whatever_happens_before_the_content_everyone_gets_one_mail(
    house: House, until: Any, step: str, act: Any
) -> None:
    received = await ends(house, until, on_first_mails(step, act))
    assert received == {f"o{number}@city.example": 1 for number in range(12)}
    assert {(row["state"], row["attempts"], row["doubts"]) for row in await house.rows()} == {("sent", 1, 0)}


@pytest.mark.parametrize("act", [stall, drop])
async def test_what_is_lost_after_the_content_is_sent_once_more_and_counted(house: House, until: Any, act: Any) -> None:
    received = await ends(house, until, on_first_mails("content", taking(act)))
    doubted = [row for row in await house.rows() if row["doubts"]]
    assert 1 <= len(doubted) <= 3
    assert sum(received.values()) == 12 + len(doubted)
    assert {row["state"] for row in await house.rows()} == {"sent"}


async def test_a_relay_that_takes_each_mail_and_dies_is_not_sent_them_again(house: House, until: Any) -> None:
    received = await ends(house, until, lambda turn: taking(and_die("250 ok")) if turn.step == "content" else None)
    assert received == {f"o{number}@city.example": 1 for number in range(12)}
    assert {row["doubts"] for row in await house.rows()} == {0}


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_relay_that_answers_byte_by_byte_gets_each_mail_once(
    house: House, until: Any, extensions: tuple[str, ...]
) -> None:
    answers = {"MAIL": "250 ok", "RCPT": "250-one\r\n250 two", "content": "250 2.0.0 taken"}

    def script(turn: Turn) -> Any:
        return taking(trickle(answers[turn.step])) if turn.step in answers else None

    received = await ends(house, until, script, extensions=extensions)
    assert received == {f"o{number}@city.example": 1 for number in range(12)}


@pytest.mark.parametrize("step", ["RCPT", "content"])
async def test_a_relay_that_refuses_one_in_three_gets_the_others_at_once(house: House, until: Any, step: str) -> None:
    counts: Counter[str] = Counter()

    def script(turn: Turn) -> str | None:
        if turn.step != step:
            return None
        counts[step] += 1
        return "451 4.3.0 not this one" if counts[step] % 3 == 0 else None

    received = await ends(house, until, script)
    assert received == {f"o{number}@city.example": 1 for number in range(12)}
    assert sum(row["attempts"] for row in await house.rows()) == counts[step]


async def test_a_421_in_the_middle_costs_the_mail_no_try(house: House, until: Any) -> None:
    received = await ends(house, until, on_first_mails("content", and_die("421 4.3.2 restarting")))
    assert received == {f"o{number}@city.example": 1 for number in range(12)}
    assert {row["attempts"] for row in await house.rows()} == {1}


async def test_a_bad_certificate_lets_no_mail_out_and_costs_no_try(house: House, until: Any, tmp_path: Path) -> None:
    _made, context = certificate(tmp_path)
    async with listening(tls=context) as relay:
        house.relay_url = f"{relay.url}?starttls=required&name=main"
        await house.call(range(4))
        async with house.sending():

            async def known() -> list[Any]:
                return await house.rows("SELECT said FROM relays WHERE name = 'main' AND state = 'down'")

            ((said,),) = await until(known)
            assert "certificate cannot be trusted: self-signed certificate" in said
        assert await house.states() == {"queued": 4}
    assert not [line for line in relay.lines if line.startswith("MAIL")]


async def test_a_sender_that_waits_long_for_one_reply_keeps_its_lease_and_sends_once(house: House, until: Any) -> None:
    spoken = asyncio.Event()
    house.timeouts = Timeouts()
    slow = taking(after(spoken, "250 at last"))
    async with listening(lambda turn: slow if turn.step == "content" else None) as relay:
        house.relay_url = relay.url
        await house.call([1])
        async with house.sending(senders=2, lease=timedelta(seconds=0.4)):
            await until(lambda: relay.mails)

            async def renewed_for_long() -> list[Any]:
                return await house.rows("SELECT FROM workers WHERE lease_until - started_at > interval '1.6 seconds'")

            await until(renewed_for_long)
            assert await house.states() == {"sending": 1}
            spoken.set()

            async def sent() -> bool:
                return await house.states() == {"sent": 1}

            await until(sent)
    (row,) = await house.rows()
    assert (row["attempts"], row["doubts"], len(relay.mails)) == (1, 0, 1)


async def test_one_slow_reply_holds_up_nobody_else(house: House, until: Any) -> None:
    spoken, met = asyncio.Event(), []
    slow = taking(after(spoken, "250 at last"))
    house.timeouts = Timeouts()

    def script(turn: Turn) -> Any:
        if turn.step != "content" or met:
            return None
        met.append(turn)
        return slow

    async with listening(script) as relay:
        house.relay_url = relay.url
        await house.call(range(60))
        async with house.sending(connections=2):

            async def all_others() -> bool:
                return await house.states() == {"sending": 1, "sent": 59}

            await until(all_others)
            spoken.set()

            async def everyone() -> bool:
                return await house.states() == {"sent": 60}

            await until(everyone)
    assert {(row["attempts"], row["doubts"]) for row in await house.rows()} == {(1, 0)}
    assert len(relay.mails) == 60


FULL = """
CREATE TABLE disk (full_up boolean);
CREATE SEQUENCE refusals;
INSERT INTO disk VALUES (false);
CREATE FUNCTION write_to_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT full_up FROM disk) THEN
        PERFORM nextval('refusals');
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER full_disk AFTER UPDATE ON ledger EXECUTE FUNCTION write_to_disk();
CREATE TRIGGER full_disk AFTER UPDATE ON workers EXECUTE FUNCTION write_to_disk();
"""


async def test_a_full_disk_makes_senders_wait_and_nothing_is_lost_or_doubled(house: House, until: Any) -> None:
    await house.execute(FULL)
    filled = asyncio.Event()
    async with listening(lambda turn: taking(after(filled, "250 ok")) if turn.step == "content" else None) as relay:
        house.relay_url, house.timeouts = relay.url, Timeouts()
        await house.call(range(30))
        async with house.sending(lease=timedelta(seconds=5)):
            await until(lambda: len(relay.mails) == 4)
            await house.execute("UPDATE disk SET full_up = true")
            filled.set()

            async def refused_again_and_again() -> bool:
                ((refused,),) = await house.rows("SELECT last_value FROM refusals")
                return int(refused) >= 4

            await until(refused_again_and_again)
            # The outcomes of the four cannot be written down, so no other mail begins.
            assert len(relay.mails) == 4
            await house.execute("UPDATE disk SET full_up = false")

            async def all_sent() -> bool:
                return await house.states() == {"sent": 30}

            await until(all_sent)
    assert Counter(mail.to for mail in relay.mails) == {f"o{number}@city.example": 1 for number in range(30)}
    assert {(row["attempts"], row["doubts"]) for row in await house.rows()} == {(1, 0)}


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_sends_nothing_twice_and_frees_nobodys_rows(
    house: House, until: Any, hours: int
) -> None:
    ahead = timedelta(0)
    house.clock = lambda: datetime.now(UTC) + ahead
    jumped = asyncio.Event()
    async with listening(lambda turn: taking(after(jumped, "250 ok")) if turn.step == "content" else None) as relay:
        house.relay_url, house.timeouts = relay.url, Timeouts()
        await house.call(range(20), not_after=datetime.now(UTC) + timedelta(hours=3))
        async with house.sending(lease=timedelta(seconds=0.5), senders=2):
            await until(lambda: len(relay.mails) >= 4)
            ahead = timedelta(hours=hours)
            jumped.set()

            async def begun_are_sent() -> bool:
                return (await house.states()).get("sent", 0) >= len(relay.mails) >= 4

            await until(begun_are_sent)
            ahead = timedelta(0)

            async def all_sent() -> bool:
                return await house.states() == {"sent": 20}

            await until(all_sent)
    assert Counter(mail.to for mail in relay.mails) == {f"o{number}@city.example": 1 for number in range(20)}
    assert {row["doubts"] for row in await house.rows()} == {0}


async def test_a_mail_whose_time_has_passed_by_our_clock_is_not_sent(house: House, until: Any) -> None:
    house.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    async with listening() as relay:
        house.relay_url = relay.url
        await house.call([1], not_after=datetime.now(UTC) + timedelta(minutes=30))
        async with house.sending():

            async def expired() -> bool:
                return await house.states() == {"expired": 1}

            await until(expired)
    assert relay.mails == []


EVIL = "Eve\r\nBcc: victim@evil.example\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n"


async def test_names_and_subjects_reach_the_wire_as_text_alone(house: House, until: Any) -> None:
    content = batch([1]).content
    bill = {**content["bills"][0], "bill": f"SB 79 {EVIL}", "title": EVIL, "ask": EVIL, "letter": EVIL}  # type: ignore[index, dict-item]
    async with listening() as relay:
        house.relay_url = relay.url
        odd = {2: '"ada b"@city.example', 3: "é@city.example", 4: "eve@city.example>\r\nDATA"}
        await house.know(official(1, name=EVIL), *(official(number, email=email) for number, email in odd.items()))
        asked = [recipient(number) for number in (1, 2, 3, 4)]
        await house.ask(batch([], recipients=asked, content={**content, "bills": [bill], "committee": EVIL}))
        async with house.sending():

            async def ended() -> bool:
                return await house.states() == {"sent": 3, "failed": 1}

            await until(ended)
    assert sorted(mail.to for mail in relay.mails) == ['"ada b"@city.example', "o1@city.example", "é@city.example"]
    verbs = Counter(line.split(" ")[0] for line in relay.lines)
    assert (verbs["MAIL"], verbs["RCPT"], verbs["DATA"]) == (3, 3, 3)
    for mail in relay.mails:
        read = message_from_bytes(mail.content, policy=policy.default)
        assert read["Bcc"] is None
        assert len(read.get_all("Subject")) == 1
        assert len(read["From"].addresses) == 1
