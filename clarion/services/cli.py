"""`clarion`: the command line over all services."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from pydantic import ValidationError

from clarion.runtime.database import MigrationError, migrate
from clarion.runtime.embedded import EmbeddedError
from clarion.runtime.messaging.topics import TopicError, ensure_topics
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import MissingSetting, load_settings
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.topics import TOPICS
from clarion.services.campaigns.commands import campaigns, positions
from clarion.services.dead_letters import dead_letters
from clarion.services.demo import demonstrate
from clarion.services.directory.commands import directory
from clarion.services.legislation.commands import keys, publish
from clarion.services.notifications.commands import deliveries
from clarion.services.registrations.bench import bench
from clarion.services.registrations.commands import registrations, webinars
from clarion.services.running import NAMES, PortInUse, serve_until_stopped
from clarion.services.up import up_until_stopped

app = typer.Typer(
    help="Clarion: a hearing notice becomes a call in the mailbox of each official whose voice counts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for name, group in {
    "directory": directory,
    "positions": positions,
    "campaigns": campaigns,
    "deliveries": deliveries,
    "dead-letters": dead_letters,
    "webinars": webinars,
    "registrations": registrations,
    "bench": bench,
    "keys": keys,
}.items():
    app.add_typer(group, name=name)
app.command("publish")(publish)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
DataDir = Annotated[Path | None, typer.Option(help="data of the embedded servers (default .clarion)")]


@app.command(
    epilog="Example: clarion demo --officials 2000",
    help="The main job once, on an embedded stack of its own: a hearing notice becomes mail. Removed at the end.",
)
def demo(
    officials: Annotated[int, typer.Option(min=100, max=500_000, help="fictional officials of the sample")] = 2000,
    as_json: AsJson = False,
) -> None:
    configure_logs("ERROR", as_json=False)
    raise typer.Exit(asyncio.run(demonstrate(officials=officials, as_json=as_json)))


@app.command(
    epilog="Example: clarion up --sample-data --port 8080",
    help="Everything on this machine until Ctrl-C: what the environment sets is used, the rest is embedded.",
)
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="the site's port; 0 is any free one")] = 8080,
    data_dir: DataDir = None,
    sample_data: Annotated[
        bool,
        typer.Option(
            "--sample-data", help="load a fictional association: officials at .example, a position, a webinar"
        ),
    ] = False,
) -> None:
    configure_logs("WARNING", as_json=False)
    settings = load_settings(data_dir=data_dir, running=False)
    asyncio.run(up_until_stopped(settings, port=port, sample_data=sample_data))


@app.command(
    epilog="Example: clarion serve legislation campaigns",
    help=f"Run services in one process against real infrastructure; SIGTERM drains. Names: {', '.join(NAMES)}.",
)
def serve(
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    host: Annotated[str, typer.Option(help="where the site listens, with web")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="the site's port, with web")] = 8080,
) -> None:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        fail(f"no service is named {', '.join(unknown)}; there are {', '.join(NAMES)}", 2)
    configure_logs(as_json=True)
    asyncio.run(serve_until_stopped(load_settings(), names, host=host, port=port))


@app.command(
    "migrate",
    epilog="Example: clarion migrate --topics",
    help="Bring the database's schemas to this version; what is there already is left alone.",
)
def migrate_command(
    topics: Annotated[bool, typer.Option("--topics", help="the broker's topics too")] = False, as_json: AsJson = False
) -> None:
    settings = load_settings()
    settings.need("database_url")
    applied = asyncio.run(migrate(str(settings.database_url)))
    print_fields(
        {"migrations applied": [f"{each.schema}/{each.name}" for each in applied] or "none: all were there"},
        as_json=as_json,
    )
    if topics:
        topics_command(as_json=as_json)


@app.command(
    "topics",
    epilog="Example: clarion topics",
    help="Make the topics that are missing. A topic with another partition count is an error.",
)
def topics_command(as_json: AsJson = False) -> None:
    settings = load_settings()
    settings.need("kafka_bootstrap")
    made = asyncio.run(ensure_topics(settings, TOPICS))
    print_fields({"topics made": made.created or "none: all were there"}, as_json=as_json)


def explained(error: Exception) -> str | None:
    """What a known failure means and what to do about it; None for one that is ours to mend."""
    match error:
        case MissingSetting() | EmbeddedError() | PortInUse() | TopicError() | MigrationError():
            return str(error)
        case ValidationError():
            return "\n".join(f"CLARION_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        case asyncpg.UndefinedTableError() | asyncpg.InvalidSchemaNameError() | asyncpg.UndefinedObjectError():
            return f"the database is not at this version ({error}): run clarion migrate"
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"the database refused the login of CLARION_DATABASE_URL: {error}"
        case OSError() | asyncpg.CannotConnectNowError():
            return f"a server cannot be reached: {error}. Is it running? clarion up starts everything here"
    return None


def main() -> None:
    """The entry point: errors that a user can mend are said in a line, on standard error."""
    try:
        app()
    except Exception as error:
        message = explained(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        sys.exit(1)
