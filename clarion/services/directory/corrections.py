"""Corrections of officials' entries: what somebody says, what holds at once, and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from clarion.runtime.database import Connection, Transaction, load_queries, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.directory import IMPORT_EXTENSION, Official
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.directory.domain.corrections import (
    MOVES,
    Correction,
    State,
    Wish,
    counts_at_once,
    counts_when_confirmed,
    noted_before,
    overlay_of,
    set_aside,
)

QUERIES = load_queries("clarion.services.directory")
SHOWN_TO_PERSON = timedelta(days=30)
"""For so long a mailbox's own page shows what was said there, and takes it back."""
SHOWN = 50


class UnknownOfficial(Exception):
    """There is no such official, or not by this mailbox."""


class UnknownCorrection(Exception):
    """There is no such correction."""


class Settled(Exception):
    """The correction cannot go there any more; the text says why."""


async def correct(
    tx: Transaction, official_id: str, wish: Wish, value: str, actor: Actor, *, mailbox: str | None = None
) -> Correction:
    """Take down what is wrong with an official's entry; what counts at once is published with this transaction.

    `mailbox` is that of a person who says so by a link: only its own people can be meant.

    Raises:
        UnknownOfficial: there is none of this id (in this mailbox).
        Unfit: the wish cannot be taken, in words for whoever has it.
        asyncpg.LockNotAvailableError: an import holds the entry.
    """
    await QUERIES.limit_lock_waits(tx.connection)
    if await QUERIES.lock_official(tx.connection, id=official_id) is None:
        raise UnknownOfficial(official_id)
    known = await find_official(tx.connection, official_id)
    if mailbox is not None and known["mailbox"] != mailbox:
        raise UnknownOfficial(official_id)
    overlay = overlay_of(wish, value, known, await mailbox_key(tx.connection))
    said = Correction(
        id=new_id(),
        official=official_id,
        wish=wish,
        overlay=overlay,
        before={},
        state=State.ASKED,
        mailbox=known["mailbox"],
        said_by_kind=actor.kind,
        said_by=actor.name,
        said_at=tx.clock(),
    )
    await _insert(tx, said)
    await _note(tx, said, known, actor, "correction.said")
    if counts_at_once(wish, by_staff=mailbox is None):
        return await _put_in_force(tx, said)
    return said


async def confirm(tx: Transaction, correction_id: str, actor: Actor) -> Correction:
    """Somebody who reads the new address says that it is theirs: it counts now, or once staff say so too.

    Raises:
        UnknownCorrection, Settled: as of `undo`.
    """
    said, known = await _locked(tx, correction_id)
    if said.state is State.IN_FORCE:
        return said
    _move(said, State.IN_FORCE)
    if known["mailbox"] != said.mailbox:
        raise Settled("This person has got another address since it was asked for: ask again by a newer mail's link.")
    await QUERIES.note_confirmed(tx.connection, id=said.id, at=tx.clock())
    await _note(tx, said, known, actor, "correction.confirmed")
    if not counts_when_confirmed(known["email"], said.overlay["email"]):
        return replace(said, confirmed_at=tx.clock())
    return await _put_in_force(tx, replace(said, confirmed_at=tx.clock()))


async def accept(tx: Transaction, correction_id: str, actor: Actor) -> Correction:
    """Staff say that what was asked by a link is right: it is in force.

    Raises:
        UnknownCorrection, Settled: as of `undo`.
    """
    said, known = await _locked(tx, correction_id)
    _move(said, State.IN_FORCE)
    await QUERIES.note_settler(tx.connection, id=said.id, settled_by=actor.name, settled_at=tx.clock())
    await _note(tx, said, known, actor, "correction.accepted")
    return await _put_in_force(tx, said)


async def refuse(tx: Transaction, correction_id: str, actor: Actor) -> Correction:
    """Staff say that what was asked by a link is not so: nothing changes.

    Raises:
        UnknownCorrection, Settled: as of `undo`.
    """
    said, known = await _locked(tx, correction_id)
    _move(said, State.REFUSED)
    await _note(tx, said, known, actor, "correction.refused")
    return await _settle(tx, said, State.REFUSED, actor)


async def undo(tx: Transaction, correction_id: str, actor: Actor) -> Correction:
    """Take a correction back: what stood there before it is published again.

    Raises:
        UnknownCorrection: there is none of this id.
        Settled: it was taken back before, or something newer stands against it.
        asyncpg.LockNotAvailableError: an import holds the entry.
    """
    said, known = await _locked(tx, correction_id)
    _move(said, State.UNDONE)
    if said.state is State.IN_FORCE:
        if not said.holds:
            raise Settled("The directory has said something newer of this person since: there is nothing to undo.")
        await _publish(tx, said.official, set_aside(said, known["corrected"]))
    await _note(tx, said, known, actor, "correction.undone")
    return await _settle(tx, said, State.UNDONE, actor)


