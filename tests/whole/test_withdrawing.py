"""A position is withdrawn while its calls are on their way, through the fan-out, the ledger and the sender."""

import asyncio
import time
from collections import defaultdict
from pathlib import Path

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher, MailStore
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.services.campaigns.positions.operations import Adoption, withdraw
from clarion.services.campaigns.positions.repository import Place
from clarion.services.sample import adopt_sample_position, sample_notice, sample_position
from tests.conftest import Until
from tests.whole.installation import installed
from tests.whole.test_kills import publish
from tests.whole.world import FINAL, World, world

ACTOR = Actor("system", "tests", "tests", "here")
ENDED = "No longer concerns you"
SLOW_SECONDS = 0.02
BEGUN = 10
RECIPIENTS = 200
OPEN = f"""
SELECT (SELECT count(*) FROM notifications.ledger WHERE state NOT IN {FINAL})
     + (SELECT count(*) FROM campaigns.fanout_jobs WHERE done_at IS NULL)
     + (SELECT count(*) FROM campaigns.threads AS t
        WHERE NOT EXISTS (
            SELECT FROM notifications.ledger AS l
            WHERE l.mailbox = t.mailbox AND (l.revision >= t.revision OR NOT t.standing)))
     + (SELECT count(*) FROM notifications.ledger AS l JOIN campaigns.threads AS t USING (mailbox)
        WHERE l.state = 'sent' AND NOT t.standing AND l.revision < t.revision
          AND NOT EXISTS (
              SELECT FROM notifications.ledger AS n WHERE n.mailbox = l.mailbox AND n.revision > l.revision)) AS left
"""
"""What is still to be done until everyone knows the last state."""


def slow(_address: str, _content: bytes | None) -> None:
    """A relay that takes its time."""
    time.sleep(SLOW_SECONDS)


async def withdraw_sample(settings: Settings, reason: str = "Amended as cities asked") -> Adoption:
    async with open_database(settings, "campaigns") as database, database.transaction() as tx:
        return await withdraw(tx, ACTOR, Place.of(sample_position(system_clock())), reason, system_clock)


def subjects(store: MailStore) -> dict[str, list[str]]:
    """What came to each address, in order."""
    found = defaultdict(list)
    for mail in sorted(store.list(limit=store.count() or 1), key=lambda mail: mail.id):
        for address in mail.recipients:
            found[address.casefold()].append(mail.subject)
    return dict(found)


def is_end(subject: str) -> bool:
    return subject.startswith(ENDED)


async def test_who_was_told_is_told_once_that_it_ended_nobody_else_is_and_adopting_again_asks_everyone(
    settings: Settings, mail_catcher: MailCatcher, until: Until
) -> None:
    mail_catcher.reply_to = slow
    async with installed(settings, mail_catcher) as here:

        async def settled() -> bool:
            [row] = await here.rows(OPEN)
            return row["left"] == 0

        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(lambda: mail_catcher.store.count() >= BEGUN, 40)
        done = await asyncio.gather(*(withdraw_sample(here.settings) for _ in range(2)))
        assert sorted(each.is_new for each in done) == [False, True]
        await until(settled, 60)
        told = subjects(mail_catcher.store)
        assert BEGUN <= len(told) < len(here.addresses)
        assert {tuple(map(is_end, each)) for each in told.values()} == {(False, True)}
        assert not (await withdraw_sample(here.settings, "Again")).is_new
        mail_catcher.reply_to = None
        await adopt_sample_position(here.settings)
        await until(lambda: subjects(mail_catcher.store).keys() == here.addresses, 60)
        await until(settled, 60)
        again = subjects(mail_catcher.store)
        assert {tuple(map(is_end, again[one])) for one in told} == {(False, True, False)}
        assert {tuple(map(is_end, again[one])) for one in here.addresses - told.keys()} == {(False,)}


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_withdrawal_survives_the_death_of_all_services_in_the_middle_of_it(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, RECIPIENTS) as here:
        here.catcher.reply_to = slow
        here.start_services()
        await until(here.is_ready, 40)
        await publish(here.settings, tmp_path)
        await until(lambda: here.catcher.store.count() >= BEGUN, 60)
        assert (await withdraw_sample(here.settings)).is_new
        await here.restart()
        await until(here.is_ready, 60)
        await here.restart()
        await until(here.is_ready, 60)

        async def settled() -> bool:
            return await here.value(OPEN) == 0

        await until(settled, 90)
        await check_nobody_is_left_asked(here)


async def check_nobody_is_left_asked(here: World) -> None:
    """Whoever got a call got its end, last and once; twice only what the ledger says was in doubt."""
    told = subjects(here.catcher.store)
    assert len(told) >= BEGUN
    assert {is_end(each[-1]) for each in told.values()} == {True}
    doubts = await here.value("SELECT coalesce(sum(doubts), 0) FROM notifications.ledger")
    assert sum(len(each) - 2 for each in told.values()) <= doubts
