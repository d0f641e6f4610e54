"""The whole demonstration: its stack, its steps in order, and its verdict."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from clarion.runtime.output import print_json, say
from clarion.runtime.settings import Settings
from clarion.services.demonstration.hearing import show_hearing
from clarion.services.demonstration.mails import Mailroom
from clarion.services.demonstration.narrator import Narrator, Unfinished
from clarion.services.demonstration.webinar import show_webinar
from clarion.services.running import stop_on_signals
from clarion.services.stack import RunningStack, open_port, running_stack

SETTLE_SECONDS = 1
INTERRUPTED = 130


async def demonstrate(*, officials: int, as_json: bool) -> int:
    """Run the demonstration and return its exit code: 0 only if every expected mail arrived, and no other."""
    stopping = stop_on_signals()
    showing = asyncio.ensure_future(in_folder_of_its_own(officials, Narrator(quiet=as_json)))
    interrupted = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({showing, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    interrupted.cancel()
    if not showing.done():
        showing.cancel()
        await asyncio.wait({showing})
        say("stopped; nothing of the demo is left")
        return INTERRUPTED
    try:
        report = showing.result()
    except Unfinished as error:
        say(f"failed: {error}")
        return 1
    if as_json:
        print_json(report)
    return 0 if report["passed"] else 1


async def in_folder_of_its_own(officials: int, narrator: Narrator) -> dict[str, Any]:
    """The demonstration on a fresh data dir that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="clarion-demo-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder) / "data", settle_seconds=SETTLE_SECONDS)
        if not narrator.quiet:
            say("Clarion demo: a hearing notice becomes mail. All of it runs on this machine, and nothing leaves it.")
            say(f"A withdrawal settles for {SETTLE_SECONDS} s here, not for the 60 s of real life.\n")
        async with running_stack(settings, open_port(0), lambda _: None, throw_away=True) as stack:
            return await show(stack, officials, narrator)


async def show(stack: RunningStack, officials: int, narrator: Narrator) -> dict[str, Any]:
    """All steps, on a stack that runs."""
    mail = stack.embedded.mail
    if mail is None:
        raise Unfinished("the demo needs the embedded mail catcher")
    names = ", ".join(service.name for service in stack.services)
    narrator.tell("stack", f"Apache Kafka, PostgreSQL, a mail catcher and {names} run at {stack.site}")
    mailroom = Mailroom(mail.store, narrator)
    await show_hearing(stack, officials, narrator, mailroom)
    await show_webinar(stack, narrator, mailroom)
    check = mailroom.check()
    if not narrator.quiet:
        say("\nTo keep one running: clarion up --sample-data")
    return {"passed": check.passed, "expected": check.expected, "arrived": check.arrived, "steps": narrator.steps}
