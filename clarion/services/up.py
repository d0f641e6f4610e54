"""`clarion up`: everything on this machine until Ctrl-C."""

import os
import time

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import say
from clarion.runtime.settings import Settings, write_up_file
from clarion.runtime.staff.audit import command_actor
from clarion.services.directory.operations import load_sample
from clarion.services.directory.staff.operations import Hand
from clarion.services.directory.staff.sample import ADMINISTRATOR, add_sample_staff
from clarion.services.running import stop_on_signals
from clarion.services.sample import (
    adopt_sample_position,
    open_sample_webinar,
    write_sample_draft,
    write_sample_notice,
)
from clarion.services.stack import RunningStack, open_port, running_stack


async def load_sample_association(stack: RunningStack) -> None:
    """The fictional association, its staff, position and webinar; where they are already, nothing changes."""
    started = time.monotonic()
    async with open_database(stack.settings, "directory") as database:
        reports = await load_sample(database, clock=system_clock)
        async with database.transaction() as tx:
            await add_sample_staff(tx, Hand(command_actor(), system_clock()))
    await adopt_sample_position(stack.settings)
    await open_sample_webinar(stack.settings)
    added = sum(report.added for report in reports)
    say(
        f"sample data: {added} entries added in {time.monotonic() - started:.1f} s"
        if added
        else "sample data: there already"
    )


def way_to_the_link(stack: RunningStack) -> str:
    """Where the mail with the link to sign in comes to."""
    return f"the link comes to {stack.site}/mail" if stack.embedded.mail else "the link comes by mail"


async def up_until_stopped(settings: Settings, *, port: int, sample_data: bool) -> None:
    """Start everything, say where it is, and stop in order at SIGINT or SIGTERM.

    Raises:
        PortInUse: the site's port is taken.
        EmbeddedError: an embedded server cannot start.
    """
    started = time.monotonic()
    stopping = stop_on_signals()
    listener = open_port(port)
    say("starting Clarion (Ctrl-C stops it)")
    async with running_stack(settings, listener, say) as stack:
        if sample_data:
            await load_sample_association(stack)
        data_dir = stack.settings.data_dir
        write_up_file(data_dir, stack.addresses() | {"pid": os.getpid()})
        try:
            say(f"ready in {time.monotonic() - started:.1f} s")
            for name, address in stack.shown_addresses():
                say(f"  {name.ljust(8)} {address}")
            if sample_data:
                say(f"staff sign in at {stack.site}/sign-in, as {ADMINISTRATOR}: {way_to_the_link(stack)}")
            say(f"in another terminal: clarion publish {write_sample_notice(stack.settings, system_clock())}")
            say("then: clarion campaigns list, clarion deliveries list")
            if sample_data:
                draft = write_sample_draft(stack.settings, system_clock())
                say(f"a campaign without a hearing: clarion campaigns create comment-period --file {draft} --dry-run")
            await stopping.wait()
            say("stopping")
        finally:
            (data_dir / "up.json").unlink(missing_ok=True)
