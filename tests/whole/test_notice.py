"""A notice walks through all services, in this process, on the run's servers."""

import json
from collections.abc import AsyncIterator

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.schemas.cloudevents import EventAttributes
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.installation import SOURCE, Installation, installed


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher) as here:
        yield here


async def told_once(here: Installation, until: Until) -> None:
    """Everyone whose voice counts has one mail, and nobody else has any."""

    await until(here.told_everyone, 60)
    mails = here.catcher.store.list(limit=10_000)
    assert sorted(address for mail in mails for address in mail.recipients) == sorted(here.addresses)


async def test_the_same_notice_told_five_times_is_one_campaign_and_one_mail_each(
    installation: Installation, until: Until
) -> None:
    here, notice = installation, sample_notice(system_clock())
    event = {"type": "hearing.scheduled", "data": notice}
    await here.post(event | {"id": "first"})
    await here.post(event | {"id": "first"})
    await here.post(event)
    await here.send_event("first", notice)
    await here.send_event("by Kafka", notice)

    async def all_heard() -> bool:
        return sorted(await here.outcomes()) == ["alerted", "unchanged", "unchanged"]

    await until(all_heard, 30)
    await told_once(here, until)
    assert len(await here.rows("SELECT id FROM campaigns.campaigns")) == 1


async def test_a_good_record_behind_bad_ones_is_mail_within_seconds(installation: Installation, until: Until) -> None:
    here, notice = installation, sample_notice(system_clock())
    headers = [
        (name, value.encode())
        for name, value in EventAttributes(id="x", source=SOURCE, type="hearing.scheduled").to_headers().items()
    ]
    good = json.dumps(notice)
    await here.send(b"not JSON", headers)
    await here.send(b'{"hearing_id": 7}', headers)
    await here.send(good.replace("Housing", "Hous\\u0000ing").encode(), headers)
    await here.send(good.replace("Housing", "Hous\\ud800ing").encode(), headers)
    await here.send(good.encode(), [("ce_id", None), ("ce_type", b"\xff\xfe")])
    await here.send(good.encode(), [])
    await here.send_event("good", notice)
    await told_once(here, until)
    letters = await here.rows("SELECT reason FROM legislation.dead_letters WHERE state = 'open'")
    assert len(letters) == 6
    assert all(letter["reason"] for letter in letters)


async def test_the_site_says_how_its_services_are(installation: Installation) -> None:
    healthy = await installation.site.get("/readyz")
    assert (healthy.status_code, healthy.json()["status"]) == (200, "ok"), healthy.text
    page = await installation.site.get("/")
    assert all(name in page.text for name in ("legislation", "directory", "campaigns", "notifications"))
