"""`clarion relays`: the relays as the setting names them, and what senders heard of each."""

import asyncio
from typing import Annotated, Any

import typer

from clarion.runtime.database import open_database
from clarion.runtime.output import print_rows
from clarion.runtime.settings import Settings, load_settings
from clarion.services.notifications.channels.relays import read_relays
from clarion.services.notifications.domain.rates import Rates, read_rates
from clarion.services.notifications.limit_reports import list_relays

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


def relays(as_json: AsJson = False) -> None:
    """List the relays in order of preference: reached or not, their last word, what they block, and the limits.

    Example: clarion relays --json
    """
    settings = load_settings()
    settings.need("database_url", "smtp_url")
    known = read_relays(str(settings.smtp_url))
    rates = read_rates(settings.smtp_limits, [relay.name for relay in known])
    names = [relay.name for relay in known]
    rows = [{**row, "limits": said_limits(rates, row["relay"])} for row in asyncio.run(_heard(settings, names))]
    if not as_json:
        rows = [{**row, "blocked": [f"{one['domain']}: {one['reason']}" for one in row["blocked"]]} for row in rows]
    print_rows(rows, as_json=as_json, empty="No relay.")


async def _heard(settings: Settings, names: list[str]) -> list[dict[str, Any]]:
    async with open_database(settings, "notifications", size=1) as database, database.connection() as connection:
        return await list_relays(connection, names)


def said_limits(rates: Rates, relay: str) -> list[str]:
    """The limits of a relay, and of domains, which hold for all of them."""
    return [
        f"{rate.name}={rate.per_second:g}/s"
        for rate in rates
        if not rate.name.startswith("relay:") or rate is rates.of_relay(relay)
    ]
