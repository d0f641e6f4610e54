"""A position is adopted, changed and withdrawn; each time the campaigns on coming hearings are decided on again."""

from dataclasses import dataclass, replace

from pydantic import JsonValue

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor, record
from clarion.services.campaigns.domain.model import AdoptedPosition, Position
from clarion.services.campaigns.operations import AT_ONCE, decide_on
from clarion.services.campaigns.positions.agenda import ChangedMeanwhile, UnknownPriority, versions_of
from clarion.services.campaigns.positions.priorities import Standing, today_at
from clarion.services.campaigns.positions.repository import (
    QUERIES,
    Place,
    find_position,
    insert_position,
    put_off_hearings_with,
)
from clarion.services.campaigns.positions.subjects import fits, problems
from clarion.services.campaigns.starting.drafting import draft_next

REASON_CHARACTERS = 2_000


class Unadoptable(Exception):
    """A position cannot be as it was given: `errors` says by field what would do."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = errors


class UnknownPosition(Exception):
    """There is no position on this; the message says how to see which there are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no position on {name}: `clarion positions list` shows them")


@dataclass(frozen=True, slots=True)
class Adoption:
    """The newest version of a position; `is_new` is False if just that had been so before.

    `to_follow` hearings ahead are yet to be decided on again, by the worker; until then nobody is asked there.
    """

    adopted: AdoptedPosition
    is_new: bool
    to_follow: int = 0


async def adopt(
    tx: Transaction, actor: Actor, position: Position, clock: Clock, *, based_on: int | None = None
) -> Adoption:
    """Adopt what somebody gives, if it can be, and write down who did; the record holds no stance.

    `based_on` is the version that they have seen (0: none).

    Raises:
        Unadoptable: a field cannot be so, or names what is not there.
        ChangedMeanwhile: there is a later version.
    """
    errors = dict(problems(position)) or await _missing(tx.connection, position, clock)
    if errors:
        raise Unadoptable(errors)
    adoption = await adopt_position(tx, position, clock, based_on=based_on)
    if adoption.is_new:
        await _write_down(tx, actor, "position.adopted", adoption.adopted)
    return adoption


async def adopt_position(tx: Transaction, position: Position, clock: Clock, *, based_on: int | None = None) -> Adoption:
    """Make this the position, and decide again on the coming hearings with it: on some now, on the others soon.

    The same position again changes nothing; a different one is a new version, and so is one that was withdrawn.

    Raises:
        ChangedMeanwhile: there is a later version than `based_on`.
    """
    await QUERIES.lock_decisions(tx.connection)
    known = await find_position(tx.connection, Place.of(position))
    if known is not None and not known.withdrawn and replace(known.position, bill=position.bill) == position:
        return Adoption(known, is_new=False)
    version = known.version if known else 0
    if based_on is not None and based_on != version:
        raise ChangedMeanwhile(f"version {version} of it was made meanwhile: look at that first. Nothing was changed.")
    adopted = AdoptedPosition(new_id(), version + 1, clock(), position)
    return Adoption(adopted, is_new=True, to_follow=await _keep(tx, adopted, clock))


async def withdraw(tx: Transaction, actor: Actor, place: Place, reason: str, clock: Clock) -> Adoption:
    """Stand for nothing here any more: from the commit on no campaign asks about it, until it is adopted again.

    Who was told is told once that nothing more is to be done; a campaign with other bills goes on without this one.
    Withdrawn before, it stays as it was. `reason` is kept with the position and told to nobody by mail.

    Raises:
        UnknownPosition: there is none.
        Unadoptable: the reason is empty or too long.
    """
    why = " ".join(reason.split())
    if not why or not fits(why, REASON_CHARACTERS):
        raise Unadoptable({"reason": f"say why, in 1 to {REASON_CHARACTERS:,} characters"})
    await QUERIES.lock_decisions(tx.connection)
    known = await find_position(tx.connection, place)
    if known is None:
        raise UnknownPosition(place.bill_key)
    if known.withdrawn:
        return Adoption(known, is_new=False)
    asks_nothing = replace(known.position, stance="watch")
    withdrawn = AdoptedPosition(
        new_id(), known.version + 1, clock(), asks_nothing, withdrawn=True, withdrawn_reason=why
    )
    to_follow = await _keep(tx, withdrawn, clock)
    await _write_down(tx, actor, "position.withdrawn", withdrawn)
    return Adoption(withdrawn, is_new=True, to_follow=to_follow)


async def _keep(tx: Transaction, adopted: AdoptedPosition, clock: Clock) -> int:
    """Keep a version and do what follows: for the campaigns on coming hearings, and for the draft of the next. On how
    many hearings the worker is to decide.
    """
    place = Place.of(adopted.position)
    await insert_position(tx.connection, adopted)
    occasions, put_off = await put_off_hearings_with(tx.connection, place, clock(), AT_ONCE)
    for occasion in occasions:
        await decide_on(tx, occasion, clock())
    await draft_next(tx, place.jurisdiction, place.session, [place.bill_key], clock())
    return put_off


async def _missing(connection: Connection, position: Position, clock: Clock) -> dict[str, str]:
    """What a position names that is not there, by field."""
    errors = {}
    if position.priority is not None:
        versions = await versions_of(connection, position.priority)
        if not versions:
            errors["priority"] = str(UnknownPriority(position.priority))
        elif versions[0].priority.standing(today_at(clock())) is Standing.OVER:
            errors["priority"] = f"{position.priority} ended on {versions[0].priority.until_day}"
    if unknown := await QUERIES.unknown_groups(connection, groups=list(position.groups)):
        errors["group"] = f"the directory has no {', '.join(unknown)}: `clarion directory import groups` brings them in"
    return errors


async def _write_down(tx: Transaction, actor: Actor, act: str, adopted: AdoptedPosition) -> None:
    """Who did it; which stance is taken is in the position alone."""
    details: dict[str, JsonValue] = {
        "bill": adopted.position.bill,
        "session": adopted.position.session,
        "version": adopted.version,
    }
    await record(tx.connection, actor, act, f"position:{adopted.id}", at=tx.clock(), details=details)
