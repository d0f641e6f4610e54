"""Staff have a message sent again: to those whom it did not reach, and to nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.services.notifications.commands import parse_id
from clarion.services.notifications.resending import Resend, count_owed, send_again
from tests.services.notifications.conftest import House, batch, mailbox_of, official
from tests.services.notifications.test_amendments import LATER
from tests.services.notifications.test_revisions import all_over, at, send_all

MATTER = "campaign:c1"
REFUSED = "554 5.6.0 not like this"


def refuse(*numbers: int) -> Any:
    return lambda address, _: REFUSED if address in {f"o{number}@city.example" for number in numbers} else None


async def again(house: House, **changes: Any) -> dict[str, int]:
    async with house.database.transaction() as tx:
        return dict(await send_again(tx, Resend(MATTER, **changes), "asked again", system_clock()))


async def owed(house: House, now: Any = None, **changes: Any) -> dict[str, int]:
    async with house.database.connection() as connection:
        return dict(await count_owed(connection, Resend(MATTER, **changes), now or system_clock()))


def message_ids(mail_catcher: Any) -> list[str]:
    return sorted(mail.message_id.partition("@")[0].lstrip("<").partition(".")[2] for mail in mail_catcher.store.list())


async def test_who_was_refused_gets_it_with_a_new_message_id_and_nobody_else_anything(
    house: House, mail_catcher: Any, until: Any
) -> None:
    mail_catcher.reply_to = refuse(1, 2)
    await house.call([1, 2, 3])
    await send_all(house, until)
    assert await owed(house) == {"failed": 2}
    mail_catcher.reply_to = refuse(2)
    assert (await again(house), await again(house)) == ({"failed": 2}, {})
    await send_all(house, until)
    assert await house.states() == {"sent": 2, "failed": 1}
    assert message_ids(mail_catcher) == ["1", "1.1"]
    assert await again(house) == {"failed": 1}
    mail_catcher.reply_to = None
    await send_all(house, until)
    assert message_ids(mail_catcher) == ["1", "1.1", "1.2"]
    assert await again(house) == {}
    (row,) = [row for row in await house.rows() if row["officials"] == ["o2"]]
    moves = [(move["state"], move["reason"]) for move in row["moves"]]
    assert ("queued", "asked again, resend 1") in moves
    assert ("queued", "asked again, resend 2") in moves
    assert [state for state, _ in moves].count("failed") == 2
    assert [one["state"] for one in await house.delivered() if one["officials"] == ["o2"]] == ["failed"] * 2 + ["sent"]
    assert parse_id(f"<{row['thread_id'].hex}.1.2@clarion.example>") == (row["thread_id"], 1)


async def test_a_later_change_refers_to_the_mail_that_was_received(house: House, mail_catcher: Any, until: Any) -> None:
    mail_catcher.reply_to = refuse(1)
    await house.know(official(1))
    await house.ask(at(1))
    await send_all(house, until)
    mail_catcher.reply_to = None
    await again(house)
    await send_all(house, until)
    await house.ask(at(2, LATER))
    await send_all(house, until)
    last = mail_catcher.store.get(max(mail.id for mail in mail_catcher.store.list())).content
    thread = (await house.rows())[0]["thread_id"].hex.encode()
    assert b"In-Reply-To: <" + thread + b".1.1@" in last


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [
        ("failed", {}, {"failed": 1}),
        ("expired", {}, {"expired": 1}),
        ("suppressed", {}, {"suppressed": 1}),
        ("unknown", {}, {}),
        ("unknown", {"in_doubt": True}, {"unknown": 1}),
        ("sent", {"in_doubt": True}, {}),
        ("unneeded", {"in_doubt": True}, {}),
        ("queued", {"in_doubt": True}, {}),
        ("failed", {"wave": "south"}, {}),
        ("failed", {"wave": "north"}, {"failed": 1}),
    ],
)
async def test_who_is_owed_it(house: House, state: str, changes: Any, expected: dict[str, int]) -> None:
    await house.know(official(1))
    await house.ask(batch([1], wave="north"))
    await house.execute("ALTER TABLE ledger DISABLE TRIGGER moves")
    await house.execute("UPDATE ledger SET state = $1", state)
    assert await owed(house, **changes) == expected
    assert await owed(house, system_clock() + timedelta(days=30), **changes) == {}


async def test_who_left_or_is_suppressed_or_was_told_something_newer_is_not_owed_it(house: House, until: Any) -> None:
    await house.call([1, 2, 3])
    await house.execute("ALTER TABLE ledger DISABLE TRIGGER moves")
    await house.execute("UPDATE ledger SET state = 'failed'")
    await house.execute("INSERT INTO unsubscribed VALUES ($1, 'calls', now())", mailbox_of(1))
    await house.execute(
        "INSERT INTO suppressions (mailbox, reason, since) VALUES ($1, 'no such user', now())", mailbox_of(2)
    )
    await house.ask(at(2, LATER, numbers=(3,)))
    assert await owed(house) == {}


async def test_what_was_in_doubt_ends_sent_when_it_is_sent_again(house: House, mail_catcher: Any, until: Any) -> None:
    await house.call([1])
    await house.pretend("claimed", "sending", "unknown")
    await house.execute("UPDATE ledger SET doubts = 2")
    assert await again(house, in_doubt=True) == {"unknown": 1}
    async with house.sending():
        await until(lambda: all_over(house))
    assert await house.states() == {"sent": 1}
    assert message_ids(mail_catcher) == ["1.1"]
