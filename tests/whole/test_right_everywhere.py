"""Who leaves, changes address or is new while a campaign's mail waits: all services follow, and what is queued too."""

import re
import time
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.web.links import SignedLinks
from clarion.services.campaigns.pausing import pause, resume
from clarion.services.directory.operations import import_kind
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.staff import form_token_in
from tests.whole.installation import Installation, installed

WITHIN_SECONDS = 10.0
BARRIER_SECONDS = 0.02


def slow(_address: str, _content: bytes | None) -> None:
    """A relay that takes its time, so that there is a queue."""
    time.sleep(BARRIER_SECONDS)


@pytest.fixture
async def waiting(settings: Settings, mail_catcher: MailCatcher, until: Until) -> AsyncIterator[Installation]:
    """A campaign with mail sent and mail queued, and paused."""
    mail_catcher.reply_to = slow
    async with installed(settings, mail_catcher, 200, statewide=True) as here:
        await pairs(here)
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(lambda: mail_catcher.store.count() >= 5, 40)
        await turn(here, pause)
        await until(lambda: stands_still(here), 30)
        yield here


async def pairs(here: Installation) -> None:
    """Some addresses that two people read."""
    cities = await here.rows("SELECT id FROM directory.entities WHERE kind = 'city' ORDER BY id LIMIT 5")
    lines = ["id,name,city,roles,email"]
    for place, row in enumerate(cities):
        lines += [
            f"pair-{place}-{who},{who} Pair{place},{row['id']},council member,pair{place}@shared.example"
            for who in ("Ann", "Bea")
        ]
    file = here.settings.data_dir / "pairs.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines))
    async with open_database(here.settings, "directory") as database:
        await import_kind(database, "officials", [file], clock=system_clock)


async def turn(here: Installation, how: Any) -> None:
    """Pause the campaign, or have it go on."""
    (campaign,) = await here.rows("SELECT id FROM campaigns.campaigns")
    async with open_database(here.settings, "campaigns") as database, database.transaction() as tx:
        await how(tx, campaign["id"], None, system_clock())


async def stands_still(here: Installation) -> bool:
    paused = await here.rows("SELECT 1 FROM notifications.pauses WHERE paused")
    moving = await here.rows("SELECT 1 FROM notifications.messages WHERE state IN ('claimed', 'sending')")
    return bool(paused) and not moving


async def queued(here: Installation, people: int) -> list[dict[str, Any]]:
    """The mailboxes whose call is queued, for so many people each."""
    rows = await here.rows(
        "SELECT l.mailbox, l.officials, o.email FROM notifications.messages AS l"
        " JOIN notifications.officials AS o ON o.id = l.officials[1]"
        f" WHERE l.state = 'queued' AND cardinality(l.officials) = {people} ORDER BY l.mailbox"
    )
    return [dict(row) for row in rows]


async def say(here: Installation, mailbox: str, official: str, wish: str, value: str = "") -> None:
    """By the link of a mail to this mailbox."""
    link = f"/me/{SignedLinks(here.settings.secret_key).sign('person', {'mailbox': mailbox})}"
    page = (await here.site.get(link)).text
    data = {"official": official, "wish": wish, "value": value, "form_token": form_token_in(page)}
    answer = await here.site.post(link, data=data)
    assert answer.status_code == 303, answer.text


def mails_to(here: Installation, address: str) -> list[Any]:
    found = [mail for mail in here.catcher.store.list(limit=10_000) if address in mail.recipients]
    stored = [here.catcher.store.get(mail.id) for mail in found]
    return [message_from_bytes(mail.content, policy=default) for mail in stored if mail and mail.content]


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


async def follows(here: Installation, until: Until, official: str, what: str) -> None:
    """Wait until campaigns and notifications know it, which takes less than a second where nothing else is to do."""

    async def everywhere() -> bool:
        rows = await here.rows(
            f"SELECT 1 FROM campaigns.officials WHERE id = '{official}' AND {what}"
            f" UNION ALL SELECT 1 FROM notifications.officials WHERE id = '{official}' AND {what}"
        )
        return len(rows) == 2

    await until(everywhere, WITHIN_SECONDS)


