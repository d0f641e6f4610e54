"""What comes back and what it does to mail, mailboxes and subscriptions."""

import json
from datetime import timedelta
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database.pool import connect_login
from clarion.runtime.people import Person
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications.bounces.return_path import About
from clarion.services.notifications.people import erase, export
from clarion.services.notifications.reports import find_story
from clarion.services.notifications.resending import Resend, count_owed, send_again
from tests.services.notifications.came_back import (
    PATH,
    about,
    arf,
    came,
    dsn,
    handled,
    plain,
    recipient_fields,
    suppressed,
    told,
)
from tests.services.notifications.conftest import House, batch, official, recipient

HARD = dsn(recipient_fields())
FULL = dsn(recipient_fields(status="4.2.2"))


async def acts(house: House) -> list[tuple[str, str]]:
    login = await connect_login(house.database.url)
    try:
        rows = await login.fetch("SELECT act, details ->> 'what' AS what FROM clarion.audit ORDER BY id")
        return [tuple(row) for row in rows]
    finally:
        await login.close()


async def test_a_mail_to_no_mailbox_comes_back_and_the_mailbox_gets_nothing_more(house: House, key: bytes) -> None:
    await told(house, key, 1, 2)
    found = await came(house, "mail", HARD, await about(house))
    assert (found["kind"], found["did"], found["content"]) == ("hard", "bounced, suppressed", None)
    assert found["said"] == "there is no such mailbox (5.1.1)"
    assert await house.states() == {"bounced": 1, "sent": 1}
    assert await suppressed(house) == [("hard-bounce", "there is no such mailbox (5.1.1)")]
    assert await acts(house) == [("mailbox.suppressed", "hard-bounce")]
    (outcome,) = await house.delivered()
    assert (outcome["state"], outcome["reason"]) == ("bounced", "bounced: there is no such mailbox (5.1.1)")
    async with house.database.connection() as connection:
        one = await about(house)
        story = await find_story(connection, one.thread_id, one.revision)
    assert story is not None
    assert [move["state"] for move in story["moves"]][-2:] == ["sent", "bounced"]
    assert [(one["kind"], one["did"]) for one in story["came_back"]] == [("hard", "bounced, suppressed")]


async def test_what_is_queued_for_a_mailbox_that_bounced_is_not_sent(house: House, key: bytes, until: Any) -> None:
    await told(house, key, 1)
    await came(house, "mail", HARD, await about(house))
    await house.ask(
        batch([1], matter="campaign:c2", recipients=[recipient(1, mailbox=mailbox("o1@city.example", key))])
    )
    async with house.sending():

        async def done() -> bool:
            return await house.states() == {"bounced": 1, "suppressed": 1}

        await until(done)


async def test_the_same_bounce_twice_and_by_another_way_changes_nothing_more(house: House, key: bytes) -> None:
    await told(house, key, 1)
    one = await about(house)
    await came(house, "mail", HARD, one)
    before = await house.rows()
    again = await came(house, "mail", HARD, one)
    assert (again["id"], again["did"]) == (1, "bounced, suppressed")
    other = await came(house, "mail", b"Received: from elsewhere\r\n" + HARD, one)
    assert (other["id"] > 1, other["did"]) == (True, "nothing: it was known")
    hook = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "Email": "o1@city.example",
        "Metadata": {"clarion": f"{one.thread_id.hex}.1"},
    }
    by_hook = await came(house, "postmark", json.dumps(hook).encode())
    assert by_hook["did"] == "nothing: it was known"
    assert await house.rows() == before
    assert len(await suppressed(house)) == len(await house.delivered()) == len(await acts(house)) == 1


@pytest.mark.parametrize(
    ("content", "kind", "state"),
    [
        (dsn(recipient_fields(status="4.2.2")), "soft", "bounced"),
        (dsn(recipient_fields(status="5.7.1")), "blocked", "bounced"),
        (dsn(recipient_fields(action="delayed", status="4.4.1")), "delayed", "sent"),
        (dsn(recipient_fields(action="relayed", status="2.1.9")), "delivered", "sent"),
        (dsn(recipient_fields(action="expanded", status="2.0.0")), "delivered", "sent"),
        (plain("I am away.", Auto_Submitted="auto-replied"), "auto-reply", "sent"),
        (plain("Please call me instead."), "unclear", "sent"),
        (arf("not-spam"), "not-spam", "sent"),
        (arf("virus"), "unclear", "sent"),
        (b"\x00\xff not a mail", "unclear", "sent"),
        (dsn(recipient_fields(final="ada@elsewhere.example")), "soft", "bounced"),
        (
            dsn(recipient_fields(final="a@x.example"), recipient_fields("b@x.example", "delivered", "2.0.0")),
            "delivered",
            "sent",
        ),
        (dsn(recipient_fields(final="ada@x.example", Original_Recipient="rfc822;o1@city.example")), "hard", "bounced"),
    ],
)
async def test_what_is_no_dead_mailbox_suppresses_nobody(
    house: House, key: bytes, content: bytes, kind: str, state: str
) -> None:
    await told(house, key, 1)
    found = await came(house, "mail", content, await about(house))
    assert (found["kind"], await house.states()) == (kind, {state: 1})
    assert (await suppressed(house) == []) == (kind != "hard")
    assert (found["content"] is not None) == (kind == "unclear")


