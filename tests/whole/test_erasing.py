"""A person who is everywhere is handed out whole, and erased from every table and topic but where docs say so."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.staff.accounts import remove_account
from clarion.runtime.staff.audit import Actor, command_actor, record
from clarion.runtime.staff.rights import Role, Staff
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import REGISTRATIONS_REQUESTS, TOPICS
from clarion.services.directory.operations import import_kind
from clarion.services.people import operations as people
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.staff import sign_in_as
from tests.whole.installation import Installation, installed
from tests.whole.quiet import is_quiet

NAME, ADDRESS, ANSWER = "Zelda Quillfeather", "zelda.quillfeather@alameda.ca.example", "vegetarian-marzipan"
MARKS = ("quillfeather", ANSWER)
OFFICIAL = "zelda-1"
CITY = "ocd-division/country:us/state:ca/place:alameda"
SERVICES = ("directory", "campaigns", "notifications", "registrations", "legislation", "clarion")
TABLES = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY($1) ORDER BY 1, 2
"""
REMEMBERED = {("notifications", "suppressions"), ("directory", "erased")}
"""Where a keyed hash is kept on purpose, so that nobody brings the person back."""
LOGS = ("outbox", "inbox")
"""Where ids and keyed hashes stand until their time is over."""


@pytest.fixture
async def here(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher, 40, statewide=True) as installation:
        yield installation


def officials(path: Path, *lines: str) -> list[Path]:
    path.write_text("\n".join(["id,name,city,roles,email,phone,groups,testifies,elected", *lines]))
    return [path]


async def bring(settings: Settings, kind: Any, sources: list[Path]) -> Any:
    async with open_database(settings, "directory") as database:
        return await import_kind(database, kind, sources, clock=system_clock)


