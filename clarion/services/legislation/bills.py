"""Rows of bills and of where sources stand about them, and the values the rules work on."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.legislation import BillProgress, BillUpdate
from clarion.services.legislation.domain.bills import Bill, Docket
from clarion.services.legislation.domain.standings import Stand, Standing
from clarion.services.legislation.domain.statements import Mark

QUERIES = load_queries(__package__)


async def load_bills(docket: Docket, connection: Connection, ids: Collection[str]) -> None:
    """Add these bills as far as they are known, with where the sources stand."""
    if not ids:
        return
    rows = QUERIES.find_bills(connection, ids=list(ids))
    bills = {row["id"]: Bill(row["id"], BillProgress.model_validate_json(row["state"])) async for row in rows}
    async for row in QUERIES.find_bill_standings(connection, ids=list(ids)):
        bill = bills[row["bill"]]
        bill.standings[row["source"]] = known_standing(row, bill)
    docket.know(bills.values())


def known_standing(row: Mapping[str, Any], bill: Bill) -> Standing:
    """A row as where a source stands."""
    said = BillUpdate.model_validate_json(row["said"])
    return Standing(
        alias=(said.jurisdiction, bill.id),
        source=row["source"],
        stand=Stand.LIVING,
        changed_at=row["changed_at"],
        arrival=row["arrival"],
        notice=said,
        noticed=Mark(row["said_at"], row["sequence"]),
    )


async def save_bills(
    docket: Docket, connection: Connection, progressed: Collection[BillProgress], now: datetime
) -> None:
    """Keep where the sources stand, and what was told."""
    if progressed:
        await QUERIES.save_bills(
            connection,
            ids=[state.bill_id for state in progressed],
            revisions=[state.revision for state in progressed],
            states=[state.model_dump_json() for state in progressed],
            now=now,
        )
    standings = [(bill, one, one.notice, one.noticed) for (bill, _), one in docket.new_standings.items()]
    said = [
        (bill, one, notice, mark) for bill, one, notice, mark in standings if notice is not None and mark is not None
    ]
    if said:
        await QUERIES.save_bill_standings(
            connection,
            bills=[bill for bill, *_ in said],
            sources=[one.source for _, one, *_ in said],
            changed_ats=[one.changed_at for _, one, *_ in said],
            arrivals=[one.arrival for _, one, *_ in said],
            saids=[notice.model_dump_json() for _, _, notice, _ in said],
            said_ats=[mark.at for *_, mark in said],
            sequences=[mark.sequence for *_, mark in said],
        )
