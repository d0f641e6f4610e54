"""Rows of hearings, of where sources stand and of the history, and the values the rules work on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.legislation import HearingAlert, HearingNotice
from clarion.services.legislation.domain.amendments import Amendment, Hearing, track
from clarion.services.legislation.domain.standings import Stand, Standing
from clarion.services.legislation.domain.statements import Alias, Decision, Mark, Outcome, Statement
from clarion.services.legislation.domain.states import (
    agenda_column,
    bills,
    committee_key,
    place_of,
    start_key,
    start_of,
)
from clarion.services.legislation.domain.subjects import Scope, aliases_in, ended_in, notices_in, scopes_in
from clarion.services.legislation.domain.world import Calendar, World
from clarion.services.legislation.held import find_ahead, find_held, find_held_by_id, save_held
from clarion.services.legislation.splitting import PART


def queries() -> Any:
    """This service's named SQL."""
    return load_queries(__package__)


async def lock_jurisdictions(connection: Connection, jurisdictions: Collection[str]) -> None:
    """Wait until nobody else works on these; they are ours until the transaction ends."""
    await queries().lock_jurisdictions(connection, jurisdictions=list(jurisdictions))


async def load(world: World, connection: Connection, statements: Sequence[Statement]) -> None:
    """Add to a world all hearings that these statements may be about, with where the sources stand about them."""
    world.calendars |= await find_calendars(connection, scopes_in(statements))
    ended = ended_in(statements, world.lists())
    aliases = aliases_in(statements) | ended
    known = await find_aliases(connection, aliases)
    notices = list(notices_in(statements))
    new = [(source, one) for source, one in notices if one.agenda and (one.jurisdiction, one.hearing_id) not in known]
    ids = set(known.values()) | await find_other_ids(connection, new, world.now)
    await load_hearings(world, connection, ids, aliases)
    starts = {start_of(notice) for _, notice in notices} | set(world.starts())
    places = {place_of(state) for state in world.missed_after(ended)}
    await load_held(world, connection, await find_held(connection, aliases, starts, places))


async def load_held(world: World, connection: Connection, held: Collection[Hearing]) -> None:
    """Add hearings that are held back to a world, with where the sources stand about them."""
    if held:
        world.know(held, await find_standings(connection, {alias for hearing in held for alias in hearing.aliases}))


async def load_losing(world: World, connection: Connection) -> None:
    """Add the hearings from which bills are withdrawn that others in this world gained."""
    gained = {(track(one, key)[0], key) for one in world.gaining() for key in one.gained}
    rows = queries().find_losing(
        connection, jurisdictions=[one for one, _ in gained], bill_keys=[one for _, one in gained]
    )
    await load_hearings(world, connection, {row["hearing_id"] async for row in rows} - world.hearings.keys())


async def load_hearings(
    world: World, connection: Connection, ids: Collection[str], aliases: Collection[Alias] = ()
) -> None:
    """Add these hearings as far as they were told, and where sources stand about them and about these aliases."""
    waiting: dict[str, dict[str, datetime]] = {}
    async for row in queries().find_withdrawals(connection, ids=list(ids)):
        waiting.setdefault(row["hearing_id"], {})[row["bill_key"]] = row["due_at"]
    rows = [row async for row in queries().find_hearings(connection, ids=list(ids))]
    hearings = [known_hearing(row, waiting.get(row["id"], {})) for row in rows]
    wanted = {alias for hearing in hearings for alias in hearing.aliases} | set(aliases)
    world.know(hearings, await find_standings(connection, wanted))


def known_hearing(row: Mapping[str, Any], waiting: Mapping[str, datetime]) -> Hearing:
    """A hearing as it was told last; its ids in the order in which they were told."""
    published = HearingAlert.model_validate_json(row["state"])
    names = dict.fromkeys([one for one in published.aliases if one in row["aliases"]] + row["aliases"])
    return Hearing(row["id"], [(row["jurisdiction"], name) for name in names], published, waiting)


async def load_due(world: World, connection: Connection, ids: Collection[str]) -> None:
    """Add these hearings to a world, of which something waits."""
    await load_hearings(world, connection, ids)
    await load_held(world, connection, await find_held_by_id(connection, ids))


async def find_aliases(connection: Connection, aliases: Collection[Alias]) -> dict[Alias, str]:
    """The hearings that are known under these ids."""
    rows = queries().find_aliases(
        connection,
        jurisdictions=[jurisdiction for jurisdiction, _ in aliases],
        aliases=[alias for _, alias in aliases],
    )
    return {(row["jurisdiction"], row["alias"]): row["hearing_id"] async for row in rows}


