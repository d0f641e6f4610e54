"""Commands that run processes or prepare what they run on: demo, up, serve, migrate and topics.

Each reads the services' code, or the broker's client, when it is called: help, and what needs less, starts without.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from clarion.runtime.garbage import uncollected
from clarion.runtime.logs import Logger
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import given_environment, load_settings, slips
from clarion.services.builders import NAMES, WEB

log = Logger(__name__)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
DataDir = Annotated[Path | None, typer.Option(help="data of the embedded servers (default .clarion)")]


def demo(
    officials: Annotated[int, typer.Option(min=100, max=500_000, help="fictional officials of the sample")] = 2000,
    as_json: AsJson = False,
) -> None:
    """The main job once, on an embedded stack of its own: a hearing notice becomes mail. Removed at the end.

    Example: clarion demo --officials 2000
    """
    with uncollected():
        from clarion.runtime.telemetry import configure_logs  # noqa: PLC0415 - see above
        from clarion.services.demonstration.show import demonstrate  # noqa: PLC0415 - see above

    configure_logs("ERROR", as_json=False)
    raise typer.Exit(asyncio.run(demonstrate(officials=officials, as_json=as_json)))


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
    """Everything on this machine until Ctrl-C: what the environment sets is used, the rest is embedded.

    Example: clarion up --sample-data --port 8080
    """
    with uncollected():
        from clarion.runtime.telemetry import configure_logs  # noqa: PLC0415 - see above
        from clarion.runtime.tracing import exporting_traces  # noqa: PLC0415 - see above
        from clarion.services.up import up_until_stopped  # noqa: PLC0415 - see above

    configure_logs("WARNING", as_json=False)
    settings = load_settings(data_dir=data_dir, running=False)
    with exporting_traces(settings):
        asyncio.run(up_until_stopped(settings, port=port, sample_data=sample_data))


def serve(
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    host: Annotated[str, typer.Option(help="where the site listens, with web")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="the site's port, with web")] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="processes of the services, for as many cores")] = 1,
    follow: Annotated[bool, typer.Option("--follow", hidden=True)] = False,
) -> None:
    """Run services against real infrastructure, in one process or several; SIGTERM drains.

    Names: legislation, directory, campaigns, notifications, registrations and web. It waits for a database and a broker
    that are not there yet, and refuses to run where they will not have us or are not at this version.

    Example: clarion serve legislation campaigns
    """
    with uncollected():
        import uvloop  # noqa: PLC0415 - see above

        from clarion.runtime.telemetry import configure_logs  # noqa: PLC0415 - see above
        from clarion.runtime.tracing import exporting_traces  # noqa: PLC0415 - see above
        from clarion.services.running import serve_until_stopped  # noqa: PLC0415 - see above

    unknown = [name for name in names if name not in NAMES]
    if unknown:
        fail(f"no service is named {', '.join(unknown)}; there are {', '.join(NAMES)}", 2)
    if workers > 1 and names == [WEB]:
        fail("--workers is for services, of which none is named beside web", 2)
    configure_logs(as_json=True)
    tell_slips()
    settings = load_settings()
    with exporting_traces(settings):
        uvloop.run(serve_until_stopped(settings, names, host=host, port=port, workers=workers, follow=follow))


def tell_slips() -> None:
    """Say which of our variables mean nothing: one letter too many, and a setting is not set."""
    for variable, meant in slips(given_environment()).items():
        log.warning("settings.unknown_variable", variable=variable, did_you_mean=meant)


def migrate(
    with_topics: Annotated[bool, typer.Option("--topics", help="the broker's topics too")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schemas to this version; what is there already is left alone.

    Example: clarion migrate --topics
    """
    with uncollected():
        from clarion.runtime.database import migrate as bring_up  # noqa: PLC0415 - see above
        from clarion.runtime.database.reaching import reach_database  # noqa: PLC0415 - see above
        from clarion.runtime.telemetry import configure_logs  # noqa: PLC0415 - see above

    configure_logs("WARNING", as_json=False)
    settings = load_settings()
    asyncio.run(reach_database(settings))
    applied = asyncio.run(bring_up(str(settings.database_url)))
    print_fields(
        {"migrations applied": [f"{each.schema}/{each.name}" for each in applied] or "none: all were there"},
        as_json=as_json,
    )
    if with_topics:
        topics(as_json=as_json)


def topics(as_json: AsJson = False) -> None:
    """Make the topics that are missing. A topic with another partition count is an error.

    Example: clarion topics
    """
    with uncollected():
        from clarion.runtime.messaging.reaching import reach_broker  # noqa: PLC0415 - see above
        from clarion.runtime.messaging.topics import ensure_topics  # noqa: PLC0415 - see above
        from clarion.runtime.telemetry import configure_logs  # noqa: PLC0415 - see above
        from clarion.schemas.topics import TOPICS  # noqa: PLC0415 - see above

    configure_logs("WARNING", as_json=False)
    settings = load_settings()
    asyncio.run(reach_broker(settings))
    made = asyncio.run(ensure_topics(settings, TOPICS))
    print_fields({"topics made": made.created or "none: all were there"}, as_json=as_json)
