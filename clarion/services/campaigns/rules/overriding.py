"""The letters' deadline of one hearing is set by hand, and what follows of it is decided at once."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.deadlines import DeadlineSet, Due
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain.due import Override, occasion_day
from clarion.services.campaigns.domain.model import hearing_ends_at
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.rules.repository import QUERIES, find_override, insert_override
from clarion.services.campaigns.rules.resolving import resolved
from clarion.services.campaigns.rules.wishes import Refusal, text_of


async def override_deadline(
    tx: Transaction,
    campaign: str,
    due_at: datetime | None,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    withdrawn: bool = False,
) -> DeadlineSet:
    """Set the letters' deadline of a campaign's hearing by hand, and decide on it again.

    Without a time it is unknown, whatever the notice or a rule says; `withdrawn` has those hold again. A time without
    an offset is that of the hearing's zone.

    Raises:
        Refusal: there is no such campaign, or the time is not before its end.
    """
    await repository.QUERIES.lock_decisions(tx.connection)
    occasion = await _occasion(tx.connection, campaign)
    due_at = _before_its_end(occasion, due_at)
    known = await find_override(tx.connection, occasion.hearing_id)
    wanted = Override(
        (known.version if known else 0) + 1, occasion_day(occasion), due_at, withdrawn, text_of(reason), actor.name, now
    )
    changed = not _same(known, wanted)
    if changed:
        await insert_override(tx.connection, occasion.hearing_id, wanted)
        details: dict[str, JsonValue] = {"version": wanted.version, "withdrawn": withdrawn}
        await record(tx.connection, actor, "deadline.set", f"campaign:{campaign}", at=now, details=details)
        await decide_on(tx, occasion, now)
    return await deadline_of(tx.connection, campaign, changed=changed)


async def deadline_of(connection: Connection, campaign: str, *, changed: bool = False) -> DeadlineSet:
    """The letters' deadline of a campaign as it is now, and where it comes from.

    Raises:
        Refusal: there is no such campaign.
    """
    occasion = await _occasion(connection, campaign)
    committees = await repository.find_committees(connection, occasion) if occasion.is_hearing else []
    holds = await resolved(connection, occasion, committees[0] if len(committees) == 1 else None)
    due = holds.due or Due(kind="unknown", text="it has none before its end")
    return DeadlineSet(campaign=campaign, letters_due_at=holds.letters_due_at, due=due, changed=changed)


async def _occasion(connection: Connection, campaign: str) -> Occasion:
    found = None if "\x00" in campaign else await QUERIES.occasion_of_campaign(connection, campaign=campaign)
    if found is None:
        raise Refusal(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    return Occasion.model_validate(found)


def _before_its_end(occasion: Occasion, due_at: datetime | None) -> datetime | None:
    if due_at is None:
        return None
    moment = due_at if due_at.tzinfo else due_at.replace(tzinfo=ZoneInfo(occasion.zone))
    if moment > hearing_ends_at(occasion):
        raise Refusal(f"{moment.isoformat()} is after the hearing itself: nobody reads a letter then")
    return moment.astimezone(UTC)


def _same(known: Override | None, wanted: Override) -> bool:
    if known is None:
        return wanted.withdrawn
    if known.withdrawn or wanted.withdrawn:
        return known.withdrawn and wanted.withdrawn
    return (known.day, known.due_at, known.reason) == (wanted.day, wanted.due_at, wanted.reason)
