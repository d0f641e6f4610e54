"""Staff's own wordings of mail: whether one in force makes no mail of what is asked for."""

from collections.abc import AsyncIterator

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.commands import Finding
from clarion.services.doctor.findings import warn, well

queries = load_queries("clarion.services.doctor")


async def look_at_wordings(connection: Connection) -> AsyncIterator[Finding]:
    """What the newest version of each template could not be used for; `connection` is that of notifications."""
    rows = [row async for row in queries.wordings_in_force(connection)]
    for row in rows:
        if row["fallbacks"]:
            said = f"version {row['version']} of {row['template']} made no mail {row['fallbacks']} times"
            yield warn(
                "work",
                f"{said}, so it went out in the project's words: {row['reason']}",
                f"mend it at /templates/{row['template']}, or clarion templates restore {row['template']} 0",
            )
    if rows and not any(row["fallbacks"] for row in rows):
        yield well("work", f"{len(rows)} wordings of staff's are in force, and could be used for all mail")
