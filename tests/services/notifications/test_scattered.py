"""Threads of a matter are neighbours by their ids; those from before that was so keep theirs, and all find them."""

import hashlib
from typing import Any
from uuid import UUID

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.people import Person
from clarion.schemas.messages import Pause
from clarion.services.notifications.domain.messages import matter_key, thread_of
from clarion.services.notifications.pauses import count_by_wave, follow_pauses, pause
from clarion.services.notifications.people import erase
from clarion.services.notifications.reports import Filter, list_messages
from clarion.services.notifications.resending import Resend, count_owed
from clarion.services.notifications.threads import thread_id_of
from tests.services.notifications.conftest import House, batch, mailbox_of, official
from tests.services.notifications.test_amendments import LATER
from tests.services.notifications.test_purging import LONG_AGO, aged, matters, purge
from tests.services.notifications.test_revisions import at, ending, outcomes, send_all, subjects, withdraw

MATTER = "campaign:c1"
SCATTER = """
WITH scattered AS (
    UPDATE threads
    SET id = encode(substr(sha256(convert_to(matter || E'\\n' || mailbox, 'UTF8')), 1, 16), 'hex')::uuid,
        scattered = true
    RETURNING id, matter, mailbox
)
UPDATE ledger SET thread_id = s.id FROM scattered AS s WHERE ledger.matter = s.matter AND ledger.mailbox = s.mailbox
"""
"""As if all had been asked for before ids began with their matter."""


def id_before(number: int) -> UUID:
    return UUID(hashlib.sha256(f"{MATTER}\n{mailbox_of(number)}".encode()).hexdigest()[:32])


async def ids(house: House) -> set[UUID]:
    return {row["id"] for row in await house.rows("SELECT id FROM threads")}


async def both_kinds(house: House, **changes: Any) -> None:
    """A thread from before and one of now, of one matter, and one of another that begins with its digits."""
    await house.know(official(1), official(2), official(3))
    await house.ask(batch([1], **changes))
    await house.execute(SCATTER)
    await house.ask(batch([2], **changes), batch([3], matter="campaign:c2", **changes))
    beside = f"{matter_key(MATTER)}{'7' * 20}"
    await house.execute("UPDATE threads SET id = $1 WHERE matter = 'campaign:c2'", beside)
    await house.execute("UPDATE ledger SET thread_id = $1 WHERE matter = 'campaign:c2'", beside)
    assert await ids(house) == {id_before(1), thread_of(MATTER, mailbox_of(2)), UUID(beside)}


@pytest.mark.parametrize("matter", ["campaign:c1", "registration:Ädä@city.example", "", "x" * 5_000, "\u2028\n'"])
async def test_a_matter_is_a_range_of_ids(house: House, matter: str) -> None:
    ((first, last),) = await house.rows("SELECT first_thread($1), last_thread($1)", matter)
    assert (first.hex, last.hex) == (matter_key(matter) + "0" * 20, matter_key(matter) + "f" * 20)
    assert all(first <= thread_of(matter, mailbox_of(number)) <= last for number in range(50))


async def test_who_was_told_before_is_told_the_change_in_the_thread_that_they_know(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    await house.execute(SCATTER)
    await send_all(house, until)
    await house.ask(at(1))
    await house.ask(at(2, LATER))
    await send_all(house, until)
    await withdraw(house, ending(3))
    await send_all(house, until)
    assert await outcomes(house) == [(1, "sent", 0), (2, "sent", 1), (3, "sent", 2)]
    assert [subject.partition(":")[0] for subject in subjects(mail_catcher)][1:] == ["Moved", "No longer concerns you"]
    assert {mail.thread for mail in mail_catcher.store.list()} == {id_before(1).hex}
    contents = [mail_catcher.store.get(mail.id).content for mail in mail_catcher.store.list()]
    assert sum(f"References: <{id_before(1).hex}.1@".encode() in content for content in contents) == 2


async def test_a_thread_is_the_one_that_is_there_or_to_be(house: House) -> None:
    await both_kinds(house)
    async with house.database.connection() as connection:
        assert await thread_id_of(connection, MATTER, mailbox_of(1)) == id_before(1)
        assert await thread_id_of(connection, "campaign:c9", mailbox_of(1)) == thread_of("campaign:c9", mailbox_of(1))


async def test_what_looks_at_a_matter_finds_both_kinds_and_no_other_matter(house: House) -> None:
    await both_kinds(house)
    async with house.database.connection() as connection:
        assert await count_by_wave(connection, MATTER) == {"": {"queued": 2}}
        fitting = {one: Filter(matter=MATTER, mailboxes=one) for one in (None, (mailbox_of(1),), (mailbox_of(2),))}
        found = {one: await list_messages(connection, wanted, 9) for one, wanted in fitting.items()}
    assert [len(rows) for rows in found.values()] == [2, 1, 1]
    await house.execute("ALTER TABLE ledger DISABLE TRIGGER moves")
    await house.execute("UPDATE ledger SET state = 'failed'")
    async with house.database.connection() as connection:
        assert await count_owed(connection, Resend(MATTER), system_clock()) == {"failed": 2}


async def test_a_pause_is_followed_by_both_kinds_and_no_other_matter(house: House) -> None:
    await both_kinds(house)
    async with house.database.transaction() as tx:
        await pause(tx, [Pause(matter=MATTER, wave=None, revision=1, paused=True)], system_clock())
    await follow_pauses(house.database, system_clock, 1)
    aside = await house.rows("SELECT mailbox FROM ledger WHERE due_at = 'infinity'")
    assert {row["mailbox"] for row in aside} == {mailbox_of(1), mailbox_of(2)}


async def test_both_kinds_of_a_matter_that_is_over_go_and_its_contents_with_the_last(house: House) -> None:
    await both_kinds(house, not_after=None)
    await aged(house, MATTER, LONG_AGO)
    await house.execute("UPDATE ledger SET state_at = now() WHERE mailbox = $1", mailbox_of(1))
    assert await purge(house) == 2
    assert await matters(house, "contents") == {MATTER, "campaign:c2"}
    await house.execute("UPDATE ledger SET state_at = now() - interval '401 days' WHERE matter = $1", MATTER)
    assert await purge(house) == 3
    for table in ("ledger", "threads", "contents"):
        assert await matters(house, table) == {"campaign:c2"}


async def test_who_is_erased_leaves_a_thread_among_those_of_the_matter(house: House) -> None:
    await both_kinds(house)
    who = Person("o1@city.example", mailbox_of(1), ("o1",), ("Ada Nr1",))
    async with house.database.transaction() as tx:
        await erase(tx, who, system_clock())
    assert id_before(1) not in await ids(house)
    assert await house.rows("SELECT FROM threads WHERE scattered") == []
    async with house.database.connection() as connection:
        assert await count_by_wave(connection, MATTER) == {"": {"queued": 1, "suppressed": 1}}
    assert await house.rows("SELECT FROM contents WHERE template = 'erased'") == []
