"""`clarion replay`: what the broker lost, or a consumer is to have again, is published again from the database."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from clarion.runtime.messaging.replaying import Asked, Portion, Replayed, ReplayRunning, count_replayable, replay
from clarion.runtime.output import counting, fail, print_fields
from clarion.runtime.settings import Settings, load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.commands import ReplayedTopic, ReplayPrinted
from clarion.schemas.topics import TOPICS
from clarion.services.builders import BUILDERS, REPUBLISH
from clarion.services.dead_letters import MOMENTS

NAMES = [topic.name for topic in TOPICS]


def replay_command(
    *,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="only this topic; may be said several times")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option("--service", help="only what this service published; likewise")
    ] = None,
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="what was enqueued from then on; UTC")] = None,
    until: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="what was enqueued before; UTC")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count, and send nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Publish again what services published before, from their outboxes; compacted topics whole, from the tables.

    For a broker that lost its data: clarion topics, then this. It is safe beside running services and nobody gets a
    second mail. When it is killed or a server goes away, the same command goes on where it was.

    Example: clarion replay --topic campaigns.calls.v1 --since 2027-04-01 --dry-run
    """
    if unknown := [name for name in topic or () if name not in NAMES]:
        fail(f"no topic is named {', '.join(unknown)}; there are {', '.join(NAMES)}", 2)
    if unknown := [name for name in service or () if name not in BUILDERS]:
        fail(f"no service is named {', '.join(unknown)}; there are {', '.join(BUILDERS)}", 2)
    settings = load_settings()
    settings.need("database_url", "kafka_bootstrap")
    configure_logs("ERROR", as_json=False)
    asked = Asked(tuple(topic or ()), aware(since), aware(until), tuple(service or ()))
    try:
        printed = asyncio.run(_run(settings, asked, dry_run=dry_run))
    except ReplayRunning as error:
        fail(str(error))
    _print(printed, as_json=as_json)


def aware(moment: datetime | None) -> datetime | None:
    """A time that was given; without a zone it is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


async def _run(settings: Settings, asked: Asked, *, dry_run: bool) -> ReplayPrinted:
    portions = await count_replayable(settings, list(BUILDERS), asked)
    if dry_run:
        return _printed(asked, portions, None)
    with counting("publishing again", sum(portion.messages for portion in portions)) as told:
        return _printed(
            asked, portions, await replay(settings, list(BUILDERS), REPUBLISH, asked, told, by=command_actor())
        )


def _printed(asked: Asked, portions: list[Portion], done: Replayed | None) -> ReplayPrinted:
    return ReplayPrinted(
        dry_run=done is None,
        resumed=done is not None and done.resumed,
        topics=[
            ReplayedTopic(
                service=one.service,
                topic=one.topic,
                messages=one.messages,
                first_at=one.first_at,
                last_at=one.last_at,
            )
            for one in portions
        ],
        whole=asked.chosen(TOPICS, compacted=True) if any(map(asked.means, REPUBLISH)) else [],
        messages=sum(done.messages.values()) if done else sum(one.messages for one in portions),
        entities=sum(done.entities.values()) if done else None,
    )


def _print(printed: ReplayPrinted, *, as_json: bool) -> None:
    fields = printed.model_dump()
    if not as_json:
        fields["topics"] = "\n".join(_line(one) for one in printed.topics)
        fields = {name: value for name, value in fields.items() if value not in ([], None)}
    print_fields(fields, as_json=as_json)


def _line(one: ReplayedTopic) -> str:
    times = [at.isoformat(sep=" ", timespec="seconds") for at in (one.first_at, one.last_at)]
    return f"{one.messages:>9,} {one.topic} by {one.service}, {' to '.join(times)}"
