"""`clarion restored`: what has to be settled between a restore and the first service that starts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.commands import RestoredPrinted
from clarion.services.builders import NEEDED
from clarion.services.notifications.restoring import Name, names_in
from clarion.services.restoring.taking_up import NotWorkedOff, StillRunning, TakenUp, take_up

MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def restored(
    *,
    dumped_at: Annotated[datetime, typer.Option(formats=MOMENTS, help="when the dump was begun; UTC")],
    sent: Annotated[
        list[Path] | None, typer.Option(help="a relay's log since then; whose Message-IDs stand there was sent")
    ] = None,
    send_the_rest: Annotated[
        bool, typer.Option("--send-the-rest", help="the logs are whole: what waited and is not in them was not sent")
    ] = False,
    within: Annotated[int, typer.Option(min=1, help="seconds to work off what the dump knew")] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Take up a database that was restored from a dump, before any service starts on it.

    Mail that it takes for unsent may have been sent since the dump. What the relays' logs name is sent; of the rest
    nobody knows, so it is not sent, and `clarion campaigns resend ID --in-doubt` has staff decide.

    Example: clarion restored --dumped-at 2027-04-02T03:00 --sent /var/log/mail.log
    """
    if send_the_rest and not sent:
        fail("--send-the-rest needs --sent: without a log nobody knows what was sent", 2)
    moment = dumped_at if dumped_at.tzinfo else dumped_at.replace(tzinfo=UTC)
    if moment > system_clock():
        fail("--dumped-at lies ahead", 2)
    settings = load_settings()
    settings.need(*NEEDED)
    configure_logs("ERROR", as_json=False)
    try:
        found = list(_names(sent or []))
        done = asyncio.run(
            take_up(
                settings,
                moment,
                found,
                by=command_actor(),
                send_the_rest=send_the_rest,
                within_seconds=within,
                say=lambda line: typer.echo(line, err=True),
            )
        )
    except (StillRunning, NotWorkedOff) as error:
        fail(str(error))
    _print(done, as_json=as_json)


def _names(paths: list[Path]) -> Iterator[Name]:
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from names_in(lines)


def _print(done: TakenUp, *, as_json: bool) -> None:
    printed = RestoredPrinted(sent=done.sent, unknown=dict(done.unknown), waiting=dict(done.waiting))
    fields = printed.model_dump()
    if not as_json:
        fields["unknown"] = "\n".join(_lines(done.unknown)) or "none"
        fields["waiting"] = "\n".join(_lines(done.waiting)) or "none"
    print_fields(fields, as_json=as_json)
    if done.unknown and not as_json:
        typer.echo(
            "Of these nobody knows: clarion campaigns resend ID --in-doubt sends them once more, if you decide so."
        )


def _lines(counts: dict[str, int]) -> Iterator[str]:
    for matter, count in counts.items():
        yield f"{count:>9,} of {matter}"
