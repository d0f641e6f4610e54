"""Where the bills of an occasion stand, and what was asked about them before."""

from collections.abc import Sequence
from datetime import datetime

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.domain.progress import Last, Progress, Standing
from clarion.services.campaigns.starting.statuses import final_stage

QUERIES = load_queries(__package__)


async def progress_of(connection: Connection, occasion: Occasion, now: datetime) -> Progress:
    """What is known of the bills on an occasion's agenda."""
    keys = sorted({item.bill_key for item in occasion.agenda})
    if not keys:
        return Progress()
    return await progress_on_bills(connection, occasion.jurisdiction, occasion.session, keys, occasion.hearing_id, now)


async def progress_on_bills(  # noqa: PLR0917
    connection: Connection, jurisdiction: str, session: str, keys: Sequence[str], hearing: str, now: datetime
) -> Progress:
    """The same of bills by their keys, as seen from a hearing, or from none ("")."""
    named = {"jurisdiction": jurisdiction, "session": session, "bill_keys": list(keys)}
    standings = QUERIES.standings_of(connection, **named)
    last = QUERIES.last_campaigns(connection, hearing=hearing, now=now, **named)
    return Progress(
        {
            row["bill_key"]: Standing(
                bill=row["bill"],
                status=row["status"],
                stage=final_stage(row["status"]),
                amended_on=row["amended_on"],
                committee=row["committee"],
            )
            async for row in standings
        },
        {
            row["bill_key"]: Last(
                campaign=row["campaign"],
                launched_at=row["launched_at"],
                zone=row["zone"],
                committee=row["committee"],
                is_over=row["is_over"],
            )
            async for row in last
        },
    )
