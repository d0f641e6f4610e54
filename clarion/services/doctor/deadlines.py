"""The rules of committees: whether somebody looks after them, and how far the table of holidays reaches."""

from collections import Counter
from collections.abc import Iterator

from clarion.runtime.database import load_queries, pending
from clarion.runtime.database.pool import connect_login
from clarion.runtime.database.reaching import reach_database
from clarion.runtime.refusals import Refused, Unreachable
from clarion.schemas.commands import Finding
from clarion.schemas.deadlines import RuleConcern
from clarion.services.campaigns.rules.checking import STALE_DAYS, check_rules
from clarion.services.doctor.findings import Patient, warn, well

CHECK = "clarion committees rules check says which, and what to do"


async def look_at_deadlines(patient: Patient) -> list[Finding]:
    """What is to be looked at, counted. Of a database that is away or too old its own findings tell.

    Raises MissingSetting.
    """
    try:
        await reach_database(patient.settings)
    except (Refused, Unreachable):
        return []
    if await pending(str(patient.settings.database_url)):
        return []
    return list(_told(await _concerns(patient)))


async def _concerns(patient: Patient) -> list[RuleConcern]:
    connection = await connect_login(str(patient.settings.database_url))
    try:
        async with connection.transaction():
            await load_queries("clarion.runtime.messaging").assume_service(connection, service="campaigns")
            return await check_rules(connection, patient.clock())
    finally:
        await connection.close()


def _told(concerns: list[RuleConcern]) -> Iterator[Finding]:
    counts = Counter(concern.kind for concern in concerns)
    unchecked = counts["stale"] + counts["never-checked"]
    unfit = counts["no-committee"] + counts["several"]
    for each in concerns:
        if each.kind == "holidays":
            yield warn("work", each.what, each.todo)
    if unchecked:
        yield warn("work", f"{unchecked} rules of committees were not checked for {STALE_DAYS} days", CHECK)
    if unfit:
        yield warn("work", f"{unfit} rules fit no committee of the directory, or several", CHECK)
    if counts["no-deadline"]:
        yield warn("work", f"nobody knows the letters' deadline of {counts['no-deadline']} hearings ahead", CHECK)
    if not (unchecked or unfit or counts["holidays"] or counts["no-deadline"]):
        yield well("work", "the rules of committees were looked at, and the holidays are known")
