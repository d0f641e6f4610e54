"""Every table and topic stands in docs/retention.md, with the time that is enforced."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.messaging.topics import DAY_MS, topic_configuration
from clarion.runtime.settings import Settings, variable_of
from clarion.runtime.timers import Job, Timers
from clarion.schemas.topics import TOPICS, Topic
from clarion.services.builders import BUILDERS
from clarion.services.running import open_services

GUIDE = Path(__file__).parents[2] / "docs" / "retention.md"
IN_EVERY_SERVICE = ("outbox", "inbox", "dead_letters", "jobs", "traces")
KEEPER = {"clarion": "directory"}
"""The service whose jobs look after a schema that is not its own."""
TABLES = """
SELECT n.nspname || '.' || c.relname AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1)
"""


@dataclass(frozen=True)
class Line:
    """A row of the guide: what it is of, how long that is kept, and what enforces it."""

    names: tuple[str, ...]
    kept: str
    enforced: str

    @property
    def days(self) -> int | None:
        found = re.search(r"(\d+) days?\b", self.kept)
        return int(found[1]) if found else None

    @property
    def job(self) -> str | None:
        found = re.match(r"job `([^`]+)`$", self.enforced)
        return found[1] if found else None


def lines() -> Iterator[Line]:
    for row in GUIDE.read_text("utf-8").splitlines():
        if row.startswith("| `"):
            names, kept, _, enforced = [cell.strip() for cell in row.strip("|").split(" | ")]
            yield Line(tuple(re.findall(r"`([^`]+)`", names)), kept, enforced.rstrip(" |"))


def spoken_of(line: Line) -> list[str]:
    """The tables that a row is about; what every service has stands there once."""
    return [
        place
        for name in line.names
        for place in ([f"{service}.{name}" for service in BUILDERS] if name in IN_EVERY_SERVICE else [name])
    ]


def of_tables() -> list[Line]:
    return [line for line in lines() if not any(is_topic(name) for name in line.names)]


def is_topic(name: str) -> bool:
    return name.endswith((".v1", ".dead"))


@pytest.fixture
async def jobs(settings: Settings) -> AsyncIterator[Mapping[str, Mapping[str, Job]]]:
    """What each service does by itself, by name."""
    settings = settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    async with open_services(settings) as services:
        yield {
            service.name: {
                job.name: job for worker in service.workers if isinstance(worker, Timers) for job in worker.jobs
            }
            for service in services
        }


async def test_every_table_stands_in_the_guide_once(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = {row["name"] for row in await connection.fetch(TABLES, [*BUILDERS, "clarion"])}
    await connection.close()
    told = [place for line in of_tables() for place in spoken_of(line)]
    assert set(told) - tables == set()
    assert tables - set(told) == set()
    assert len(told) == len(set(told))


async def test_what_a_job_removes_is_as_old_as_the_guide_says(jobs: Mapping[str, Mapping[str, Job]]) -> None:
    looked_at = set()
    for line in of_tables():
        for schema in {place.partition(".")[0] for place in spoken_of(line)} if line.job else ():
            service = KEEPER.get(schema, schema)
            assert jobs[service][str(line.job)].days == line.days, (service, line)
            looked_at.add((service, line.job))
    timed = {(service, job.name) for service, own in jobs.items() for job in own.values() if job.days is not None}
    assert timed == looked_at, "a job that the guide does not name"


def test_a_variable_that_the_guide_names_has_its_figure() -> None:
    days = {variable_of(name): field.default for name, field in Settings.model_fields.items() if name.endswith("_days")}
    named = {variable: line.days for line in lines() for variable in re.findall(r"`(CLARION_\w+)`", line.kept)}
    assert named == days


def test_every_topic_stands_in_the_guide_with_what_the_broker_is_told() -> None:
    told = {name: line for line in lines() for name in line.names if is_topic(name)}
    assert set(told) == {topic.name for topic in TOPICS} | {"<topic>.dead"}
    for topic in TOPICS:
        assert enforced_days(topic) == told[topic.name].days, topic.name
        assert enforced_days(topic.dead) == told["<topic>.dead"].days


def enforced_days(topic: Topic) -> int:
    setting = "max.compaction.lag.ms" if topic.compacted else "retention.ms"
    return int(topic_configuration(topic)[setting]) // DAY_MS