async def confirm_address(here: Installation, until: Until, address: str) -> None:
    """By the link in the mail that went to the new address."""
    await until(lambda: bool(mails_to(here, address)), WITHIN_SECONDS)
    found = re.search(r"https?://\S+/me/address/\S+", text_of(mails_to(here, address)[0]))
    assert found
    path = urlsplit(found[0]).path
    page = (await here.site.get(path)).text
    assert (await here.site.post(path, data={"form_token": form_token_in(page)})).status_code == 303


async def newcomer(here: Installation, folder: Path, like: str) -> str:
    """Somebody new beside an official, willing to testify; their address."""
    (row,) = await here.rows(f"SELECT city FROM notifications.officials WHERE id = '{like}'")
    file = folder / "new.csv"
    file.write_text(
        f"id,name,city,roles,email,testifies\nnew-1,Nova New,{row['city']},council member,nova@new.example,yes\n"
    )
    async with open_database(here.settings, "directory") as database:
        await import_kind(database, "officials", [file], clock=system_clock)
    return "nova@new.example"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_whoever_leaves_moves_or_is_new_is_right_in_what_is_queued_already(
    waiting: Installation, until: Until, tmp_path: Path
) -> None:
    here = waiting
    leaves, moves = (await queued(here, 1))[:2]
    shared = (await queued(here, 2))[0]

    await say(here, leaves["mailbox"], leaves["officials"][0], "left")
    await follows(here, until, leaves["officials"][0], "NOT active")
    gone, *stay = shared["officials"]
    await say(here, shared["mailbox"], gone, "left")
    await follows(here, until, gone, "NOT active")
    new_address = f"moved.{moves['email']}"
    await say(here, moves["mailbox"], moves["officials"][0], "address", new_address)
    await confirm_address(here, until, new_address)
    await follows(here, until, moves["officials"][0], f"mailbox <> '{moves['mailbox']}'")
    newest = await newcomer(here, tmp_path, moves["officials"][0])
    await follows(here, until, "new-1", "active")

    here.catcher.reply_to = None
    await turn(here, resume)

    def called(address: str) -> list[Any]:
        return [mail for mail in mails_to(here, address) if mail["List-Unsubscribe"]]

    await until(lambda: called(new_address) and called(newest) and called(shared["email"]), 60)

    async def quiet() -> bool:
        return not await here.rows(
            "SELECT 1 FROM notifications.messages WHERE state IN ('queued', 'claimed', 'sending', 'deferred')"
        )

    await until(quiet, 60)
    assert called(leaves["email"]) == []
    assert called(moves["email"]) == []
    assert len(called(new_address)) == len(called(newest)) == len(called(shared["email"])) == 1
    names = {row["id"]: row["name"] for row in await here.rows("SELECT id, name FROM notifications.officials")}
    mail = text_of(called(shared["email"])[0])
    assert names[gone] not in mail
    assert all(names[one] in mail for one in stay)


async def test_the_page_behind_a_mails_link_leads_to_the_people_of_its_mailbox(
    settings: Settings, mail_catcher: MailCatcher, until: Until
) -> None:
    async with installed(settings, mail_catcher, 60, statewide=True) as here:
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(lambda: mail_catcher.store.count() >= 1, 40)
        mail = here.catcher.store.list(limit=1)[0]
        (message,) = mails_to(here, mail.recipients[0])[:1]
        preferences = urlsplit(message["List-Unsubscribe"].strip("<>")).path
        link = re.search(r'href="(/me/[^"]+)"', (await here.site.get(preferences)).text)
        assert link
        (row,) = await here.rows(
            f"SELECT name FROM notifications.officials WHERE email = '{mail.recipients[0]}' LIMIT 1"
        )
        page = await here.site.get(link[1])
        assert page.status_code == 200
        assert row["name"] in page.text
