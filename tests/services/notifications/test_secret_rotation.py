"""A new secret before the old one: links in mail that is out stay good, new mail is signed by the new one."""

import re
from email import message_from_bytes, policy

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.services.notifications import app as notifications
from clarion.services.registrations import app as registrations
from tests.conftest import Until
from tests.services.notifications.conftest import SECRET, House, batch, mailbox_of, official

OLD, NEW = SECRET, "the-second-secret-0123456789abcde"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def unsubscribe_path(catcher: MailCatcher, to: str) -> str:
    """Where the newest mail to an address says that it can be left."""
    [newest, *_] = catcher.store.list(to=to)
    found = catcher.store.get(newest.id)
    assert found is not None
    mail = message_from_bytes(found.content, policy=policy.default)
    [path] = re.findall(r"https?://clarion\.example(/u/[^>]+)>", str(mail["List-Unsubscribe"]))
    return str(path)


async def told(house: House, number: int, until: Until) -> None:
    """One mayor is called, and the mail is out."""
    await house.know(official(number))
    await house.ask(batch([number]))

    async def sent() -> bool:
        return (await house.states()).get("queued", 0) == 0 and bool(await house.states())

    async with house.sending():
        await until(sent)


async def post(settings: Settings, path: str) -> httpx.Response:
    """What the notifications of an installation with these settings answer to one click."""
    service = await notifications.build(settings)
    site = FastAPI()
    pages.install(site)
    problems.install(site)
    assert service.router is not None
    site.include_router(service.router)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://clarion.example") as client:
            return await client.post(path, data=ONE_CLICK)
    finally:
        await service.close()


async def left(house: House) -> set[str]:
    return {row["mailbox"] for row in await house.rows("SELECT mailbox FROM unsubscribed")}


async def test_links_of_the_old_secret_are_good_until_it_is_taken_away(
    house: House, mail_catcher: MailCatcher, settings: Settings, until: Until
) -> None:
    def with_keys(*keys: str) -> Settings:
        return settings.model_copy(update={"secret_key": keys, "smtp_url": mail_catcher.url})

    await told(house, 1, until)
    old_path = unsubscribe_path(mail_catcher, "o1@city.example")
    assert (await post(with_keys(NEW, OLD), old_path)).status_code == 200
    assert await left(house) == {mailbox_of(1)}

    assert (await post(with_keys(NEW), old_path)).status_code == 404
    fresh = SignedLinks([NEW, OLD]).sign("unsubscribe", [mailbox_of(2), "calls"])
    assert SignedLinks([NEW]).read("unsubscribe", fresh) == [mailbox_of(2), "calls"]
    with pytest.raises(BadLink):
        SignedLinks([OLD]).read("unsubscribe", fresh)
    assert (await post(with_keys(NEW), f"/u/{fresh}")).status_code == 200
    assert await left(house) == {mailbox_of(1), mailbox_of(2)}


async def test_another_secret_leaves_every_mailbox_as_it_is(
    house: House, settings: Settings, mail_catcher: MailCatcher
) -> None:
    """The key that turns addresses into mailboxes is apart, in the database: nobody becomes a stranger."""
    keys = []
    for secret in (OLD, NEW):
        changed = settings.model_copy(update={"secret_key": (secret,), "smtp_url": mail_catcher.url})
        service = await registrations.build(changed)
        async with service.database.connection() as connection:
            keys.append(await connection.fetchval("SELECT clarion.mailbox('ada@city.example')"))
        await service.close()
    assert keys[0] == keys[1]
