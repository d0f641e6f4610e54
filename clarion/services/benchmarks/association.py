"""The association that the pipeline is measured with: fictional officials who are all asked for a letter by one alert.

California's cities, districts, legislators and committees come by the real import and its topic. So many officials
would take minutes that way: their rows are copied into the two projections that an import would fill.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries, open_database
from clarion.runtime.messaging.consumption import Consumption
from clarion.runtime.messaging.record import Record, headers_from_json
from clarion.runtime.process import run_services
from clarion.runtime.settings import Settings
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.schemas.legislation import HearingAlert
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.roles import LETTER_ROLES
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.campaigns.domain.names import role_key
from clarion.services.campaigns.handlers import subscriptions
from clarion.services.directory import app as directory
from clarion.services.directory.operations import load_sample
from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import SEED, california_cities
from clarion.services.sample import ZONE, adopt_sample_position, hearing_start, sample_notice

OFFICIALS_PER_COPY = 20_000
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.05
KEY = b"bench"
NOTIFIED = ("id", "revision", "name", "email", "mailbox", "city", "roles", "active")
CALLED = ("id", "revision", "active", "city", "role_keys", "mailbox", "testifies")

Progress = Callable[[int], None]


async def load_association(settings: Settings, recipients: int, progress: Progress) -> None:
    """Everything that the alert needs, for so many mailboxes; campaigns and notifications must be running."""
    stopping = asyncio.Event()
    service = await directory.build(settings)
    publishing = asyncio.create_task(run_services([service], settings, stopping=stopping))
    try:
        async with open_database(settings, "directory") as database:
            await load_sample(database, 1, clock=system_clock)
        for name in ("campaigns", "notifications"):
            async with open_database(settings, name) as database:
                await _until_told(database)
        await _copy_officials(settings, recipients, progress)
    finally:
        stopping.set()
        await publishing
    await adopt_sample_position(settings, statewide=True)


async def _until_told(database: Database) -> None:
    """Wait for the one official of the import, who comes last, and for the markers where they are kept."""
    queries = load_queries(__package__)
    async with asyncio.timeout(PATIENCE_SECONDS), database.connection() as connection:
        while not await queries.bench_officials(connection):  # noqa: ASYNC110 - another process projects them
            await asyncio.sleep(POLL_SECONDS)
        if database.service == "campaigns":
            while await queries.bench_imports(connection) < len(NEEDED_TO_LAUNCH):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)


async def project_directory(directory: Database, campaigns: Database) -> None:
    """Have campaigns take in what the directory has to tell, as it would come from its topic."""
    [following] = [one for one in subscriptions(system_clock) if one.topic == DIRECTORY_ENTITIES]
    async with directory.connection() as connection:
        rows = [row async for row in load_queries(__package__).bench_published(connection)]
    records = [
        Record(
            row["topic"], 0, offset, row["key"], tuple(headers_from_json(row["headers"])), row["body"], system_clock()
        )
        for offset, row in enumerate(rows)
    ]
    await Consumption(campaigns, following).handle(records)


async def officials_of_campaigns(campaigns: Database, officials: int) -> None:
    """So many officials in all, the one of the import being there already."""
    people = islice(_people(officials), officials - 1)
    while found := list(islice(people, OFFICIALS_PER_COPY)):
        await _copy(campaigns, CALLED, found)
    async with campaigns.connection() as connection:
        await connection.execute("ANALYZE officials")


async def _copy_officials(settings: Settings, recipients: int, progress: Progress) -> None:
    people = _people(recipients)
    copied = 0
    async with open_database(settings, "campaigns") as campaigns, open_database(settings, "notifications") as mail:
        while found := list(islice(people, OFFICIALS_PER_COPY)):
            await asyncio.gather(_copy(campaigns, CALLED, found), _copy(mail, NOTIFIED, found))
            copied += len(found)
            progress(copied)
        for database in (campaigns, mail):
            async with database.connection() as connection:
                await connection.execute("ANALYZE officials")


async def _copy(database: Database, columns: tuple[str, ...], people: list[dict[str, Any]]) -> None:
    records = [tuple(person[column] for column in columns) for person in people]
    async with database.connection() as connection:
        await connection.copy_records_to_table("officials", records=records, columns=columns)


def _people(recipients: int) -> Iterator[dict[str, Any]]:
    """As many as it takes for so many mailboxes; the first of the roster was imported already."""
    known: set[str] = set()
    for number, row in enumerate(fictional_officials(california_cities(), 2 * recipients + 1_000, SEED)):
        known.add(row["email"])
        if len(known) > recipients:
            return
        if number == 0:
            continue
        roles = [role for role in row["roles"].split(";") if role_key(role) in LETTER_ROLES] or ["council member"]
        yield {
            **row,
            "revision": 1,
            "active": True,
            "roles": roles,
            "role_keys": [role_key(role) for role in roles],
            "mailbox": mailbox(row["email"], KEY),
            "testifies": row["testifies"] == "yes",
        }


def alert(hearing_id: str | None = None) -> HearingAlert:
    """The hearing that calls them all, letters being in time; or another like it."""
    notice = sample_notice(system_clock())
    notice["hearing_id"] = hearing_id or notice["hearing_id"]
    start = hearing_start(system_clock())
    fields = {name: notice[name] for name in ("hearing_id", "jurisdiction", "session", "committee", "location")}
    agenda = [{**item, "bill_key": item["bill"].replace(" ", "")} for item in notice["agenda"]]
    return HearingAlert.model_validate(
        {
            **fields,
            "aliases": [notice["hearing_id"]],
            "revision": 1,
            "status": "scheduled",
            "zone": str(ZONE),
            "starts_at": start.isoformat(),
            "agenda": agenda,
            "letters_due_at": (start - timedelta(days=2)).isoformat(),
        }
    )
