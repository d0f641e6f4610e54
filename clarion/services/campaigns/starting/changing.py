"""Campaigns that somebody started are moved and called off, and that is taken back: counted first, then done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.rights import Staff
from clarion.schemas.messages import Fact
from clarion.services.campaigns.approving.looks import Part, Parts, changes, look_of, parts_of_facts
from clarion.services.campaigns.approving.repository import signature
from clarion.services.campaigns.domain import amending
from clarion.services.campaigns.domain.decision import CANCELLED
from clarion.services.campaigns.domain.model import Status, ends_at, hearing_ends_at
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS
from clarion.services.campaigns.repository import save_hearing
from clarion.services.campaigns.starting.drafts import Change
from clarion.services.campaigns.starting.errors import NotToBeStarted, Overtaken, Unfit, Unknown
from clarion.services.campaigns.starting.making import check_reach
from clarion.services.campaigns.starting.moments import checked, due_of, in_zone, known_zone, noted
from clarion.services.campaigns.starting.naming import QUERIES
from clarion.services.campaigns.starting.views import FactChange, Foreseen

NAME = "campaigns"
STANDING = "standing"
STANDS: Mapping[str, str] = {
    Status.WAITING: "It waits by now",
    Status.DRAFTED: "It waits for approval by now",
    Status.LAUNCHED: "It was launched: people are told of it",
    Status.CLOSED: "It is over by now",
}
CHANGED_FIELDS = frozenset({"status", "starts_at", "time_note", "letters_due_at", "location"})
"""What of an occasion is changed here, so what is put back."""
ACTS: Mapping[str, str] = {
    "moved": "campaign.moved",
    "cancelled": "campaign.cancelled",
    "taken-back": "campaign.change-taken-back",
}
NOTHING_TO_TAKE_BACK = "nothing of it was changed that could be taken back"

Wish: TypeAlias = Change | Literal["cancel", "take-back"]
"""What is to become of a campaign."""


@dataclass(frozen=True, slots=True)
class Changer:
    """Who changes a campaign; `staff` is None for a command and a key, who may everywhere."""

    actor: Actor
    staff: Staff | None = None


@dataclass(frozen=True, slots=True)
class LastChange:
    """What was changed last and can be taken back, by whom and when."""

    what: Literal["moved", "cancelled"]
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Changeable:
    """What somebody can do to a campaign as it stands, the likeliest first, and what can be taken back of it."""

    acts: Sequence[Literal["move", "cancel"]] = ()
    last: LastChange | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign that was started, as it is before it is changed; `row` is that of `campaign_to_change`."""

    row: Mapping[str, Any]
    occasion: Occasion

    @property
    def facts(self) -> list[Fact]:
        """What its calls state, as far as a reader would act on it."""
        return [fact for fact in map(Fact.model_validate, self.row["facts"] or ()) if fact.material]

    @property
    def parts(self) -> Parts:
        """What somebody looks at who changes it."""
        return parts_of_facts(self.facts) | {STANDING: Part(self.row["status"], STANDS[self.row["status"]])}


async def foresee(connection: Connection, campaign: str, wish: Wish, changer: Changer, now: datetime) -> Foreseen:
    """What a change would do to those who were told: it is made, looked at and taken back, so that both say the same.

    Raises:
        NotToBeStarted: as the change itself does.
    """
    trial = connection.transaction()
    await trial.start()
    try:
        tx = Transaction(connection, NAME)
        before = await _standing(connection, campaign)
        count = await QUERIES.count_told(connection, campaign=campaign)
        await change(tx, campaign, wish, changer, now)
        after = await _standing(connection, campaign)
    finally:
        await trial.rollback()
    told_again = after.row["told_revision"] > before.row["told_revision"]
    return Foreseen(
        id=campaign,
        title=before.row["title"],
        changes=[_fact_change(each) for each in amending.changes(before.facts, after.facts)],
        amended=count["told"] if told_again else 0,
        unsent=count["unsent"],
        look=look_of(before.parts),
    )


def _fact_change(each: amending.Change) -> FactChange:
    return FactChange(label=each["label"] or "", now=each["now"], was=each["was"])


async def change(
    tx: Transaction, campaign: str, wish: Wish, changer: Changer, now: datetime, *, look: str | None = None
) -> None:
    """Make a change of a campaign that was started; with a `look`, only if it is still what was looked at.

    Raises:
        NotToBeStarted: as `move`, `cancel` and `take_back` do.
    """
    match wish:
        case Change():
            await move(tx, campaign, wish, changer, now, look=look)
        case "cancel":
            await cancel(tx, campaign, changer, now, look=look)
        case "take-back":
            await take_back(tx, campaign, changer, now, look=look)


async def move(
    tx: Transaction, campaign: str, wish: Change, changer: Changer, now: datetime, *, look: str | None = None
) -> None:
    """Give a campaign that was started another end, deadline or place; who was told is told again, as of a hearing.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's, or cancelled.
        NotYours: it reaches beyond the divisions of the staff.
        Unfit: the new time is past, or nothing is new.
        Overtaken: it is other than was looked at.
    """
    occasion = await _open(tx, campaign, changer, look)
    zone = known_zone(occasion.zone)
    end = in_zone(wish.decided_at, zone) or occasion.starts_at
    checked("decided_at", end, occasion.zone, now)
    due = due_of(wish.due_at, end, occasion.zone) if wish.due_at else occasion.letters_due_at
    moved = occasion.model_copy(
        update={
            "starts_at": end,
            "time_note": noted(end),
            "letters_due_at": due if due is None or due < ends_at(end, occasion.zone) else None,
            "location": occasion.location.model_copy(update={"name": wish.where or occasion.location.name}),
        }
    )
    if moved == occasion:
        raise Unfit.at("decided_at", "nothing would be new: say another end, deadline or place")
    await _bring(tx, campaign, occasion, moved.model_copy(update={"changed": ["time"]}), "moved", changer, now)