async def find_other_ids(connection: Connection, new: Sequence[tuple[str, HearingNotice]], now: datetime) -> set[str]:
    """The hearings that these new ones, each with its source, may prove to be."""
    if not new:
        return set()
    jurisdictions = [notice.jurisdiction for _, notice in new]
    committees = [committee_key(notice.committee) for _, notice in new]
    keys = [agenda_column(bills(notice)) for _, notice in new]
    found = queries().find_missed(connection, jurisdictions=jurisdictions, committees=committees, bills=keys)
    missed = {row["hearing_id"] async for row in found}
    found = queries().find_at_same_start(
        connection,
        jurisdictions=jurisdictions,
        committees=committees,
        starts=[start_key(notice) for _, notice in new],
        bills=keys,
        sources=[source for source, _ in new],
    )
    at_start = {row["hearing_id"] async for row in found}
    return missed | at_start | await find_ahead(connection, {place_of(notice) for _, notice in new}, now)


async def find_standings(connection: Connection, aliases: Collection[Alias]) -> list[Standing]:
    """Where sources stand about hearings of these ids."""
    rows = queries().find_standings(
        connection,
        jurisdictions=[jurisdiction for jurisdiction, _ in aliases],
        aliases=[alias for _, alias in aliases],
    )
    return [known_standing(row) async for row in rows]


def known_standing(row: Mapping[str, Any]) -> Standing:
    """A row as where a source stands."""
    return Standing(
        alias=(row["jurisdiction"], row["alias"]),
        source=row["source"],
        stand=Stand(row["stand"]),
        changed_at=row["changed_at"],
        arrival=row["arrival"],
        notice=HearingNotice.model_validate_json(row["notice"]) if row["notice"] is not None else None,
        noticed=Mark(row["noticed_at"], row["notice_sequence"]) if row["noticed_at"] is not None else None,
        ended=Mark(row["ended_at"], row["end_sequence"]) if row["ended_at"] is not None else None,
    )


async def find_calendars(connection: Connection, scopes: Collection[Scope]) -> dict[Scope, Calendar]:
    """The sources' last lists."""
    if not scopes:
        return {}
    rows = queries().find_calendars(
        connection,
        sources=[source for source, _, _ in scopes],
        jurisdictions=[jurisdiction for _, jurisdiction, _ in scopes],
        committees=[committee for _, _, committee in scopes],
    )
    return {
        (row["source"], row["jurisdiction"], row["committee"]): Calendar(frozenset(row["aliases"]), row["stated_at"])
        async for row in rows
    }


async def save(world: World, connection: Connection, amendments: Mapping[str, Amendment], now: datetime) -> None:
    """Keep what is new in a world, and what was told of its hearings."""
    await save_hearings(connection, [one.alert for one in amendments.values() if one.alert is not None], now)
    await save_aliases(connection, told_aliases(world, amendments))
    await save_standings(connection, list(world.new_standings.values()))
    await save_calendars(connection, world.new_calendars)
    await save_withdrawals(world, connection, amendments)
    await save_held(world, connection, amendments)


def told_aliases(world: World, amendments: Mapping[str, Amendment]) -> dict[Alias, str]:
    """The ids to keep: the new ones of hearings that were told, and all of those that were held back until now."""
    held = {one for one, new in amendments.items() if new.held_until is not None}
    fresh = {alias: one for alias, one in world.new_aliases.items() if one not in held}
    released = [world.hearings[one] for one in amendments.keys() - held if world.hearings[one].held_until is not None]
    return fresh | {alias: hearing.id for hearing in released for alias in hearing.aliases}


async def save_hearings(connection: Connection, alerts: Sequence[HearingAlert], now: datetime) -> None:
    """Keep the last alerts of hearings."""
    if alerts:
        await queries().save_hearings(
            connection,
            ids=[alert.hearing_id for alert in alerts],
            jurisdictions=[alert.jurisdiction for alert in alerts],
            revisions=[alert.revision for alert in alerts],
            statuses=[alert.status for alert in alerts],
            states=[alert.model_dump_json() for alert in alerts],
            committees=[committee_key(alert.committee) for alert in alerts],
            starts=[start_key(alert) for alert in alerts],
            bills=[agenda_column(bills(alert)) for alert in alerts],
            now=now,
        )


async def save_aliases(connection: Connection, aliases: Mapping[Alias, str]) -> None:
    """Keep the ids under which hearings are known."""
    if aliases:
        await queries().save_aliases(
            connection,
            jurisdictions=[jurisdiction for jurisdiction, _ in aliases],
            aliases=[alias for _, alias in aliases],
            hearing_ids=list(aliases.values()),
        )


async def save_standings(connection: Connection, standings: Sequence[Standing]) -> None:
    """Keep where sources stand."""
    if standings:
        await queries().save_standings(
            connection,
            jurisdictions=[one.alias[0] for one in standings],
            aliases=[one.alias[1] for one in standings],
            sources=[one.source for one in standings],
            stands=[one.stand for one in standings],
            changed_ats=[one.changed_at for one in standings],
            arrivals=[one.arrival for one in standings],
            notices=[one.notice.model_dump_json() if one.notice is not None else None for one in standings],
            noticed_ats=[one.noticed and one.noticed.at for one in standings],
            notice_sequences=[one.noticed and one.noticed.sequence for one in standings],
            ended_ats=[one.ended and one.ended.at for one in standings],
            end_sequences=[one.ended and one.ended.sequence for one in standings],
        )


