"""Whose ask for a letter expired unsent gets the later ask as a mail of its own; who was reached gets none."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clarion.runtime.clock import system_clock
from clarion.services.notifications import operations
from tests.services.notifications.conftest import House, batch, recipient
from tests.services.notifications.test_sending import in_states

PHONE = [{"kind": "phone", "bill": "SB 79"}]


async def test_the_call_that_still_helps_is_a_first_mail_for_who_was_never_told(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call([1], not_after=datetime.now(UTC) - timedelta(seconds=1))
    async with house.database.transaction() as tx:
        assert await operations.expire(tx, system_clock(), 1_000) == 1
    [end] = await house.delivered()
    assert (end["state"], end["revision"]) == ("expired", 1)
    again = batch([1], revision=2, recipients=[recipient(1, asks=PHONE)])
    await house.ask(again)
    await house.ask(again)
    async with house.sending():
        await until(lambda: in_states(house, expired=1, sent=1))
    [mail] = mail_catcher.store.list()
    assert mail.revision == 2
    assert b"In-Reply-To" not in mail_catcher.store.get(mail.id).content


async def test_who_was_told_before_is_not_written_to_again_for_that_alone(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call([1])
    async with house.sending():
        await until(lambda: in_states(house, sent=1))
        await house.ask(batch([1], revision=2, recipients=[recipient(1, asks=PHONE)]))
        await until(lambda: in_states(house, sent=1, unneeded=1))
    assert mail_catcher.store.count() == 1
