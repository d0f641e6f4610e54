"""Keeps what campaigns needs of the directory: the newest revision of each entity, thousands at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clarion.runtime.database import Connection, Transaction, load_queries
from clarion.runtime.messaging import Received
from clarion.schemas.directory import (
    City,
    Committee,
    District,
    Division,
    Entity,
    Group,
    ImportCompleted,
    Legislator,
    Membership,
    Official,
)
from clarion.services.campaigns.domain.names import chamber_key, committee_keys, role_key

Rows = list[dict[str, Any]]


def head(entity: Entity) -> dict[str, Any]:
    """What every row begins with."""
    return {"id": entity.id, "revision": entity.revision, "active": entity.active}


def division_row(division: Division) -> dict[str, Any]:
    """A division and whom to answer there."""
    return head(division) | {
        "name": division.name,
        "manager_name": division.manager_name,
        "manager_email": division.manager_email,
        "manager_phone": division.manager_phone,
    }


def city_row(city: City) -> dict[str, Any]:
    """A city, its division and whether it is a member, today and by its days."""
    return head(city) | {
        "name": city.name,
        "division": city.division,
        "member": city.member,
        "member_since": city.member_since,
        "member_until": city.member_until,
    }


def group_row(group: Group) -> dict[str, Any]:
    """A group; who is in it stands with its members."""
    return head(group) | {"name": group.name, "kind": group.kind, "open_to": group.open_to}


def district_row(district: District) -> dict[str, Any]:
    """A district without its cities."""
    return head(district) | {"chamber": chamber_key(district.chamber), "number": district.number}


def legislator_row(legislator: Legislator) -> dict[str, Any]:
    """A legislator's name and district."""
    return head(legislator) | {
        "name": legislator.name,
        "family_name": legislator.family_name,
        "chamber": chamber_key(legislator.chamber),
        "district": legislator.district,
    }


def committee_row(committee: Committee) -> dict[str, Any]:
    """A committee without its members, with the keys its names are compared by."""
    return head(committee) | {
        "name": committee.name,
        "chamber": chamber_key(committee.chamber),
        "jurisdiction": committee.jurisdiction,
        "name_keys": committee_keys(committee.name, committee.other_names),
        "phone": committee.phone,
    }


def official_row(official: Official) -> dict[str, Any]:
    """An official without name and address, which campaigns has no use for."""
    return head(official) | {
        "city": official.city,
        "role_keys": [role_key(role) for role in official.roles],
        "mailbox": official.mailbox,
        "testifies": official.testifies,
    }


class Newest:
    """The last word of a batch on each entity of one kind: its newest revision, or that it is gone."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.gone: set[str] = set()

    def add(self, entity: Entity) -> None:
        """Keep it unless a newer revision stands before it."""
        known = self.entities.get(entity.id)
        if known is None or known.revision < entity.revision:
            self.entities[entity.id] = entity

    def remove(self, entity_id: str) -> None:
        """A tombstone: what stood before it does not count."""
        self.entities.pop(entity_id, None)
        self.gone.add(entity_id)


def newest_of(events: Sequence[Received[Any]]) -> tuple[dict[str, Newest], dict[str, ImportCompleted]]:
    """A batch by kind, and its newest import markers."""
    kinds: dict[str, Newest] = {}
    markers: dict[str, ImportCompleted] = {}
    for event in events:
        kind = event.attributes.type.partition(".")[0]
        match event.data:
            case ImportCompleted() as marker:
                markers[marker.kind] = marker
            case Entity() as entity:
                kinds.setdefault(kind, Newest()).add(entity)
            case None if kind != "import":
                kinds.setdefault(kind, Newest()).remove(event.key.partition(":")[2])
            case _:
                pass
    return kinds, markers


async def project(tx: Transaction, events: Sequence[Received[Any]]) -> bool:
    """Bring the projection up to these events; True if an import is complete now that was not before."""
    queries = load_queries(__package__)
    kinds, markers = newest_of(events)
    for kind, newest in kinds.items():
        if kind in PROJECTED:
            await _project_kind(tx.connection, kind, newest)
    completed = False
    for marker in markers.values():
        is_new = await queries.mark_import(
            tx.connection, kind=marker.kind, import_id=marker.import_id, completed_at=marker.completed_at
        )
        completed = completed or bool(is_new)
    return completed


async def _project_kind(connection: Connection, kind: str, newest: Newest) -> None:
    queries = load_queries(__package__)
    row_of, name = PROJECTED[kind]
    if newest.gone:
        if kind in MEMBERS:
            await queries.delete_memberships(connection, member_kind=kind, members=sorted(newest.gone))
        await getattr(queries, f"delete_{name}")(connection, ids=sorted(newest.gone))
    if not newest.entities:
        return
    rows = [row_of(newest.entities[entity_id]) for entity_id in sorted(newest.entities)]
    match kind:
        case "district":
            changed = [row["id"] async for row in queries.upsert_districts(connection, rows=rows)]
            await _replace_shares(connection, changed, newest.entities)
        case "committee":
            changed = [row["id"] async for row in queries.upsert_committees(connection, rows=rows)]
            await _replace_members(connection, changed, newest.entities)
        case "city" | "official":
            changed = [row["id"] async for row in getattr(queries, f"upsert_{name}")(connection, rows=rows)]
            await _replace_memberships(connection, kind, changed, newest.entities)
        case _:
            await getattr(queries, f"upsert_{name}")(connection, rows=rows)


async def _replace_shares(connection: Connection, changed: Sequence[str], entities: Mapping[str, Entity]) -> None:
    queries = load_queries(__package__)
    rows: Rows = []
    for district_id in changed:
        district = entities[district_id]
        if isinstance(district, District):
            rows += [{"district": district.id, "city": each.city, "share": each.share} for each in district.cities]
    await queries.delete_shares(connection, districts=changed)
    await queries.insert_shares(connection, rows=rows)


async def _replace_members(connection: Connection, changed: Sequence[str], entities: Mapping[str, Entity]) -> None:
    queries = load_queries(__package__)
    rows: Rows = []
    for committee_id in changed:
        committee = entities[committee_id]
        if isinstance(committee, Committee):
            rows += [{"committee": committee.id} | _member(each.model_dump()) for each in committee.members]
    await queries.delete_members(connection, committees=changed)
    await queries.insert_members(connection, rows=rows)


async def _replace_memberships(
    connection: Connection, kind: str, changed: Sequence[str], entities: Mapping[str, Entity]
) -> None:
    queries = load_queries(__package__)
    rows: Rows = []
    for member_id in changed:
        member = entities[member_id]
        if isinstance(member, City | Official):
            rows += [_membership(kind, member_id, each) for each in member.memberships]
    await queries.delete_memberships(connection, member_kind=kind, members=changed)
    if rows:
        await queries.insert_memberships(connection, rows=rows)


def _membership(kind: str, member: str, membership: Membership) -> dict[str, Any]:
    return {
        "member_kind": kind,
        "member": member,
        "group_id": membership.group,
        "role_key": role_key(membership.role),
        "since": membership.since,
        "until": membership.until,
    }


def _member(member: dict[str, Any]) -> dict[str, Any]:
    return member | {"chamber": chamber_key(member["chamber"])}


PROJECTED: Mapping[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "division": (division_row, "divisions"),
    "city": (city_row, "cities"),
    "district": (district_row, "districts"),
    "legislator": (legislator_row, "legislators"),
    "committee": (committee_row, "committees"),
    "group": (group_row, "groups"),
    "official": (official_row, "officials"),
}
MEMBERS = ("city", "official")
"""Who can be in a group."""