async def save_calendars(connection: Connection, calendars: Mapping[Scope, Calendar]) -> None:
    """Keep the sources' last lists."""
    if calendars:
        await queries().save_calendars(
            connection,
            sources=[source for source, _, _ in calendars],
            jurisdictions=[jurisdiction for _, jurisdiction, _ in calendars],
            committees=[committee for _, _, committee in calendars],
            aliases=[{"ids": sorted(calendar.aliases)} for calendar in calendars.values()],
            stated_ats=[calendar.stated_at for calendar in calendars.values()],
        )


async def save_withdrawals(world: World, connection: Connection, amendments: Mapping[str, Amendment]) -> None:
    """Keep what waits at these hearings now, and say in the history what became of what waited."""
    changed = {one: new for one, new in amendments.items() if dict(new.waiting) != dict(world.hearings[one].waiting)}
    before = [one for one in changed if world.hearings[one].waiting]
    before += [one for one, new in amendments.items() if world.hearings[one].held_until and new.held_until is None]
    if before:
        await queries().clear_withdrawals(connection, hearing_ids=before)
    settled = {one: amendments[one] for one in before if not amendments[one].waits}
    await end_waiting(connection, settled, {one: amendments[other] for one, other in world.moved.items()})
    rows = [(one, key, due_at) for one, new in changed.items() for key, due_at in new.waiting.items()]
    if rows:
        await queries().save_withdrawals(
            connection,
            hearing_ids=[hearing_id for hearing_id, _, _ in rows],
            bill_keys=[key for _, key, _ in rows],
            jurisdictions=[world.hearings[hearing_id].aliases[0][0] for hearing_id, _, _ in rows],
            due_ats=[due_at for _, _, due_at in rows],
        )


async def end_waiting(
    connection: Connection, settled: Mapping[str, Amendment], joined: Mapping[str, Amendment]
) -> None:
    """Say in the history what became of what waited at these hearings, and for those that proved to be others."""
    if settled:
        outcomes = [Outcome.ALERTED if one.alert else Outcome.UNCHANGED for one in settled.values()]
        await queries().end_waiting(connection, hearing_ids=list(settled), outcomes=outcomes)
    ended = {**settled, **joined}
    if ended:
        told = [one for one, amendment in ended.items() if amendment.alert]
        await queries().end_waiting_lists(connection, settled=list(ended), told=told)


async def find_jurisdictions_due(connection: Connection, now: datetime) -> list[str]:
    """Where a withdrawal has waited long enough."""
    return [row["jurisdiction"] async for row in queries().find_jurisdictions_due(connection, now=now)]


async def find_due(connection: Connection, jurisdictions: Collection[str], now: datetime, most: int) -> set[str]:
    """The hearings with a withdrawal that has waited long enough, in jurisdictions that are locked."""
    rows = queries().find_due(connection, jurisdictions=list(jurisdictions), now=now, most=most)
    return {row["hearing_id"] async for row in rows}


async def receive_updates(
    connection: Connection, updates: Sequence[tuple[Statement, int]], received_at: datetime
) -> set[tuple[str, str]]:
    """Put updates into the history as received, each with how many parts it is of; the sources and ids of those that
    were not there yet.
    """
    statements = [statement for statement, _ in updates]
    rows = queries().receive_updates(
        connection,
        sources=[statement.source for statement in statements],
        event_ids=[statement.event_id for statement in statements],
        types=[statement.type for statement in statements],
        bodies=[statement.body for statement in statements],
        stated_ats=[statement.stated_at for statement in statements],
        parts=[parts for _, parts in updates],
        received_at=received_at,
    )
    return {(row["source"], row["event_id"]) async for row in rows}


async def record_outcomes(connection: Connection, decided: Sequence[tuple[Statement, Decision]]) -> None:
    """Say in the history what became of updates."""
    statements = [statement for statement, _ in decided]
    await queries().record_outcomes(
        connection,
        sources=[statement.source for statement in statements],
        event_ids=[statement.event_id for statement in statements],
        types=[statement.type for statement in statements],
        bodies=[statement.body for statement in statements],
        stated_ats=[statement.stated_at for statement in statements],
        received_ats=[statement.received_at for statement in statements],
        outcomes=[decision.outcome for _, decision in decided],
        notes=[decision.note for _, decision in decided],
        hearing_ids=[decision.hearing_id for _, decision in decided],
        waits_for=[" ".join(decision.waits_for) or None for _, decision in decided],
    )


async def find_update(connection: Connection, source: str, event_id: str) -> dict[str, Any] | None:
    """What the history says of an update of this source; of one that went out in parts, of all of them."""
    row = await queries().find_update(connection, source=source, event_id=event_id, part=PART)
    return None if row is None else dict(row)
