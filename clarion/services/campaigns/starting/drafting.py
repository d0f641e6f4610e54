"""The next campaign on a bill: drafted until its hearing is set, then begun with what was chosen and written before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id
from clarion.services.campaigns.domain.model import Launch
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.domain.progress import Last, Standing, goes_on
from clarion.services.campaigns.domain.stages import ending
from clarion.services.campaigns.starting.progress import QUERIES, progress_of, progress_on_bills

STAYS = "it stays where it was, as it was"
ASKS_NOTHING = "no position on it asks anything any more"


async def draft_next(tx: Transaction, jurisdiction: str, session: str, bill_keys: Sequence[str], now: datetime) -> None:
    """Draft, or drop, what follows the last campaigns on these bills, as they stand."""
    progress = await progress_on_bills(tx.connection, jurisdiction, session, bill_keys, "", now)
    for bill_key, last in progress.last.items():
        standing = progress.standings.get(bill_key)
        if standing is not None:
            named = {"jurisdiction": jurisdiction, "session": session, "bill_key": bill_key}
            await _draft_or_drop(tx, named, standing, last, now)


async def _draft_or_drop(tx: Transaction, named: dict[str, str], standing: Standing, last: Last, now: datetime) -> None:
    dropped = None
    if standing.stage is not None:
        dropped = ending(standing.bill, standing.status, standing.stage)
    elif not await QUERIES.any_asking(tx.connection, **named):
        dropped = ASKS_NOTHING
    elif not goes_on(standing, last):
        dropped = STAYS
    if dropped is not None:
        await QUERIES.drop_follow_up(tx.connection, reason=dropped, now=now, **named)
    elif not await QUERIES.any_hearing_ahead(tx.connection, follows=last.campaign, now=now, **named):
        await QUERIES.draft_follow_up(
            tx.connection,
            id=new_id(),
            bill=standing.bill,
            follows=last.campaign,
            committee=standing.committee,
            amended_on=standing.amended_on,
            now=now,
            **named,
        )


async def draft_after(tx: Transaction, occasion: Occasion, now: datetime) -> None:
    """The same for the bills of an occasion that is over: what was amended meanwhile is drafted now."""
    keys = sorted({item.bill_key for item in occasion.agenda})
    if keys:
        await draft_next(tx, occasion.jurisdiction, occasion.session, keys, now)


async def id_of_next(tx: Transaction, occasion: Occasion) -> str:
    """The id of an occasion's new campaign: that of the draft which waited for it, else a new one."""
    rows = [row async for row in _waiting(tx, occasion)]
    return str(rows[0]["id"]) if rows else new_id()


async def carry_over(tx: Transaction, campaign: str, occasion: Occasion, launch: Launch, now: datetime) -> None:
    """Begin a campaign with what was chosen and written in those that it follows; the drafts that waited are set."""
    drafts = [row async for row in _waiting(tx, occasion)]
    if drafts:
        ids = [row["id"] for row in drafts]
        await QUERIES.set_follow_ups(tx.connection, campaign=campaign, ids=ids, now=now)
    progress = await progress_of(tx.connection, occasion, now)
    follows = sorted({last.campaign for last in progress.last.values()} | {row["follows"] for row in drafts})
    if follows:
        await QUERIES.follow_campaigns(tx.connection, campaign=campaign, follows=follows, now=now)
        await QUERIES.carry_choices(tx.connection, campaign=campaign, follows=follows)
        await QUERIES.carry_paragraphs(tx.connection, campaign=campaign, follows=follows, launch=launch, now=now)


def _waiting(tx: Transaction, occasion: Occasion) -> AsyncIterator[Mapping[str, Any]]:
    """The drafts that wait for the hearing of a bill; a floor vote is none."""
    rows: AsyncIterator[Mapping[str, Any]] = QUERIES.waiting_follow_ups(
        tx.connection,
        jurisdiction=occasion.jurisdiction,
        session=occasion.session,
        bill_keys=[item.bill_key for item in occasion.agenda] if occasion.is_hearing else [],
    )
    return rows
