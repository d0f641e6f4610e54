"""Rows of hearings whose first alert is held back, and the values the rules work on."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.services.legislation.domain.amendments import Amendment, Hearing
from clarion.services.legislation.domain.statements import Alias, Outcome
from clarion.services.legislation.domain.states import agenda_column, bills, committee_key, start_key
from clarion.services.legislation.domain.world import World

QUERIES = load_queries(__package__)
A_DAY = timedelta(days=1)
"""Where only a date is known, the day may have begun a day before it does in UTC."""


Place = tuple[str, str, frozenset[str]]
"""A jurisdiction, a committee there, and keys of bills."""
Start = tuple[str, str, str]
"""A jurisdiction, a committee there, and a start of one of its hearings."""


async def find_ahead(connection: Connection, places: Collection[Place], now: datetime) -> set[str]:
    """The hearings ahead of which new ones in these places may be the next time."""
    rows = QUERIES.find_ahead(connection, **columns(places), since=(now - A_DAY).date().isoformat())
    return {row["hearing_id"] async for row in rows}


async def find_held(
    connection: Connection, aliases: Collection[Alias], starts: Collection[Start], places: Collection[Place]
) -> list[Hearing]:
    """The hearings held back that have one of these ids, are at one of these starts, or have bills in these places."""
    together: dict[tuple[str, str], set[str]] = {}
    for jurisdiction, committee, keys in places:
        together.setdefault((jurisdiction, committee), set()).update(keys)
    rows = QUERIES.find_held(
        connection,
        of_jurisdictions=list({jurisdiction for jurisdiction, _ in aliases}),
        aliases=[alias for _, alias in aliases],
        start_jurisdictions=[jurisdiction for jurisdiction, _, _ in starts],
        start_committees=[committee for _, committee, _ in starts],
        starts=[start for _, _, start in starts],
        **columns([(*where, frozenset(keys)) for where, keys in together.items()]),
    )
    return [held_hearing(row) async for row in rows]


def columns(places: Collection[Place]) -> dict[str, list[str]]:
    """Places as the queries take them."""
    return {
        "jurisdictions": [jurisdiction for jurisdiction, _, _ in places],
        "committees": [committee for _, committee, _ in places],
        "bills": [agenda_column(keys) for _, _, keys in places],
    }


async def find_held_by_id(connection: Connection, ids: Collection[str]) -> list[Hearing]:
    """The hearings among these that are held back."""
    return [held_hearing(row) async for row in QUERIES.find_held_by_id(connection, ids=list(ids))]


def held_hearing(row: Mapping[str, Any]) -> Hearing:
    """A hearing of which nobody was told yet."""
    aliases = [(row["jurisdiction"], alias) for alias in row["aliases"]]
    return Hearing(row["id"], aliases, held_until=row["due_at"])


async def save_held(world: World, connection: Connection, amendments: Mapping[str, Amendment]) -> None:
    """Keep which hearings are held back now, and say in the history what became of those that proved to be others."""
    held = [(world.hearings[one], new.held_until) for one, new in amendments.items() if new.held_until is not None]
    told = [one for one, new in amendments.items() if world.hearings[one].held_until and new.held_until is None]
    if told or world.moved:
        await QUERIES.clear_held(connection, hearing_ids=[*told, *world.moved])
    if world.moved:
        outcomes = [Outcome.ALERTED if amendments[one].alert else Outcome.UNCHANGED for one in world.moved.values()]
        await QUERIES.join_history(
            connection, held_ids=list(world.moved), hearing_ids=list(world.moved.values()), outcomes=outcomes
        )
    rows = [(hearing, hearing.holds, due_at) for hearing, due_at in held if hearing.holds is not None]
    if rows:
        await QUERIES.save_held(
            connection,
            hearing_ids=[hearing.id for hearing, _, _ in rows],
            jurisdictions=[state.jurisdiction for _, state, _ in rows],
            aliases=[{"ids": [alias for _, alias in hearing.aliases]} for hearing, _, _ in rows],
            committees=[committee_key(state.committee) for _, state, _ in rows],
            starts=[start_key(state) for _, state, _ in rows],
            bills=[agenda_column(bills(state)) for _, state, _ in rows],
            due_ats=[due_at for _, _, due_at in rows],
        )
