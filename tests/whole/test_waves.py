"""A campaign's mail is paused, resumed and watched from the command line while all services run."""

import asyncio
import json
import time
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.services import waves
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.installation import Installation, installed

SLOW_SECONDS = 0.01


def slow(_address: str, _content: bytes | None) -> None:
    """A relay that takes its time."""
    time.sleep(SLOW_SECONDS)


async def clarion(here: Installation, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("CLARION_DATABASE_URL", str(here.settings.database_url))
    return await asyncio.to_thread(CliRunner().invoke, waves.campaigns, list(words))


def total(mail: list[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in mail)


async def test_a_running_campaign_is_paused_and_resumed_and_watched_to_its_end(
    settings: Settings, mail_catcher: MailCatcher, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    mail_catcher.reply_to = slow
    async with installed(settings, mail_catcher) as here:
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(lambda: mail_catcher.store.count() >= 10, 40)
        (campaign,) = await here.rows("SELECT id FROM campaigns.campaigns")
        paused = await clarion(here, monkeypatch, "pause", campaign["id"], "--json")
        assert paused.exit_code == 0, paused.output
        mail = json.loads(paused.output)
        assert {row["state"] for row in mail} == {"paused"}
        begun = total(mail, "sent") + total(mail, "in_flight")
        assert 10 <= begun < len(here.addresses)
        await until(lambda: mail_catcher.store.count() == begun)
        shown = json.loads((await clarion(here, monkeypatch, "show", campaign["id"], "--json")).output)["mail"]
        assert (total(shown, "sent"), total(shown, "in_flight")) == (begun, 0)
        division = next(row["slug"] for row in shown if row["waiting"])
        refused = await clarion(here, monkeypatch, "resume", campaign["id"], "--division", division)
        assert (refused.exit_code, "the whole campaign is paused" in refused.output) == (1, True)
        resumed = await clarion(here, monkeypatch, "resume", campaign["id"], "--json")
        assert {row["state"] for row in json.loads(resumed.output)} == {"running"}
        watched = await clarion(here, monkeypatch, "show", campaign["id"], "--watch", "--json")
        found = json.loads(watched.output)
        assert set(found["outcomes"]) == {"sent"}
        assert total(found["mail"], "sent") == len(here.addresses) == mail_catcher.store.count()
        assert "no campaign none" in (await clarion(here, monkeypatch, "show", "none")).output


async def test_who_was_refused_is_sent_it_again_once_it_is_confirmed(
    settings: Settings, mail_catcher: MailCatcher, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    async with installed(settings, mail_catcher) as here:
        refused = set(sorted(here.addresses)[:3])
        mail_catcher.reply_to = lambda address, _: "554 5.6.0 not like this" if address in refused else None
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(lambda: mail_catcher.store.count() == len(here.addresses) - 3, 40)
        (campaign,) = await here.rows("SELECT id FROM campaigns.campaigns")
        words = ("resend", campaign["id"])
        await clarion(here, monkeypatch, "show", campaign["id"], "--watch")
        counted = await clarion(here, monkeypatch, *words, "--dry-run", "--json")
        assert json.loads(counted.output)["owed"] == {"failed": 3}
        asked = await clarion(here, monkeypatch, *words)
        assert (asked.exit_code, "3 mailboxes (3 failed)" in asked.output) == (1, True)
        mail_catcher.reply_to = None
        again = await clarion(here, monkeypatch, *words, "--yes", "--json")
        assert json.loads(again.output)["sent_again"] == 3
        await until(here.told_everyone)
        once_more = await clarion(here, monkeypatch, *words, "--yes", "--json")
        assert json.loads(once_more.output)["owed"] == {}
        assert (await clarion(here, monkeypatch, "resend", "none", "--yes")).exit_code == 1
        acts = await here.rows("SELECT subject, details ->> 'mailboxes' AS mailboxes FROM clarion.audit")
        assert ("campaign:" + campaign["id"], "3") in [tuple(act) for act in acts]


async def test_a_pause_that_nobody_hears_is_said(
    settings: Settings, mail_catcher: MailCatcher, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waves, "TAKEN_SECONDS", 0.3)
    async with installed(settings, mail_catcher) as here:
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(here.told_everyone, 60)
        (campaign,) = await here.rows("SELECT id FROM campaigns.campaigns")
    answer = await clarion(here, monkeypatch, "pause", campaign["id"])
    assert answer.exit_code == 1
    assert "the ledger has not heard of it" in answer.output
    assert "pausing" in answer.output
