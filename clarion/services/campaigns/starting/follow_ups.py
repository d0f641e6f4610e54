"""What follows: a bill that goes on drafts the next campaign from the last, one that ends closes what is open."""

from collections.abc import Sequence

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.schemas.legislation import BillProgress
from clarion.services.campaigns.bills import save_bills
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS
from clarion.services.campaigns.starting.drafting import draft_next
from clarion.services.campaigns.starting.progress import QUERIES


async def follow_bills(tx: Transaction, states: Sequence[BillProgress], clock: Clock) -> None:
    """Keep the newest state of these bills, whatever order they come in, and do what follows from what is new."""
    changed = await save_bills(tx, states)
    rows = QUERIES.bills_called_about(tx.connection, **_columns(changed)) if changed else None
    concerned = [(row["jurisdiction"], row["session"], row["bill_key"]) async for row in rows] if rows else []
    if not concerned:
        return
    await CAMPAIGNS.lock_decisions(tx.connection)
    alerts = QUERIES.occasions_ahead_with(tx.connection, now=clock(), **_columns(concerned))
    for occasion in [Occasion.model_validate(row["alert"]) async for row in alerts]:
        await decide_on(tx, occasion, clock())
    for jurisdiction, session, bill_key in concerned:
        await draft_next(tx, jurisdiction, session, [bill_key], clock())


def _columns(bills: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    return {
        "jurisdictions": [jurisdiction for jurisdiction, _, _ in bills],
        "sessions": [session for _, session, _ in bills],
        "bill_keys": [bill_key for _, _, bill_key in bills],
    }
