"""Rows of the campaigns' tables and the values of the domain."""

from collections.abc import Sequence
from datetime import datetime

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.cloudevents import PREFIX
from clarion.schemas.deadlines import Due
from clarion.schemas.directory import IMPORT_EXTENSION, NEEDED_TO_LAUNCH
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.campaigns.domain.decision import committee_chamber
from clarion.services.campaigns.domain.model import (
    Campaign,
    CommitteeFound,
    Counts,
    Division,
    Member,
    Status,
    hearing_ends_at,
)
from clarion.services.campaigns.domain.names import committee_key
from clarion.services.campaigns.domain.occasions import Occasion

QUERIES = load_queries(__package__)


async def save_hearing(connection: Connection, occasion: Occasion) -> bool:
    """Keep the state of a hearing; False if this revision or a newer one was known."""
    is_new = await QUERIES.save_hearing(
        connection,
        id=occasion.hearing_id,
        revision=occasion.revision,
        jurisdiction=occasion.jurisdiction,
        session=occasion.session,
        ends_at=hearing_ends_at(occasion),
        alert=occasion.model_dump(mode="json"),
    )
    if is_new:
        keys = [item.bill_key for item in occasion.agenda]
        await QUERIES.replace_agenda(connection, hearing=occasion.hearing_id, bill_keys=keys)
    return bool(is_new)


async def put_off_not_launched(connection: Connection, now: datetime, at_once: int) -> list[Occasion]:
    """The first hearings ahead with a position on the agenda and no launched campaign; the others are put off."""
    rows = QUERIES.put_off_hearings_not_launched(connection, now=now, at_once=at_once)
    return [Occasion.model_validate(row["alert"]) async for row in rows]


async def hearings_ended(connection: Connection, now: datetime) -> list[Occasion]:
    """Some of the hearings that are over and whose campaign is still open."""
    return [Occasion.model_validate(row["alert"]) async for row in QUERIES.hearings_ended(connection, now=now)]


async def find_campaign(connection: Connection, hearing: str) -> Campaign | None:
    """The campaign of a hearing, which no fan-out works on until the transaction ends."""
    row = await QUERIES.campaign_of_hearing(connection, hearing=hearing)
    if row is None:
        return None
    return Campaign(
        id=row["id"],
        revision=row["revision"],
        status=Status(row["status"]),
        problem=row["problem"],
        launched_at=row["launched_at"],
        hearing_revision=row["hearing_revision"],
        positions=tuple(row["positions"]),
        not_after=row["not_after"],
        counts=Counts(row["divisions"], row["cities"], row["officials"]),
        committee=row["committee"],
        waits_for_directory=row["waits_for_directory"],
        told_revision=row["told_revision"],
        facts_revision=row["facts_revision"],
        told_until=row["told_until"],
        told_bills=frozenset(row["told_bills"]),
        message=row["message"] or {},
        launch=row["launch"],
        approved=frozenset(row["approved"]),
        approved_bills=frozenset(row["approved_bills"]),
        due=row["due"] and Due.model_validate(row["due"]),
    )


async def take_to_reconsider(connection: Connection, at_most: int) -> list[Occasion]:
    """Some hearings on which to decide again, which are noted as looked at: those put off before those launched."""
    put_off = QUERIES.take_put_off(connection, at_most=at_most)
    occasions = [Occasion.model_validate(row["alert"]) async for row in put_off]
    if occasions:
        return occasions
    launched = QUERIES.take_launched(connection, at_most=at_most)
    return [Occasion.model_validate(row["alert"]) async for row in launched]


async def find_committee(connection: Connection, committee: str) -> CommitteeFound | None:
    """A committee by its id, also one that has left the directory."""
    row = await QUERIES.committee_known(connection, id=committee)
    return row and CommitteeFound(**dict(row))


async def find_committees(connection: Connection, occasion: Occasion) -> list[CommitteeFound]:
    """The committees that a hearing's reference fits: by its id if that is known here, else by chamber and name."""
    if occasion.committee.id is not None:
        row = await QUERIES.committee_by_id(connection, id=occasion.committee.id)
        if row is not None:
            return [CommitteeFound(**dict(row))]
    rows = QUERIES.committees_by_name(
        connection,
        name_key=committee_key(occasion.committee.name),
        chamber=committee_chamber(occasion),
        jurisdiction=occasion.jurisdiction,
    )
    return [CommitteeFound(**dict(row)) async for row in rows]


async def members_of(connection: Connection, committee: str) -> list[Member]:
    """The members of a committee."""
    return [Member(**dict(row)) async for row in QUERIES.members_of(connection, committee=committee)]


async def legislators_of(connection: Connection, chambers: Sequence[str]) -> list[tuple[Member, str | None]]:
    """The legislators of these chambers, with their family names where they are known."""
    found = []
    for chamber in sorted(chambers):
        async for row in QUERIES.legislators_of_chamber(connection, chamber=chamber):
            member = Member(row["id"], row["name"], "author", row["chamber"], row["district"])
            found.append((member, row["family_name"]))
    return found


async def directory_gaps(connection: Connection) -> list[str]:
    """What is missing before the directory is whole, in words; empty when it is."""
    gaps = []
    rows = QUERIES.directory_gaps(
        connection,
        topic=DIRECTORY_ENTITIES.name,
        header=f"{PREFIX}{IMPORT_EXTENSION}",
        kinds=list(NEEDED_TO_LAUNCH),
    )
    async for row in rows:
        if row["import_id"] is None:
            gaps.append(f"{row['kind']} were never imported completely")
        elif row["letters"]:
            gaps.append(f"{row['kind']}: {row['letters']} events of the last import are dead letters")
    return gaps


async def divisions_by_slug(connection: Connection, slugs: Sequence[str]) -> dict[str, Division]:
    """These divisions, without those that are unknown."""
    rows = QUERIES.divisions_by_slug(connection, slugs=slugs)
    return {row["slug"]: Division(**dict(row)) async for row in rows}
