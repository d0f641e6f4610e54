"""The letters' deadline of one hearing is set by hand, and what follows of it is decided at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
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


class NoCampaign(Refusal):
    """There is no campaign with this id."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """A campaign's hearing, or another occasion, with its deadline as it holds; `open` while anything is asked."""

    campaign: str
    title: str
    zone: str
    letters_due_at: datetime | None
    due: Due
    open: bool


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
        Refusal: the time is not before its end, or there is no reason.
        NoCampaign: there is none with this id.
    """
    await repository.QUERIES.lock_decisions(tx.connection)
    occasion = (await _row(tx.connection, campaign))[0]
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
    holds = await find_hearing(tx.connection, campaign)
    return DeadlineSet(campaign=campaign, letters_due_at=holds.letters_due_at, due=holds.due, changed=changed)


async def find_hearing(connection: Connection, campaign: str) -> Hearing:
    """The hearing of a campaign with its deadline as it is now, and where that comes from.

    Raises:
        NoCampaign: there is none with this id.
    """
    occasion, row = await _row(connection, campaign)
    committees = await repository.find_committees(connection, occasion) if occasion.is_hearing else []
    holds = await resolved(connection, occasion, committees[0] if len(committees) == 1 else None)
    due = holds.due or Due(kind="unknown", text="it has none before its end")
    is_open = row["status"] != "closed"
    return Hearing(campaign, row["title"], occasion.zone, holds.letters_due_at, due, is_open)


async def _row(connection: Connection, campaign: str) -> tuple[Occasion, Mapping[str, Any]]:
    found = None if "\x00" in campaign else await QUERIES.occasion_of_campaign(connection, campaign=campaign)
    if found is None:
        raise NoCampaign(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    return Occasion.model_validate(found["alert"]), found


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
