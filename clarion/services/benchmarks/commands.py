"""`clarion bench`."""

import typer

from clarion.services.lazy import Lazily, lazy_group

COMMANDS = {
    "registrations": Lazily("clarion.services.registrations.bench:registrations", "a rush for seats"),
    "pipeline": Lazily("clarion.services.benchmarks.pipeline:pipeline", "one alert, so many mails at a sink"),
    "fanout": Lazily("clarion.services.benchmarks.fanout:fanout", "one alert to so many officials, beside bare rows"),
    "ledger": Lazily("clarion.services.benchmarks.ledger:ledger", "the ledger with years of past mail"),
    "directory": Lazily("clarion.services.directory.bench:directory", "imports of a large roster, beside bare COPY"),
    "chaos": Lazily("clarion.services.benchmarks.chaos:chaos", "`kill -9` in the middle of calls, and who was told"),
    "stream": Lazily("clarion.services.seasons.stream:stream", "a season's updates, and what stands in the end"),
}

bench = typer.Typer(
    cls=lazy_group(COMMANDS), help="The performance harness.", no_args_is_help=True, rich_markup_mode=None
)


@bench.callback()
def _group() -> None:
    """The performance harness."""