async def told_often(house: House, key: bytes, mails: int) -> list[About]:
    """A mayor was sent so many mails."""
    mayor = official(1, mailbox=mailbox("o1@city.example", key))
    await house.know(mayor)
    for number in range(mails):
        await house.ask(batch([1], matter=f"campaign:s{number}", recipients=[recipient(1, mailbox=mayor.mailbox)]))
    await house.pretend("claimed", "sending", "sent")
    return [About(row["thread_id"], 1) for row in await house.rows("SELECT thread_id FROM ledger")]


async def test_a_mailbox_that_takes_nothing_five_times_on_five_days_is_left_alone(house: House, key: bytes) -> None:
    now = system_clock()
    for number, one in enumerate(await told_often(house, key, 5)):
        assert await suppressed(house) == []
        for content in (FULL, b"X-Way: other\r\n" + FULL):
            await came(house, "mail", content, one, now - timedelta(days=30 - 5 * number))
    assert await suppressed(house) == [("hard-bounce", "it took none of 5 mails on 5 days")]


async def test_five_times_on_one_day_or_long_ago_are_not_five_days(house: House, key: bytes) -> None:
    noon = system_clock().replace(hour=12)
    for number, one in enumerate(await told_often(house, key, 9)):
        at = noon - timedelta(days=60 - number) if number < 4 else noon
        await came(house, "mail", FULL, one, at)
    assert await suppressed(house) == []


async def test_who_complains_leaves_the_subscription_and_gets_nothing_more_and_staff_can_read_it(
    house: House, key: bytes
) -> None:
    await told(house, key, 1)
    one = await about(house)
    await house.ask(
        batch([1], matter="campaign:c9", recipients=[recipient(1, mailbox=mailbox("o1@city.example", key))])
    )
    found = await came(house, "mail", arf("abuse"), one)
    assert (found["kind"], found["did"]) == ("complaint", "left calls, suppressed")
    assert [kind for kind, _ in await suppressed(house)] == ["complaint"]
    assert [row["subscription"] for row in await house.rows("SELECT subscription FROM unsubscribed")] == ["calls"]
    assert await acts(house) == [("subscription.left", "calls"), ("mailbox.suppressed", "complaint")]
    assert await house.states() == {"sent": 1, "unneeded": 1}


async def test_a_complaint_to_the_bounce_address_itself_counts_if_it_quotes_an_envelope_sender_of_ours(
    house: House, key: bytes
) -> None:
    await told(house, key, 1)
    one = await about(house)
    sender = PATH.of(one.thread_id, one.revision)
    forged = await came(house, "mail", arf("abuse", sender=sender.replace(one.thread_id.hex, "0" * 32)))
    assert (forged["kind"], forged["said"]) == ("unclear", "complaint: it names no mail of ours")
    without = await came(house, "mail", arf("abuse", returned=f"Clarion-Thread: {one.thread_id.hex}\r\n\r\nx\r\n"))
    assert without["kind"] == "unclear"
    assert await suppressed(house) == []
    returned = f"Return-Path: <{sender}>\r\nSubject: A call\r\n\r\nText.\r\n"
    assert (await came(house, "mail", arf("abuse", returned=returned)))["did"] == "left calls, suppressed"


async def test_who_opts_out_leaves_the_subscription_alone(house: House, key: bytes) -> None:
    await told(house, key, 1)
    assert (await came(house, "mail", arf("opt-out"), await about(house)))["did"] == "left calls"
    assert await suppressed(house) == []


async def test_a_report_of_a_mail_that_never_went_out_changes_nothing(house: House, key: bytes) -> None:
    await told(house, key, 1)
    await house.execute("DROP TRIGGER moves ON ledger")
    await house.execute("UPDATE ledger SET state = 'superseded'")
    found = await came(house, "mail", HARD, await about(house))
    assert found["did"] == "nothing: that mail never went out"
    assert (await suppressed(house), await house.states()) == ([], {"superseded": 1})


