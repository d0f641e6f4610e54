"""From a request to the relay's answer, on the real database and a real SMTP server."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded.mailcatcher import HangUp
from clarion.runtime.ids import new_id
from clarion.services.notifications import operations
from clarion.services.notifications.domain.outcomes import Retries
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Round, Workers
from tests.services.notifications.conftest import QUICK, House, batch, mailbox_of, official, recipient


async def in_states(house: House, **expected: int) -> bool:
    return await house.states() == expected


async def test_every_requested_mail_is_sent_once_and_told(house: House, mail_catcher: Any, until: Any) -> None:
    await house.call(range(30))
    async with house.sending():
        await until(lambda: in_states(house, sent=30))
    assert mail_catcher.store.count() == 30
    told = await house.delivered()
    assert {one["state"] for one in told} == {"sent"}
    assert len({one["mailbox"] for one in told}) == 30
    (row, *_) = await house.rows()
    assert (row["attempts"], row["doubts"], row["last_reply"]) == (1, 0, "250 2.0.0 OK")


async def test_two_senders_share_the_work_and_send_each_mail_once(house: House, mail_catcher: Any, until: Any) -> None:
    await house.call(range(200))
    async with house.sending(senders=2):
        await until(lambda: in_states(house, sent=200))
    assert mail_catcher.store.count() == 200
    assert await house.rows("SELECT FROM workers") == []


async def test_a_request_wakes_a_sender_that_waits(house: House, until: Any) -> None:
    async with house.sending(poll_seconds=30):
        await asyncio.sleep(0)
        await house.call([1])
        await until(lambda: in_states(house, sent=1), 5)


async def test_a_deferred_mail_is_sent_later(house: House, mail_catcher: Any, until: Any) -> None:
    seen: Counter[str] = Counter()

    def reply(address: str, content: bytes) -> str | None:
        if content or address.startswith("o2"):
            return None
        seen[address] += 1
        return "451 4.3.0 later" if seen[address] < 3 else None

    mail_catcher.reply_to = reply
    await house.call([1, 2])
    async with house.sending():
        await until(lambda: in_states(house, sent=2))
    first, second = await house.rows()
    assert (first["attempts"], second["attempts"]) == (3, 1)


async def test_a_mail_deferred_until_its_time_has_passed_expires(house: House, mail_catcher: Any, until: Any) -> None:
    mail_catcher.reply_to = lambda _address, _content: "451 4.3.0 later"
    await house.call([1], not_after=datetime.now(UTC) + timedelta(seconds=3))
    async with house.sending():
        await until(lambda: in_states(house, expired=1))
    (row,) = await house.rows()
    assert row["attempts"] >= 1
    assert row["last_reply"] == "RCPT: 451 4.3.0 later"


async def test_a_refused_mail_fails_and_the_connection_goes_on(house: House, mail_catcher: Any, until: Any) -> None:
    def reply(address: str, content: bytes) -> str | None:
        if address.startswith("o1@"):
            return "550 5.1.1 no such mailbox"
        return "554 5.6.0 no" if content and address.startswith("o2@") else None

    mail_catcher.reply_to = reply
    await house.call(range(1, 13))
    async with house.sending(connections=1):
        await until(lambda: in_states(house, sent=10, failed=2))
    first, second, *_ = await house.rows()
    assert first["last_reply"] == "RCPT: 550 5.1.1 no such mailbox"
    assert second["last_reply"] == "554 5.6.0 no"
    assert {one["reason"] for one in await house.delivered()} == {
        None,
        "there is no such mailbox",
        "the relay refused it",
    }


async def test_a_relay_that_is_down_costs_no_attempt(house: House, mail_catcher: Any, until: Any) -> None:
    await mail_catcher.stop()
    await house.call(range(20))
    async with house.sending():
        await until(lambda: in_states(house, queued=20))
        await asyncio.sleep(0.7)
        assert await in_states(house, queued=20)
        await mail_catcher.start()
        await until(lambda: in_states(house, sent=20))
    assert {row["attempts"] for row in await house.rows()} == {1}
    assert mail_catcher.store.count() == 20


async def test_a_connection_lost_before_the_content_is_never_in_doubt(
    house: House, mail_catcher: Any, until: Any
) -> None:
    hung_up: set[str] = set()

    def reply(address: str, content: bytes) -> None:
        if not content and address not in hung_up:
            hung_up.add(address)
            raise HangUp

    mail_catcher.reply_to = reply
    await house.call(range(6))
    async with house.sending():
        await until(lambda: in_states(house, sent=6))
    assert {(row["attempts"], row["doubts"]) for row in await house.rows()} == {(1, 0)}
    assert mail_catcher.store.count() == 6


async def test_a_mail_in_doubt_is_sent_once_more_under_the_same_message_id(
    house: House, mail_catcher: Any, until: Any
) -> None:
    hung_up: list[str] = []

    def reply(address: str, content: bytes) -> None:
        if content and address.startswith("o1@") and not hung_up:
            hung_up.append(address)
            raise HangUp(kept=True)

    mail_catcher.reply_to = reply
    await house.call([1, 2])
    async with house.sending():
        await until(lambda: in_states(house, sent=2))
    (row, _) = await house.rows()
    assert (row["attempts"], row["doubts"]) == (2, 1)
    twice = mail_catcher.store.list(to="o1@city.example")
    assert len(twice) == 2
    assert len({mail.message_id for mail in twice}) == 1


async def test_a_mail_in_doubt_twice_ends_unknown(house: House, mail_catcher: Any, until: Any) -> None:
    def reply(address: str, content: bytes) -> None:
        if content:
            raise HangUp(kept=True)

    mail_catcher.reply_to = reply
    await house.call([1])
    async with house.sending():
        await until(lambda: in_states(house, unknown=1))
    assert mail_catcher.store.count() == 2
    assert [one["state"] for one in await house.delivered()] == ["unknown"]


async def test_a_mail_in_doubt_whose_time_has_passed_is_not_sent_again(
    house: House, mail_catcher: Any, until: Any
) -> None:
    def reply(address: str, content: bytes) -> None:
        if content:
            raise HangUp(kept=True)

    mail_catcher.reply_to = reply
    await house.call([1], not_after=datetime.now(UTC) + timedelta(seconds=60))
    await house.pretend("claimed", "sending", "uncertain")
    await house.execute("UPDATE ledger SET doubts = 1, not_after = now() - interval '1 second'")
    async with house.sending():
        await until(lambda: in_states(house, unknown=1))
    assert mail_catcher.store.count() == 0


async def test_what_is_too_late_expires_without_any_sender_or_relay(house: House, until: Any) -> None:
    await house.call([1], not_after=datetime.now(UTC) - timedelta(seconds=1))
    async with house.sending(senders=0):
        await until(lambda: in_states(house, expired=1))


async def test_what_a_killed_sender_held_is_taken_up_after_its_lease(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call(range(8))
    worker = UUID(new_id())
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(seconds=0.1))
        claimed = await operations.claim(tx, worker, 8, system_clock())
        first = [Ready(one, one.recipient.officials) for one in claimed if one.mailbox == mailbox_of(0)]
        assert len(await operations.mark(tx, Round(worker, 0, {}), first, system_clock())) == 1
    assert await house.states() == {"claimed": 7, "sending": 1}
    async with house.sending(lease=timedelta(seconds=0.5)):
        await until(lambda: in_states(house, sent=8))
    assert sorted(row["doubts"] for row in await house.rows()) == [0] * 7 + [1]


async def test_a_sender_whose_lease_was_lost_goes_on_as_a_new_worker(house: House, until: Any) -> None:
    async with house.sending(lease=timedelta(seconds=0.6)):
        await until(lambda: house.rows("SELECT FROM workers"))
        await house.execute("DELETE FROM workers")
        await house.call(range(5))
        await until(lambda: in_states(house, sent=5))


async def test_a_sender_that_stops_finishes_its_round_and_hands_back_the_rest(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call(range(300))
    async with house.sending():
        await until(lambda: mail_catcher.store.count() >= 20)
    states = await house.states()
    assert states.keys() <= {"sent", "queued"}
    assert states["sent"] == mail_catcher.store.count()
    assert await house.rows("SELECT FROM workers") == []


async def test_a_message_waits_for_its_official_and_goes_once_the_directory_tells(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.ask(batch([1]))

    async def waits() -> bool:
        (row,) = await house.rows()
        return (row["state"], row["reason"]) == ("queued", "waiting for the directory")

    async with house.sending():
        await until(waits)
        assert mail_catcher.store.count() == 0
        await house.know(official(1))
        await until(lambda: in_states(house, sent=1))
    (row,) = await house.rows()
    assert row["attempts"] == 1


async def test_a_message_for_nobody_the_directory_knows_ends_unneeded(house: House, until: Any) -> None:
    await house.ask(batch([1]), at=datetime.now(UTC) - timedelta(minutes=11))
    async with house.sending():
        await until(lambda: in_states(house, unneeded=1))
    assert [one["reason"] for one in await house.delivered()] == ["no such official in the directory"]


async def test_who_left_gets_nothing_and_the_others_of_the_mailbox_are_named(
    house: House, mail_catcher: Any, until: Any
) -> None:
    shared = {"mailbox": mailbox_of(1), "email": "clerk@city.example"}
    await house.know(official(1, active=False), official(2, **shared), official(3, **shared), official(4, active=False))
    shared_mailbox = recipient(1, officials=["o1", "o2", "o3"])
    await house.ask(batch([], recipients=[shared_mailbox, recipient(4)]))
    async with house.sending():
        await until(lambda: in_states(house, sent=1, unneeded=1))
    (mail,) = mail_catcher.store.list()
    content = mail_catcher.store.get(mail.id).content
    assert mail.recipients == ("clerk@city.example",)
    assert b"Dear Mayor Ada Nr2 and Mayor Ada Nr3," in content


async def test_a_malformed_address_fails_and_the_next_is_sent(house: House, until: Any) -> None:
    await house.know(official(1, email="not an address"), official(2))
    await house.ask(batch([1, 2]))
    async with house.sending():
        await until(lambda: in_states(house, sent=1, failed=1))


async def test_a_mail_stands_dotted_lines_as_they_were(house: House, mail_catcher: Any, until: Any, parse: Any) -> None:
    asked = recipient(1, reasons=[{"kind": "committee", "text": "x"}])
    content = batch([1]).content
    bill = {**content["bills"][0], "letter": ".\n..two\n.end\n\n."}  # type: ignore[index, dict-item]
    await house.know(official(1))
    await house.ask(batch([], recipients=[asked], content={**content, "bills": [bill]}))
    async with house.sending():
        await until(lambda: in_states(house, sent=1))
    (mail,) = mail_catcher.store.list()
    text = parse(mail_catcher.store.get(mail.id).content).get_body(("plain",)).get_content()
    assert "\n.\n..two\n.end\n\n.\n" in text.replace("\r\n", "\n")


async def test_no_more_mails_are_marked_than_there_are_connections(house: House, until: Any) -> None:
    await house.execute(
        """CREATE FUNCTION count_marks() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM under_way) > 4 THEN
                RAISE EXCEPTION 'too many marks';
            END IF;
            RETURN NULL;
        END $$"""
    )
    await house.execute("CREATE TRIGGER marks AFTER INSERT OR UPDATE ON rounds EXECUTE FUNCTION count_marks()")
    await house.call(range(60))
    async with house.sending(replace(QUICK, retries=Retries(first_seconds=1))):
        await until(lambda: in_states(house, sent=60))