async def cancel(tx: Transaction, campaign: str, changer: Changer, now: datetime, *, look: str | None = None) -> None:
    """Call a campaign off that was started: who was told is told that it is off, and nobody else hears of it.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's, or cancelled before.
        NotYours: it reaches beyond the divisions of the staff.
        Overtaken: it is other than was looked at.
    """
    occasion = await _open(tx, campaign, changer, look)
    off = occasion.model_copy(update={"status": CANCELLED, "changed": [CANCELLED]})
    await _bring(tx, campaign, occasion, off, "cancelled", changer, now)


async def take_back(
    tx: Transaction, campaign: str, changer: Changer, now: datetime, *, look: str | None = None
) -> None:
    """Have a campaign as it was before it was moved or called off last. Who was told of that is told again; whose mail
    of it did not go out yet gets none.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's, or nothing was changed that can be taken back.
        NotYours: it reaches beyond the divisions of the staff.
        Unfit: what it would have again is past.
        Overtaken: it is other than was looked at.
    """
    occasion = await _taken_up(tx, campaign, changer, look)
    last = await QUERIES.last_change(tx.connection, campaign=campaign)
    if last is None:
        raise NotToBeStarted(NOTHING_TO_TAKE_BACK)
    restored = _put_back(occasion, last)
    checked("decided_at", restored.starts_at, restored.zone, now)
    told = ["reinstated"] if last["what"] == "cancelled" else ["time"]
    await _bring(tx, campaign, occasion, restored.model_copy(update={"changed": told}), "taken-back", changer, now)


async def changeable(connection: Connection, campaign: str, staff: Staff, now: datetime) -> Changeable:
    """What somebody can do to a campaign; nothing to a hearing's, to another division's, and to one that is over."""
    try:
        standing = await _standing(connection, campaign)
        await _reached(connection, standing.occasion, staff)
    except NotToBeStarted:
        return Changeable()
    row = await QUERIES.last_change(connection, campaign=campaign)
    last = row and LastChange(row["what"], row["by"], row["at"])
    if standing.occasion.status == CANCELLED:
        return Changeable((), last if hearing_ends_at(_put_back(standing.occasion, row)) > now else None)
    if standing.row["status"] == Status.CLOSED:
        return Changeable()
    return Changeable(("move", "cancel"), last)


async def started_occasion(connection: Connection, campaign: str) -> Occasion:
    """The occasion of a campaign that somebody started.

    Raises:
        Unknown: there is no such campaign.
        NotToBeStarted: it is a hearing's.
    """
    return (await _standing(connection, campaign)).occasion


async def _standing(connection: Connection, campaign: str) -> Standing:
    row = None if "\x00" in campaign else await QUERIES.campaign_to_change(connection, campaign=campaign)
    if row is None:
        raise Unknown(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    occasion = Occasion.model_validate(row["alert"])
    if occasion.audience is None:
        raise NotToBeStarted("it is a hearing's: it moves and ends with what the hearing's source says")
    return Standing(row, occasion)


def _put_back(occasion: Occasion, last: Mapping[str, Any] | None) -> Occasion:
    """The occasion as it was before it was changed last."""
    return Occasion.model_validate(occasion.model_dump(mode="json") | (last["before"] if last else {}))


async def _reached(connection: Connection, occasion: Occasion, staff: Staff | None) -> None:
    """Whether somebody may change it: who may start it. Raises NotYours."""
    if occasion.audience is not None:
        await check_reach(connection, occasion.audience, staff)


async def _taken_up(tx: Transaction, campaign: str, changer: Changer, look: str | None) -> Occasion:
    """The occasion of a campaign that was started, while nobody else decides on any."""
    await CAMPAIGNS.lock_decisions(tx.connection)
    standing = await _standing(tx.connection, campaign)
    await _reached(tx.connection, standing.occasion, changer.staff)
    other = [] if look is None else changes(look, standing.parts)
    if other:
        raise Overtaken(other)
    return standing.occasion


async def _open(tx: Transaction, campaign: str, changer: Changer, look: str | None) -> Occasion:
    occasion = await _taken_up(tx, campaign, changer, look)
    if occasion.status == CANCELLED:
        raise NotToBeStarted("it was cancelled before: take that back, or start another one")
    return occasion


async def _bring(  # noqa: PLR0917
    tx: Transaction, campaign: str, before: Occasion, after: Occasion, what: str, changer: Changer, now: datetime
) -> None:
    """Have the occasion so, decide what follows, and keep who did it and how it was."""
    revision = before.revision + 1
    await save_hearing(tx.connection, after.model_copy(update={"revision": revision}))
    await decide_on(tx, after.model_copy(update={"revision": revision}), now)
    await QUERIES.insert_change(
        tx.connection,
        campaign=campaign,
        revision=revision,
        what=what,
        before=before.model_dump(mode="json", include=set(CHANGED_FIELDS)),
        by=signature(changer.actor),
        now=now,
    )
    divisions = before.audience.divisions if before.audience else []
    await record(tx.connection, changer.actor, ACTS[what], f"campaign:{campaign}", at=now, divisions=divisions)