async def find_official(connection: Connection, official_id: str) -> dict[str, Any]:
    """An official as published, flat, with the names of city and division.

    Raises:
        UnknownOfficial: there is none of this id.
    """
    row = await QUERIES.official_as_known(connection, id=official_id)
    if row is None:
        raise UnknownOfficial(official_id)
    head = {"id": row["id"], "active": row["active"], "import_id": row["import_id"]}
    places = {"city_name": row["city"], "division": row["division"]}
    return dict(row["body"]) | head | places


async def list_corrections(
    connection: Connection,
    *,
    official: str | None = None,
    divisions: Sequence[str] | None = None,
    skipped: int = 0,
    at_most: int = SHOWN,
) -> list[dict[str, Any]]:
    """Corrections as pages show them, what waits for staff first; of an official, or of divisions (None: all)."""
    return await _listed(connection, official=official, divisions=divisions, skipped=skipped, at_most=at_most)


async def said_from(connection: Connection, mailbox: str, now: datetime) -> list[dict[str, Any]]:
    """What was said by a mailbox's own links in the last days."""
    return await _listed(connection, mailbox=mailbox, since=now - SHOWN_TO_PERSON)


async def find_correction(connection: Connection, correction_id: str) -> dict[str, Any]:
    """One correction as pages show it.

    Raises:
        UnknownCorrection: there is none of this id.
    """
    found = await _listed(connection, correction=correction_id)
    if not found:
        raise UnknownCorrection(correction_id)
    return found[0]


async def _listed(connection: Connection, **wanted: Any) -> list[dict[str, Any]]:
    every = {"correction": None, "official": None, "mailbox": None, "since": None, "divisions": None}
    page = {"at_most": SHOWN, "skipped": 0}
    return [dict(row) async for row in QUERIES.list_corrections(connection, **(every | page | wanted))]


def correction_of(row: Mapping[str, Any]) -> Correction:
    """A listed row as the rules know it."""
    fields = {field: row[field] for field in Correction.__dataclass_fields__}
    return Correction(**(fields | {"wish": Wish(row["wish"]), "state": State(row["state"])}))


async def _locked(tx: Transaction, correction_id: str) -> tuple[Correction, dict[str, Any]]:
    """A correction and its official, neither of which anybody else can change now."""
    await QUERIES.limit_lock_waits(tx.connection)
    official_id = await QUERIES.official_of_correction(tx.connection, id=correction_id)
    if official_id is None:
        raise UnknownCorrection(correction_id)
    row = await QUERIES.lock_official(tx.connection, id=official_id)
    known = await find_official(tx.connection, official_id)
    said = correction_of(await find_correction(tx.connection, correction_id))
    return said, known | {"corrected": row["corrected"]}


def _move(said: Correction, to: State) -> None:
    if to not in MOVES[said.state]:
        raise Settled("This was settled before.")


async def _insert(tx: Transaction, said: Correction) -> None:
    await QUERIES.insert_correction(
        tx.connection,
        id=said.id,
        official=said.official,
        wish=str(said.wish),
        overlay=dict(said.overlay),
        state=str(said.state),
        mailbox=said.mailbox,
        said_by_kind=said.said_by_kind,
        said_by=said.said_by,
        said_at=said.said_at,
    )


async def _put_in_force(tx: Transaction, said: Correction) -> Correction:
    row = await QUERIES.lock_official(tx.connection, id=said.official)
    before = noted_before(said.overlay, row["corrected"])
    await QUERIES.put_in_force(tx.connection, id=said.id, before=before)
    await _publish(tx, said.official, row["corrected"] | dict(said.overlay))
    return replace(said, state=State.IN_FORCE, before=before, holds=True)


async def _settle(tx: Transaction, said: Correction, state: State, actor: Actor) -> Correction:
    now = tx.clock()
    await QUERIES.settle_correction(tx.connection, id=said.id, state=str(state), settled_by=actor.name, settled_at=now)
    return replace(said, state=state, holds=False, settled_by=actor.name, settled_at=now)


async def _publish(tx: Transaction, official_id: str, corrected: Mapping[str, Any]) -> None:
    """Keep what is corrected of an official, and tell everyone."""
    await QUERIES.save_corrected(tx.connection, id=official_id, corrected=dict(corrected), at=tx.clock())
    row = await QUERIES.official_as_known(tx.connection, id=official_id)
    head = {"id": row["id"], "revision": row["revision"], "active": row["active"]}
    event = Outgoing(
        DIRECTORY_ENTITIES,
        key=f"official:{official_id}",
        type="official.changed",
        data=Official.model_validate(row["body"] | head),
        subject=official_id,
        extensions={IMPORT_EXTENSION: row["import_id"]},
    )
    await enqueue(tx, [event])


async def _note(tx: Transaction, said: Correction, known: Mapping[str, Any], actor: Actor, act: str) -> None:
    """Into the audit log: which wish, and of whom, but neither name nor address."""
    await record(
        tx.connection,
        actor,
        act,
        f"official:{said.official}",
        at=tx.clock(),
        details={"correction": said.id, "wish": str(said.wish)},
        divisions=[known["division"]] if known["division"] else [],
        mailbox=said.mailbox,
    )
