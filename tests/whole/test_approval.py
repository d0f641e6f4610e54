"""A hearing that may not launch by itself: managers are mailed, divisions let go one by one, one of them stopped."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.web.keys import create_key
from clarion.services.campaigns.positions.operations import adopt_position
from clarion.services.sample import sample_notice, sample_position
from tests.conftest import Until
from tests.whole.installation import Installation, installed


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher) as here:
        yield here


async def prepared(here: Installation) -> dict[str, str]:
    """The sample position waits for approval; gives the headers of a key that may approve."""
    position = replace(sample_position(system_clock()), launch="approval")
    async with open_database(here.settings, "campaigns") as database, database.transaction() as tx:
        await adopt_position(tx, position, system_clock)
        _, key = await create_key(tx.connection, "approver", ["approvals"])
    return {"Authorization": f"Bearer {key}"}


def mails(here: Installation, subject: str) -> Counter[str]:
    """How many mails with this in their subject each address got."""
    found = here.catcher.store.list(limit=10_000)
    return Counter(address for mail in found if subject in mail.subject for address in mail.recipients)


async def test_calls_go_out_division_by_division_and_end_with_the_reason(
    installation: Installation, until: Until
) -> None:
    here = installation
    headers = await prepared(here)
    await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})

    async def waiting() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await here.site.get("/api/v1/waves/waiting", headers=headers)).json()
        return found

    managed = {row["id"]: row["manager_email"] for row in await here.rows("SELECT * FROM campaigns.divisions")}

    async def managers_told() -> bool:
        waves = await waiting()
        whose = {managed[wave["division"]] for wave in waves if wave["division"]}
        return bool(waves) and set(mails(here, "waiting for you")) == whose

    await until(managers_told, 60)
    assert set(mails(here, "waiting for you").values()) == {1}
    assert not mails(here, "SB 79").keys() & here.addresses

    waves = await waiting()
    for wave in waves:
        path = f"/api/v1/campaigns/{wave['campaign']}/divisions/{wave['division'] or '-'}"
        answer = await here.site.post(f"{path}/approve", headers=headers, json={"look": wave["look"]})
        assert answer.status_code == 200, answer.text

    async def everyone_called() -> bool:
        return mails(here, "SB 79").keys() >= here.addresses

    await until(everyone_called, 60)
    called = {address: count for address, count in mails(here, "SB 79").items() if address in here.addresses}
    assert set(called.values()) == {1}

    stopped = max(waves, key=lambda wave: int(wave["mailboxes"]))
    path = f"/api/v1/campaigns/{stopped['campaign']}/divisions/{stopped['division']}/stop"
    assert (await here.site.post(path, headers=headers, json={"reason": "A deal was made."})).status_code == 200
    before = here.catcher.store.count()

    async def ended() -> bool:
        return here.catcher.store.count() == before + int(stopped["mailboxes"])

    await until(ended, 60)
    assert set(mails(here, "waiting for you").values()) == {1}
