"""From a request to the relay's answer, on the real database and a real SMTP server."""

from typing import Any

from tests.services.notifications.conftest import House, batch, official


async def test_every_requested_mail_is_sent_once_and_told(house: House, mail_catcher: Any, until: Any) -> None:
    await house.call(range(30))
    async with house.sending():
        await until(lambda: mail_catcher.store.count() == 30)
    assert await house.states() == {"sent": 30}
    told = await house.delivered()
    assert {one["state"] for one in told} == {"sent"}
    assert len({one["mailbox"] for one in told}) == 30