async def test_a_report_of_a_mail_of_which_nothing_is_kept_any_more_changes_nothing(house: House, key: bytes) -> None:
    await told(house, key, 1)
    one = await about(house)
    await house.execute("DELETE FROM ledger")
    await house.execute("DELETE FROM threads")
    for content in (HARD, arf("abuse")):
        assert "was erased since" in (await came(house, "mail", content, one))["did"]
    words = await came(house, "mail", plain("Please call me instead."), one)
    assert (words["kind"], words["content"]) == ("other", None)
    assert (await suppressed(house), await acts(house)) == ([], [])


async def test_a_bounce_of_an_older_address_leaves_the_new_one_alone(house: House, key: bytes) -> None:
    await told(house, key, 1)
    one = await about(house)
    newer = mailbox("ada@newer.example", key)
    await house.know(official(1, revision=2, email="ada@newer.example", mailbox=newer))
    assert (await came(house, "mail", HARD, one))["did"] == "bounced, suppressed"
    (row,) = await house.rows("SELECT mailbox FROM suppressions")
    assert row["mailbox"] == mailbox("o1@city.example", key) != newer


async def test_a_report_that_is_faster_than_the_outcome_of_its_mail_is_looked_at_again(
    house: House, key: bytes
) -> None:
    mayor = official(1, mailbox=mailbox("o1@city.example", key))
    await house.know(mayor)
    await house.ask(batch([1], recipients=[recipient(1, mailbox=mayor.mailbox)]))
    for content in (arf("abuse"), HARD):
        found = await came(house, "mail", content, await about(house))
        assert (found["kind"], found["tries"], found["due_at"] > system_clock()) == (None, 1, True)
    await house.pretend("claimed", "sending", "sent")
    await house.execute("UPDATE returns SET due_at = now()")
    while await handled(house):
        pass
    rows = await house.rows("SELECT did FROM returns ORDER BY id")
    assert sorted(row["did"] for row in rows) == ["bounced", "left calls, suppressed"]


async def test_a_mail_in_doubt_that_comes_back_is_in_doubt_no_more_and_can_be_sent_again(
    house: House, key: bytes
) -> None:
    await told(house, key, 1)
    await house.execute("DROP TRIGGER moves ON ledger")
    await house.execute("UPDATE ledger SET state = 'unknown', doubts = 2")
    await came(house, "mail", FULL, await about(house))
    (row,) = await house.rows()
    assert (row["state"], row["doubts"]) == ("bounced", 0)
    async with house.database.transaction() as tx:
        now = system_clock()
        assert await count_owed(tx.connection, Resend("campaign:c1"), now) == {"bounced": 1}
        assert await send_again(tx, Resend("campaign:c1"), "asked again", now) == {"bounced": 1}
    assert await house.states() == {"queued": 1}


@pytest.mark.parametrize(("template", "lane"), [("registration", "registration"), ("sign-in", "sign-in")])
async def test_mail_to_an_address_that_is_no_officials_bounces_too(
    house: House, key: bytes, template: str, lane: str
) -> None:
    bo = mailbox("bo@home.example", key)
    person = {"mailbox": bo, "address": "bo@home.example", "name": "Bo"}
    await house.ask(batch([], matter=f"{lane}:1", template=template, lane=lane, subscription=None, recipients=[person]))
    await house.pretend("claimed", "sending", "sent")
    row = (await house.rows("SELECT thread_id FROM ledger"))[0]
    content = dsn(recipient_fields(final="BO@home.example"))
    assert (await came(house, "mail", content, About(row["thread_id"], 1)))["did"] == "bounced, suppressed"
    found = await came(house, "mail", arf("abuse"), About(row["thread_id"], 1))
    assert found["did"] == "nothing: it was known"


async def test_what_came_back_is_told_to_whom_it_is_of_and_forgotten_with_them(house: House, key: bytes) -> None:
    await told(house, key, 1)
    one = await about(house)
    await came(house, "mail", plain("Please call\0 me instead."), one)
    who = Person("o1@city.example", mailbox("o1@city.example", key), officials=("o1",))
    async with house.database.transaction() as tx:
        assert "it is no report and no automatic reply" in str(await export(tx.connection, who))
        await erase(tx, who, system_clock())
    theirs = "content IS NOT NULL OR mailbox IS NOT NULL OR thread_id IS NOT NULL"
    assert await house.rows(f"SELECT FROM returns WHERE {theirs}") == []
    assert "was erased since" in (await came(house, "mail", HARD, one))["did"]
    assert [kind for kind, _ in await suppressed(house)] == ["erased"]