async def rows(settings: Settings, query: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(settings.database_url)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def tables_saying(settings: Settings, *words: str) -> dict[tuple[str, str], list[str]]:
    """Every table that says one of the words, as text or as bytes, with its rows."""
    found = {}
    sought = [form for word in words for form in (word.lower(), word.lower().encode().hex())]
    connection = await asyncpg.connect(settings.database_url)
    try:
        for schema, name in await connection.fetch(TABLES, list(SERVICES)):
            lines = [row["line"] for row in await connection.fetch(f"SELECT t::text AS line FROM {schema}.{name} AS t")]
            if said := [line for line in lines if any(word in line.lower() for word in sought)]:
                found[schema, name] = said
    finally:
        await connection.close()
    return found


async def topics_saying(settings: Settings, *words: str) -> set[str]:
    """Every topic of which a record says one of the words; of a compacted one the newest of each key counts."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap)
    await consumer.start()
    found = set()
    try:
        for topic in [one for declared in TOPICS for one in (declared, declared.dead)]:
            name = f"{settings.kafka_prefix}{topic.name}"
            newest = await records(consumer, [TopicPartition(name, number) for number in range(topic.partitions)])
            kept = dict(newest) if topic.compacted else dict(enumerate(v for _, v in newest))
            if any(word in str(value).lower() for value in kept.values() for word in words):
                found.add(topic.name)
    finally:
        await consumer.stop()
    return found


async def records(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> list[tuple[bytes | None, str]]:
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    ends = await consumer.end_offsets(partitions)
    said = []
    for partition, end in ends.items():
        while await consumer.position(partition) < end:
            came = (await consumer.getmany(partition, timeout_ms=500)).get(partition, [])
            said += [(one.key, f"{one.key} {one.value} {one.headers}") for one in came]
    return said


async def put_everywhere(here: Installation, folder: Path, until: Until) -> None:
    """A mayor who registers, manages a division, belongs to a partner, was staff, and of whom things went wrong."""
    line = f"{OFFICIAL},{NAME},{CITY},Mayor,{ADDRESS},555-0100,,yes,yes"
    await bring(here.settings, "officials", officials(folder / "officials.csv", line))
    await be_a_contact(here, folder)
    await have_gone_wrong(here)
    here.catcher.reply_to = refuse_once(ADDRESS)
    await register(here)
    await until(lambda: has_mail(here, ["deferred"]), 60)
    await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
    await until(lambda: has_mail(here, ["deferred", "sent"]), 60)
    await have_said_things(here)
    await have_been_staff(here)


async def has_mail(here: Installation, states: list[str]) -> bool:
    """The confirmation, which the relay put off, comes before the call, which it takes."""
    query = "SELECT array_agg(state ORDER BY state) = $2 FROM notifications.ledger WHERE mailbox = $1"
    [found] = await rows(here.settings, query, await box(here), states)
    return bool(found[0])


def refuse_once(address: str) -> Any:
    seen: list[str] = []

    def reply(recipient: str, _content: bytes | None) -> str | None:
        if recipient.casefold() != address or seen:
            return None
        seen.append(recipient)
        return f"451 4.2.1 <{address}> {NAME} is greylisted"

    return reply


async def box(here: Installation) -> str:
    return (await people.find(here.settings, ADDRESS)).mailbox


async def be_a_contact(here: Installation, folder: Path) -> None:
    [division] = await here.rows("SELECT id, state ->> 'name' AS name FROM directory.entities WHERE id = 'east-bay'")
    (folder / "divisions.csv").write_text(
        "slug,name,manager_name,manager_email,manager_phone\n"
        f"{division['id']},{division['name']},{NAME},{ADDRESS},555-0100\n"
    )
    await bring(here.settings, "divisions", [folder / "divisions.csv"])
    contact = json.dumps({"name": NAME, "address": ADDRESS, "phone": None})
    await rows(
        here.settings,
        "UPDATE registrations.webinars SET description = description || jsonb_build_object('contact', $1::text::jsonb)",
        contact,
    )


async def have_gone_wrong(here: Installation) -> None:
    """Dead letters of two services."""
    await here.send(json.dumps({"hearing_id": 7, "author": NAME, "email": ADDRESS}).encode(), [("ce_id", b"x")])
    await request(here, "no such event")


async def register(here: Installation) -> None:
    [event] = await here.rows("SELECT id FROM registrations.webinars")
    await request(here, event["id"])


async def request(here: Installation, event_id: str) -> None:
    attributes = EventAttributes(id=uuid.uuid4().hex, source="/tests", type="registration.requested")
    headers = [(name, value.encode()) for name, value in attributes.to_headers().items()]
    asked = {"event_id": event_id, "name": NAME, "email": ADDRESS, "answers": {"meal": ANSWER}}
    topic = f"{here.settings.kafka_prefix}{REGISTRATIONS_REQUESTS.name}"
    await here.producer.send_and_wait(topic, json.dumps(asked).encode(), key=b"k", headers=headers)


async def have_said_things(here: Installation) -> None:
    mailbox = await box(here)
    await rows(here.settings, "INSERT INTO notifications.unsubscribed VALUES ($1, 'newsletter', now())", mailbox)
    await rows(here.settings, "INSERT INTO notifications.wishes VALUES ($1, 'erasure', now())", mailbox)
    await rows(
        here.settings,
        "INSERT INTO notifications.suppressions (mailbox, kind, reason, since) VALUES ($1, 'hand', $2, now())",
        mailbox,
        f"{NAME} called",
    )
    await rows(
        here.settings,
        "INSERT INTO notifications.returns (way, digest, content, received_at, said, mailbox)"
        " VALUES ('mail', 'x', $1, now(), $2, $3), ('mail', 'y', $1, now(), NULL, NULL)",
        f"Final-Recipient: rfc822; {ADDRESS}".encode(),
        f"{ADDRESS} is over quota",
        mailbox,
    )
    await rows(
        here.settings,
        "INSERT INTO directory.uploads (id, kind, is_full, state, staff, staff_name, made_at, changed_at)"
        " VALUES ('u1', 'officials', false, 'looked', 's', 'Sam', now(), now())",
    )
    content = f"id,name,email\n1,{NAME},{ADDRESS}\n".encode()
    await rows(here.settings, "INSERT INTO directory.upload_parts VALUES ('u1', 1, 'a.csv', 1, $1)", content)


async def have_been_staff(here: Installation) -> None:
    staff = Staff("zelda", NAME, ADDRESS, Role.MANAGER, frozenset({"east-bay"}))
    await sign_in_as(here.site, here.settings, staff)
    here.site.cookies.clear()
    async with open_database(here.settings, "directory") as database, database.transaction() as tx:
        await remove_account(tx.connection, staff.id, system_clock())
        theirs = Actor("staff", staff.id, NAME, "192.0.2.7")
        await record(tx.connection, theirs, "wave.approved", "campaign:c1", at=system_clock())
        mailbox = await box(here)
        reader = Actor("person", mailbox, "", "192.0.2.8")
        await record(tx.connection, reader, "list.left", f"official:{OFFICIAL}", at=system_clock(), mailbox=mailbox)


async def erased(settings: Settings) -> people.Done:
    return await people.erase(settings, await people.find(settings, ADDRESS), command_actor())


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_who_is_erased_is_nowhere_but_where_it_is_said(here: Installation, tmp_path: Path, until: Until) -> None:
    await put_everywhere(here, tmp_path, until)
    await until(lambda: outcomes_are_known(here), 20)
    who = await people.find(here.settings, ADDRESS)
    kept = await people.export(here.settings, who)
    told = kept.model_dump_json().lower()
    for part in ("directory", "campaigns", "notifications", "registrations", "legislation", "staff"):
        assert any(getattr(kept, part).values()), part
    assert all(mark in told for mark in MARKS)
    before = await rows(here.settings, "SELECT count(*) FROM notifications.ledger")
    called = await rows(here.settings, "SELECT outcome, count(*) FROM campaigns.calls GROUP BY 1 ORDER BY 1")
    with capture_logs() as log:
        done = await erased(here.settings)
        await until(lambda: is_quiet(here.settings), 40)
    assert await tables_saying(here.settings, *MARKS) == {}
    named = await tables_saying(here.settings, who.mailbox, OFFICIAL)
    assert {place for place in named if not place[1].startswith(LOGS)} == REMEMBERED
    said_to_hold = {one.topic for one in done.held}
    assert await topics_saying(here.settings, *MARKS) <= said_to_hold - {"directory.entities.v1"}
    assert all(one.until > system_clock() for one in done.held)
    assert not [line for line in log if any(mark in str(line).lower() for mark in (*MARKS, who.mailbox))]
    assert await rows(here.settings, "SELECT count(*) FROM notifications.ledger") == before
    assert await rows(here.settings, "SELECT outcome, count(*) FROM campaigns.calls GROUP BY 1 ORDER BY 1") == called
    await is_held_back(here, tmp_path, until)


async def outcomes_are_known(here: Installation) -> bool:
    """Campaigns heard what became of each call."""
    [found] = await rows(here.settings, "SELECT bool_and(outcome IS NOT NULL) FROM campaigns.calls")
    return bool(found[0])


async def is_held_back(here: Installation, folder: Path, until: Until) -> None:
    """Imports that list them again, under the old id or another, are held, and no mail is brought back."""
    lines = [
        f"{OFFICIAL},{NAME},{CITY},Mayor,other@alameda.ca.example,,,yes,yes",
        f"zelda-2,{NAME},{CITY},Mayor,{ADDRESS},,,yes,yes",
        f"bo-1,Bo Ambrose,{CITY},City Manager,bo@alameda.ca.example,,,yes,no",
    ]
    report = await bring(here.settings, "officials", officials(folder / "again.csv", *lines))
    assert (report.added, report.rejected_count) == (1, 2)
    assert all("held back, having been erased" in one.reason for one in report.rejected)
    assert await people.readmit(here.settings, ADDRESS, [OFFICIAL], by=command_actor())
    report = await bring(here.settings, "officials", officials(folder / "again.csv", *lines))
    assert (report.added, report.rejected_count) == (2, 0)
    assert not await people.readmit(here.settings, ADDRESS, by=command_actor())
