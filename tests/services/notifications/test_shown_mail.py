"""A mail is shown as its sender would write it, and nothing of it is good for anything."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clarion.runtime.settings import Settings
from clarion.schemas.messages import MessageBatch
from clarion.services.notifications.rendering.showing import NO_TOKEN
from clarion.services.templating.mails import RenderedMail, Unshown, read_mail, rendered
from tests.services.notifications.conftest import CONTENT, House, batch, official

NOW = datetime(2027, 4, 1, 9, 30, tzinfo=UTC)
SETTINGS = Settings(
    mail_from="Clarion <calls@clarion.example>",
    public_url="https://clarion.example",
    postal_address="1 Main Street\nAlder, CA 90000",
)


async def shown(house: House, wanted: MessageBatch) -> RenderedMail:
    return await rendered(house.database, SETTINGS, wanted, wanted.recipients[0], NOW)


def readable(mail: str) -> str:
    """A mail's words without the link that is each reader's own."""
    return " ".join("LINK" if "clarion.example/u/" in word else word for word in mail.split())


async def test_it_is_the_mail_that_the_sender_writes(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1))
    found = await shown(house, batch([1]))
    await house.ask(batch([1]))
    async with house.sending():
        await until(lambda: mail_catcher.store.count() == 1)
    sent = read_mail(mail_catcher.store.get(mail_catcher.store.list()[0].id).content)
    assert found.subject == sent.subject
    assert readable(found.text) == readable(sent.text)
    assert readable(found.html) == readable(sent.html)


async def test_its_links_leave_nothing(house: House) -> None:
    await house.know(official(1))
    found = await shown(house, batch([1]))
    assert f"https://clarion.example/u/{NO_TOKEN}" in found.html
    assert found.html.count("/u/") == found.html.count(NO_TOKEN)


async def test_nothing_is_written_down(house: House) -> None:
    await house.know(official(1))
    await shown(house, batch([1]))
    assert await house.rows("SELECT 1 FROM threads UNION ALL SELECT 1 FROM contents") == []


async def test_who_was_told_before_is_shown_what_changed(house: House) -> None:
    await house.call([1])
    await house.pretend("claimed", "sending", "sent")
    moved = "Thursday, April 22, 2027, 9:30 am PDT"
    later = batch(
        [1],
        revision=2,
        content={**CONTENT, "when": moved},
        facts=[{"key": "when", "label": "When", "text": moved}],
    )
    found = await shown(house, later)
    assert found.subject.startswith("Moved: ")
    assert f"Moved: now {moved}, was {CONTENT['when']}" in found.text


async def test_who_would_get_no_mail_is_shown_none_with_the_reason(house: House) -> None:
    await house.call([1])
    with pytest.raises(Unshown, match="with this mailbox"):
        await shown(house, batch([2]))
    await house.pretend("claimed", "sending", "sent")
    with pytest.raises(Unshown, match="nothing changed of what was told"):
        await shown(house, batch([1], revision=2))
