"""What became of the calls."""

from collections.abc import Sequence

from clarion.runtime.database import Transaction
from clarion.schemas.deliveries import Delivery
from clarion.services.campaigns.repository import QUERIES

MATTER = "campaign:"


async def record_deliveries(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest outcome of each mailbox of our campaigns; other matters are not ours.

    A letter ask that expired unsent is asked again as what still helps, once letters are closed (`review`).
    """
    ours = [delivery for delivery in deliveries if delivery.matter.startswith(MATTER)]
    if not ours:
        return
    expired = {delivery.matter.removeprefix(MATTER) for delivery in ours if delivery.state == "expired"}
    if expired:
        # Campaigns before their calls, as the fan-out takes them.
        await QUERIES.note_expired(tx.connection, campaigns=sorted(expired))
    await QUERIES.find_calls_by_key(tx.connection)
    await QUERIES.record_outcomes(
        tx.connection,
        campaigns=[delivery.matter.removeprefix(MATTER) for delivery in ours],
        mailboxes=[delivery.mailbox for delivery in ours],
        states=[delivery.state for delivery in ours],
        revisions=[delivery.revision for delivery in ours],
        times=[delivery.at for delivery in ours],
    )
