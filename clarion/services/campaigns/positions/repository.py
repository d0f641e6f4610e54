"""Rows of positions and the values of the domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigns.domain.model import AdoptedPosition, Position, Representative
from clarion.services.campaigns.domain.occasions import Occasion

QUERIES = load_queries("clarion.services.campaigns")
IN_ROWS_AS_THEY_ARE = tuple(set(Position.__dataclass_fields__) - {"groups", "representative"})
REPRESENTATIVE = ("account", "name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Place:
    """What a position is on: whatever its version, it stays there."""

    jurisdiction: str
    session: str
    bill_key: str

    @classmethod
    def of(cls, position: Position) -> "Place":
        """Where a position stands."""
        return cls(position.jurisdiction, position.session, position.bill_key)

    @property
    def named(self) -> dict[str, str]:
        """As statements take it."""
        return {"jurisdiction": self.jurisdiction, "session": self.session, "bill_key": self.bill_key}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which positions are listed: those that fit all that is given; withdrawn ones only if asked for."""

    stance: str | None = None
    subject: str | None = None
    session: str | None = None
    priority: str | None = None
    policy_area: str | None = None
    withdrawn: bool = False


EVERY = Wanted()


def adopted_of(row: Mapping[str, Any]) -> AdoptedPosition:
    """A position as it stands in its row."""
    person = Representative(*(row[f"representative_{name}"] for name in REPRESENTATIVE))
    position = Position(
        groups=tuple(row["groups"]),
        representative=person if person != Representative() else None,
        **{name: row[name] for name in IN_ROWS_AS_THEY_ARE},
    )
    return AdoptedPosition(
        row["id"], row["version"], row["adopted_at"], position, row["withdrawn"], row["withdrawn_reason"]
    )


async def find_position(connection: Connection, place: Place) -> AdoptedPosition | None:
    """The newest version of a position, which may be that it was withdrawn."""
    row = await QUERIES.current_position(connection, **place.named)
    return row and adopted_of(row)


async def find_place(connection: Connection, position_id: str) -> Place | None:
    """Where the position stands of which some version has this id."""
    row = None if "\x00" in position_id else await QUERIES.position_by_id(connection, id=position_id)
    return row and Place(**dict(row))


async def insert_position(connection: Connection, adopted: AdoptedPosition) -> None:
    """Keep a new version."""
    position = adopted.position
    person = position.representative or Representative()
    await QUERIES.insert_position(
        connection,
        id=adopted.id,
        version=adopted.version,
        adopted_at=adopted.adopted_at,
        withdrawn=adopted.withdrawn,
        withdrawn_reason=adopted.withdrawn_reason,
        groups=list(position.groups),
        **{f"representative_{name}": getattr(person, name) for name in REPRESENTATIVE},
        **{name: getattr(position, name) for name in IN_ROWS_AS_THEY_ARE},
    )


async def list_positions(connection: Connection, wanted: Wanted = EVERY) -> list[AdoptedPosition]:
    """The newest versions of the positions that are wanted."""
    rows = QUERIES.list_positions(
        connection,
        stance=wanted.stance,
        subject=wanted.subject,
        session=wanted.session,
        priority=wanted.priority,
        policy_area=wanted.policy_area,
        withdrawn=wanted.withdrawn,
    )
    return [adopted_of(row) async for row in rows]


async def position_versions(
    connection: Connection, bill_keys: Sequence[str], session: str | None = None, jurisdiction: str | None = None
) -> list[AdoptedPosition]:
    """Every version of the positions on these, newest first within each; the one changed last stands first."""
    rows = QUERIES.position_versions(connection, bill_keys=bill_keys, session=session, jurisdiction=jurisdiction)
    return [adopted_of(row) async for row in rows]


async def positions_on_agenda(connection: Connection, occasion: Occasion) -> list[AdoptedPosition]:
    """The positions in force on a hearing's agenda, and those that were withdrawn, in its order."""
    keys = list(dict.fromkeys(item.bill_key for item in occasion.agenda))
    rows = QUERIES.positions_on_agenda(
        connection, jurisdiction=occasion.jurisdiction, session=occasion.session, bill_keys=keys
    )
    found = {row["bill_key"]: adopted_of(row) async for row in rows}
    return [found[key] for key in keys if key in found]


async def put_off_hearings_with(
    connection: Connection, place: Place, now: datetime, at_once: int
) -> tuple[list[Occasion], int]:
    """The first hearings ahead on whose agenda it is, and how many others are put off for the worker."""
    rows = [
        row async for row in QUERIES.put_off_hearings_with_bill(connection, now=now, at_once=at_once, **place.named)
    ]
    put_off = max(0, rows[0]["put_off"]) if rows else 0
    return [Occasion.model_validate(row["alert"]) for row in rows], put_off
