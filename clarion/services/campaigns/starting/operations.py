"""Campaigns that somebody starts: counted first, then started."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.rights import Staff
from clarion.services.campaigns.domain.decision import NOBODY
from clarion.services.campaigns.domain.model import Status
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS
from clarion.services.campaigns.repository import save_hearing
from clarion.services.campaigns.starting.drafts import OccasionDraft
from clarion.services.campaigns.starting.errors import Taken, Unfit
from clarion.services.campaigns.starting.making import make
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
        divisions=made.occasion.audience.divisions if made.occasion.audience else [],
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
