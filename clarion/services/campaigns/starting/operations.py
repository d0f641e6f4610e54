"""Campaigns that somebody starts: counted first, then started, moved and cancelled."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.rights import Staff
from clarion.services.campaigns.domain.decision import CANCELLED, NOBODY
from clarion.services.campaigns.domain.model import Status, ends_at
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS
from clarion.services.campaigns.repository import save_hearing
from clarion.services.campaigns.starting.drafts import Change, OccasionDraft
from clarion.services.campaigns.starting.errors import NotToBeStarted, Taken, Unfit, Unknown
from clarion.services.campaigns.starting.making import check_reach, make
from clarion.services.campaigns.starting.moments import checked, due_of, in_zone, known_zone, noted
from clarion.services.campaigns.starting.naming import QUERIES
from clarion.services.campaigns.starting.views import NAMES_SHOWN, Counted, CountedDivision, Started

NAME = "campaigns"


async def count(connection: Connection, draft: OccasionDraft, now: datetime, staff: Staff | None = None) -> Counted:
    """Whom this would ask, as things are now: it is started, looked at and taken back, so that both say the same.

    Raises:
        Unfit: something of the draft is wrong.
        NotYours: it would reach beyond the divisions of `staff`.
    """
    trial = connection.transaction()
    await trial.start()
    try:
        made = await make(connection, draft, f"trial-{new_id()}", staff, now)
        occasion = made.occasion.model_copy(update={"launch": "approval"})
        found = await _begin(Transaction(connection, NAME), occasion, now)
        rows = [
            dict(row)
            async for row in QUERIES.count_audience(
                connection, campaign=found["id"], letter_roles=occasion.letter_roles
            )
        ]
    finally:
        await trial.rollback()
    waits = [found["problem"]] if found["status"] == Status.WAITING else []
    return _counted(found["title"], rows, [*made.warnings, *waits])


def _counted(title: str, rows: list[dict[str, Any]], warnings: list[str]) -> Counted:
    without = sorted(name for row in rows for name in row["without_anyone"])
    return Counted(
        title=title,
        divisions=[CountedDivision(**{name: row[name] for name in CountedDivision.model_fields}) for row in rows],
        cities=sum(row["cities"] for row in rows),
        officials=sum(row["officials"] for row in rows),
        mailboxes=rows[0]["all_mailboxes"] if rows else 0,
        cities_without_anyone=len(without),
        without_anyone=without[:NAMES_SHOWN],
        warnings=warnings,
    )


async def start(tx: Transaction, draft: OccasionDraft, actor: Actor, staff: Staff | None, now: datetime) -> Started:
    """Start the campaign of a draft; a draft that was started before is the same campaign.

    Raises:
        Unfit: something of the draft is wrong, or nobody would be asked.
        NotYours: it would reach beyond the divisions of `staff`.
        Taken: another draft with this id was started before.
    """
    await CAMPAIGNS.lock_decisions(tx.connection)
    draft_id = draft.id or new_id()
    contents = hashlib.sha256(draft.model_dump_json().encode()).digest()
    known = await QUERIES.find_draft(tx.connection, id=draft_id)
    if known is not None and known["digest"] != contents:
        raise Taken(f"another draft {draft_id} was started before, as campaign {known['campaign']}: choose another id")
    if known is not None:
        return Started(id=known["campaign"], created=False)
    made = await make(tx.connection, draft, draft_id, staff, now)
    found = await _begin(tx, made.occasion, now)
    if found["officials"] == 0 and not found["waits_for_directory"]:
        raise Unfit.at("audience", found["problem"] or NOBODY)
    await QUERIES.keep_draft(tx.connection, id=draft_id, campaign=found["id"], digest=contents, now=now)
    await record(
        tx.connection,
        actor,
        "campaign.started",
        f"campaign:{found['id']}",
        at=now,
        details={"kind": draft.kind, "draft": draft_id},
        divisions=_divisions(made.occasion),
    )
    return Started(id=found["id"], created=True)


async def _begin(tx: Transaction, occasion: Occasion, now: datetime) -> Mapping[str, Any]:
    """Decide on a new occasion; its campaign's row.

    Raises:
        Unfit: what it asks about has come to an end.
    """
    await save_hearing(tx.connection, occasion)
    await decide_on(tx, occasion, now)
    found: Mapping[str, Any] | None = await QUERIES.campaign_of_occasion(tx.connection, hearing=occasion.hearing_id)
    if found is None:
        raise Unfit.at("bills", "nothing is asked about them any more: they have come to an end")
    return found


async def move(
    tx: Transaction, campaign: str, change: Change, *, actor: Actor, staff: Staff | None, now: datetime
) -> None:
    """Give a campaign that was started another end, deadline or place; who was told is told again, as of a hearing.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's, or cancelled.
        NotYours: it reaches beyond the divisions of `staff`.
        Unfit: the new time is past, or nothing is new.
    """
    occasion = await _taken_up(tx, campaign, staff)
    zone = known_zone(occasion.zone)
    end = in_zone(change.decided_at, zone) or occasion.starts_at
    checked("decided_at", end, occasion.zone, now)
    due = due_of(change.due_at, end, occasion.zone) if change.due_at else occasion.letters_due_at
    moved = occasion.model_copy(
        update={
            "starts_at": end,
            "time_note": noted(end),
            "letters_due_at": due if due is None or due < ends_at(end, occasion.zone) else None,
            "location": occasion.location.model_copy(update={"name": change.where or occasion.location.name}),
        }
    )
    if moved == occasion:
        raise Unfit.at("decided_at", "nothing would be new: say another end, deadline or place")
    await _amend(tx, moved.model_copy(update={"revision": occasion.revision + 1, "changed": ["time"]}), now)
    concerned = _divisions(occasion)
    await record(tx.connection, actor, "campaign.moved", f"campaign:{campaign}", at=now, divisions=concerned)


async def cancel(tx: Transaction, campaign: str, *, actor: Actor, staff: Staff | None, now: datetime) -> None:
    """Call a campaign off that was started: who was told is told that it is off, and nobody else hears of it.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's, or cancelled before.
        NotYours: it reaches beyond the divisions of `staff`.
    """
    occasion = await _taken_up(tx, campaign, staff)
    update = {"status": CANCELLED, "revision": occasion.revision + 1, "changed": [CANCELLED]}
    await _amend(tx, occasion.model_copy(update=update), now)
    concerned = _divisions(occasion)
    await record(tx.connection, actor, "campaign.cancelled", f"campaign:{campaign}", at=now, divisions=concerned)


async def _taken_up(tx: Transaction, campaign: str, staff: Staff | None) -> Occasion:
    """The occasion of a campaign that was started, while nobody else decides on any."""
    await CAMPAIGNS.lock_decisions(tx.connection)
    alert = None if "\x00" in campaign else await QUERIES.occasion_of_campaign(tx.connection, campaign=campaign)
    if alert is None:
        raise Unknown(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    occasion = Occasion.model_validate(alert)
    if occasion.audience is None:
        raise NotToBeStarted("it is a hearing's: it moves and ends with what the hearing's source says")
    await check_reach(tx.connection, occasion.audience, staff)
    if occasion.status == CANCELLED:
        raise NotToBeStarted("it was cancelled before: start another one")
    return occasion


async def _amend(tx: Transaction, occasion: Occasion, now: datetime) -> None:
    await save_hearing(tx.connection, occasion)
    await decide_on(tx, occasion, now)


def _divisions(occasion: Occasion) -> list[str]:
    return occasion.audience.divisions if occasion.audience else []
