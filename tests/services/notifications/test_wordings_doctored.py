"""The doctor says of staff's wordings whether they could be used."""

from clarion.runtime.clock import system_clock
from clarion.services.doctor.wordings import look_at_wordings
from clarion.services.notifications.repository import Ledger
from clarion.services.notifications.wordings.editions import Fallback
from tests.services.notifications.conftest import House
from tests.services.notifications.test_wording_versions import save, worded


async def said(house: House) -> list[tuple[str, str]]:
    async with house.database.connection() as connection:
        return [(one.level, one.what) async for one in look_at_wordings(connection)]


async def test_nothing_is_said_until_somebody_writes_one(house: House) -> None:
    assert await said(house) == []


async def test_it_is_said_that_a_wording_made_no_mail(house: House) -> None:
    await save(house, worded("one"))
    ((level, words),) = await said(house)
    assert (level, "could be used for all mail" in words) == ("ok", True)
    async with house.database.transaction() as tx:
        await Ledger(tx.connection).note_fallbacks([Fallback(7, "call", 1, "too long")], system_clock())
    ((level, words),) = await said(house)
    assert level == "warning"
    assert "version 1 of call made no mail 1 times, so it went out in the project's words: too long" in words
