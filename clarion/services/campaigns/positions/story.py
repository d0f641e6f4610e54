"""Positions as people and machines read them, up to a bill's whole story."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection
from clarion.runtime.staff.accounts import list_accounts
from clarion.services.campaigns import bills
from clarion.services.campaigns.domain.model import AdoptedPosition, Representative
from clarion.services.campaigns.positions.priorities import differing
from clarion.services.campaigns.positions.repository import (
    EVERY,
    QUERIES,
    Place,
    Wanted,
    list_positions,
    position_versions,
)
from clarion.services.campaigns.positions.subjects import any_keys

WITHDRAWN = "withdrawn"
HEARING = ("hearing", "kind", "starts_at", "time_note", "zone", "committee", "hearing_status", "campaign", "status")
STAYS = frozenset({"jurisdiction", "session", "subject", "bill_key"})
"""Fields of a position's place, in which its versions cannot differ."""
Names = Mapping[str, tuple[str, str]]
"""By the id of an account its name and address."""


async def listed(connection: Connection, wanted: Wanted = EVERY) -> list[dict[str, Any]]:
    """The positions that are wanted, each with the `progress` of its bill."""
    found = await list_positions(connection, wanted)
    progress = await bills.progress_on(connection, [each.position for each in found])
    names = await _names(connection, found)
    return [shown(each, names) | {"progress": state} for each, state in zip(found, progress, strict=True)]


async def change_shown(connection: Connection, adopted: AdoptedPosition) -> dict[str, Any]:
    """One version of a position."""
    return shown(adopted, await _names(connection, [adopted]))


async def story_named(
    connection: Connection, name: str, session: str | None, jurisdiction: str | None, now: datetime
) -> dict[str, Any] | None:
    """The story of the position on something of this name; of several, of the one that was changed last."""
    found = await position_versions(connection, any_keys(name), session, jurisdiction)
    return await _story(connection, found, Place.of(found[0].position), now) if found else None


async def story_at(connection: Connection, place: Place, now: datetime) -> dict[str, Any] | None:
    """The story of the position at a place; None if there is none."""
    found = await position_versions(connection, [place.bill_key])
    return await _story(connection, found, place, now) if found else None


async def _story(
    connection: Connection, found: Sequence[AdoptedPosition], place: Place, now: datetime
) -> dict[str, Any]:
    versions = [each for each in found if Place.of(each.position) == place]
    names = await _names(connection, versions)
    [progress] = await bills.progress_on(connection, [versions[0].position])
    rows = [row async for row in QUERIES.hearings_of_bill(connection, now=now, **place.named)]
    hearings = [({name: row[name] for name in HEARING}, row["ahead"]) for row in rows]
    campaigns = [dict(row) async for row in QUERIES.campaigns_on_bill(connection, **place.named)]
    return shown(versions[0], names) | {
        "progress": progress,
        "versions": _versions(versions, names),
        "hearings": [hearing for hearing, ahead in reversed(hearings) if ahead],
        "past_hearings": [hearing for hearing, ahead in hearings if not ahead],
        "campaigns": campaigns,
        "to_follow": await QUERIES.count_put_off(connection, **place.named),
        "others": _others(found, place, names),
    }


def shown(adopted: AdoptedPosition, names: Names) -> dict[str, Any]:
    """A version's fields; the stance of one that was withdrawn is that."""
    position = adopted.position
    withdrawal = {"at": adopted.adopted_at, "reason": adopted.withdrawn_reason} if adopted.withdrawn else None
    return (
        {"id": adopted.id, "version": adopted.version, "adopted_at": adopted.adopted_at}
        | asdict(position)
        | {
            "session": position.session or None,
            "stance": WITHDRAWN if adopted.withdrawn else position.stance,
            "groups": list(position.groups),
            "representative": _person(position.representative, names),
            "withdrawal": withdrawal,
        }
    )


def _person(person: Representative | None, names: Names) -> dict[str, Any] | None:
    if person is None:
        return None
    name, email = names.get(person.account or "", (person.name, person.email))
    return {"account": person.account, "name": name, "email": email, "phone": person.phone}


def _versions(versions: Sequence[AdoptedPosition], names: Names) -> list[dict[str, Any]]:
    stated = [_stated(each, names) for each in versions]
    changes = [differing(before, after) for after, before in zip(stated, [*stated[1:], stated[-1]], strict=True)]
    return [
        {
            "id": each.id,
            "version": each.version,
            "adopted_at": each.adopted_at,
            "stance": said["stance"],
            "adopted_by": each.position.adopted_by,
            "adopted_on": each.position.adopted_on,
            "reason": each.withdrawn_reason,
            "changed": changed,
        }
        for each, said, changed in zip(versions, stated, changes, strict=True)
    ]


def _stated(adopted: AdoptedPosition, names: Names) -> dict[str, Any]:
    """What of a version may differ from another's."""
    fields = shown(adopted, names)
    return {name: fields[name] for name in asdict(adopted.position) if name not in STAYS}


def _others(found: Sequence[AdoptedPosition], place: Place, names: Names) -> list[dict[str, Any]]:
    newest: dict[Place, AdoptedPosition] = {}
    for each in found:
        newest.setdefault(Place.of(each.position), each)
    fields = ("id", "jurisdiction", "session", "subject", "stance", "version", "adopted_at")
    return [{name: shown(each, names)[name] for name in fields} for at, each in newest.items() if at != place]


async def _names(connection: Connection, found: Sequence[AdoptedPosition]) -> Names:
    """The names and addresses of the accounts that these positions name, also of those that were removed."""
    if not any(each.position.representative and each.position.representative.account for each in found):
        return {}
    accounts = await list_accounts(connection, removed=True)
    return {each.staff.id: (each.staff.name, each.staff.email) for each in accounts}
