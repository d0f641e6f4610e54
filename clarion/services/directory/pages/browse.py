"""`/directory`: one box for everything, and a page for each thing found."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse

from clarion.runtime.database import Connection, load_queries, mailbox_key
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.schemas.mailboxes import mailbox
from clarion.services.directory.corrections import find_official, list_corrections
from clarion.services.directory.pages.desk import Desk, Paging, refusals, skipped

QUERIES = load_queries("clarion.services.directory")
OTHERS = ("division", "city", "group", "committee", "legislator", "partner")
OTHERS_SHOWN = 40
LOOKED_AT = 1_000
"""Of officials found, at most so many are put in order and counted."""
PAGE_SIZE = 25
MEMBERS_A_PAGE = 100
LONGEST_SEARCH = 200

NOTHING_FOUND: Mapping[str, Any] = {
    "others": (),
    "officials": (),
    "divisions": (),
    "paging": Paging(1, PAGE_SIZE, 0),
    "waiting": 0,
    "more": False,
    "others_more": False,
    "imports_act": Act.IMPORT_DIRECTORY,
    "corrects_act": Act.CORRECT_OFFICIAL,
}

Page = Annotated[int, Query(ge=1, le=10_000)]
Wanted = Annotated[str, Query(max_length=LONGEST_SEARCH)]


def browse_router(desk: Desk) -> APIRouter:
    """The pages that show and change nothing."""
    router = APIRouter(prefix="/directory", include_in_schema=False)
    router.include_router(places_router(desk))
    router.include_router(legislature_router(desk))
    seen = Annotated[Visit, Depends(desk.staff.may(Act.SEE_DIRECTORY))]

    @router.get("")
    async def search(visit: seen, q: Wanted = "", page: Page = 1) -> HTMLResponse:
        async with desk.database.connection() as connection:
            context = await found(connection, visit, q.replace("\x00", "").strip(), page)
        return desk.show("search.html", visit, **context)

    @router.get("/officials/{official_id:path}")
    async def show_official(official_id: str, visit: seen) -> HTMLResponse:
        async with desk.database.connection() as connection:
            context = await official_context(connection, visit, official_id)
        return desk.show("official.html", visit, given={}, **context)

    return router


def places_router(desk: Desk) -> APIRouter:
    """Divisions, cities, groups and partners."""
    router = APIRouter()
    seen = Annotated[Visit, Depends(desk.staff.may(Act.SEE_DIRECTORY))]

    @router.get("/divisions/{division_id:path}")
    async def show_division(division_id: str, visit: seen) -> HTMLResponse:
        async with desk.database.connection() as connection:
            division = await entity(connection, "division", division_id)
            cities = [dict(row) async for row in QUERIES.cities_of_division(connection, division=division_id)]
        return desk.show("division.html", visit, division=division, cities=cities)

    @router.get("/cities/{city_id:path}")
    async def show_city(city_id: str, visit: seen, page: Page = 1) -> HTMLResponse:
        async with desk.database.connection() as connection:
            context = await city_context(connection, await entity(connection, "city", city_id), page)
        division = context["city"]["division"]
        return desk.show("city.html", visit, sees_addresses=visit.may(Act.SEE_ADDRESSES, division), **context)

    @router.get("/groups/{group_id:path}")
    async def show_group(group_id: str, visit: seen, page: Page = 1) -> HTMLResponse:
        part = {"at_most": MEMBERS_A_PAGE, "skipped": skipped(page, MEMBERS_A_PAGE)}
        async with desk.database.connection() as connection:
            group = await entity(connection, "group", group_id)
            members = [dict(row) async for row in QUERIES.members_of_group(connection, group=group_id, **part)]
        paging = Paging(page, MEMBERS_A_PAGE, members[0]["total"] if members else 0)
        return desk.show("group.html", visit, group=group, members=members, paging=paging)

    @router.get("/partners/{partner_id:path}")
    async def show_partner(partner_id: str, visit: seen) -> HTMLResponse:
        async with desk.database.connection() as connection:
            partner = await entity(connection, "partner", partner_id)
        return desk.show("partner.html", visit, partner=partner, sees_addresses=visit.may(Act.SEE_ADDRESSES))

    return router


def legislature_router(desk: Desk) -> APIRouter:
    """Committees and legislators."""
    router = APIRouter()
    seen = Annotated[Visit, Depends(desk.staff.may(Act.SEE_DIRECTORY))]

    @router.get("/committees/{committee_id:path}")
    async def show_committee(committee_id: str, visit: seen) -> HTMLResponse:
        async with desk.database.connection() as connection:
            committee = await entity(connection, "committee", committee_id)
        return desk.show("committee.html", visit, committee=committee)

    @router.get("/legislators/{legislator_id:path}")
    async def show_legislator(legislator_id: str, visit: seen) -> HTMLResponse:
        async with desk.database.connection() as connection:
            legislator = await entity(connection, "legislator", legislator_id)
            committees = await committees_of(connection, [legislator_id])
            rows = QUERIES.cities_of_district(connection, district=legislator["district"])
            cities = [dict(row) async for row in rows]
        held = committees[legislator_id]
        return desk.show("legislator.html", visit, legislator=legislator, committees=held, cities=cities)

    return router


async def found(connection: Connection, visit: Visit, wanted: str, page: int) -> dict[str, Any]:
    """What a search finds: officials a page at a time, everything else above them; nothing wanted, the divisions."""
    context = dict(NOTHING_FOUND) | {"wanted": wanted}
    if not wanted:
        return context | {
            "divisions": [dict(row) async for row in QUERIES.all_divisions(connection)],
            "waiting": await waiting_corrections(connection, visit),
        }
    if "@" in wanted:
        officials = await by_address(connection, visit, wanted)
        return context | {"officials": officials, "paging": Paging(1, LOOKED_AT, len(officials))}
    rows = QUERIES.find_officials(
        connection, wanted=wanted, looked_at=LOOKED_AT, at_most=PAGE_SIZE, skipped=skipped(page, PAGE_SIZE)
    )
    officials = [flat(row) async for row in rows]
    others: list[dict[str, Any]] = []
    if page == 1:
        rows = QUERIES.find_others(connection, wanted=wanted, kinds=list(OTHERS), at_most=OTHERS_SHOWN)
        others = [flat(row) async for row in rows]
    total = officials[0]["total"] if officials else 0
    return context | {
        "officials": officials,
        "others": others,
        "paging": Paging(page, PAGE_SIZE, total),
        "more": total == LOOKED_AT,
        "others_more": len(others) == OTHERS_SHOWN,
    }


async def waiting_corrections(connection: Connection, visit: Visit) -> int:
    """How many corrections wait for the visitor."""
    divisions = where(visit.staff, Act.CORRECT_OFFICIAL)
    return int(await QUERIES.count_open(connection, divisions=None if divisions is None else sorted(divisions)))


async def by_address(connection: Connection, visit: Visit, wanted: str) -> list[dict[str, Any]]:
    """The officials whose whole address this is, of those whose addresses the visitor may see."""
    box = mailbox(wanted, await mailbox_key(connection))
    rows = QUERIES.officials_of_mailbox(connection, mailbox=box, at_most=LOOKED_AT)
    officials = [flat(row) async for row in rows]
    return [one for one in officials if visit.may(Act.SEE_ADDRESSES, one["division"])]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its body's fields beside the others."""
    return {"memberships": [], **row["body"], **{key: value for key, value in row.items() if key != "body"}}


async def entity(connection: Connection, kind: str, entity_id: str) -> dict[str, Any]:
    """An entity as published, flat; Refused with 404 if there is none."""
    row = None if "\x00" in entity_id else await QUERIES.find_entity(connection, kind=kind, id=entity_id)
    if row is None:
        raise Refused(404, f"The directory knows no such {kind}.")
    known: dict[str, Any] = flat(row) | row["body"]
    return known


async def names_of(connection: Connection, kind: str, ids: list[str]) -> dict[str, str]:
    """The names of entities by id."""
    return {row["id"]: row["name"] async for row in QUERIES.names_of(connection, kind=kind, ids=ids)}


async def committees_of(connection: Connection, legislators: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The committees of legislators, where they have a say first."""
    gathered: dict[str, list[dict[str, Any]]] = defaultdict(list)
    async for row in QUERIES.committees_of(connection, legislators=legislators):
        gathered[row["legislator"]].append(dict(row))
    return gathered


async def memberships_of(connection: Connection, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The groups of an official or a city, each with its name."""
    told = {one["group"]: one for one in known["memberships"]}
    plain = {group: {"group": group, "role": "member", "since": None} for group in known.get("groups", [])}
    held = [*told.values(), *(one for group, one in plain.items() if group not in told)]
    names = await names_of(connection, "group", [one["group"] for one in held])
    return [one | {"name": names.get(one["group"])} for one in held]


async def city_context(connection: Connection, city: dict[str, Any], page: int) -> dict[str, Any]:
    """What the page of a city shows."""
    rows = QUERIES.officials_of_city(
        connection, city=city["id"], at_most=MEMBERS_A_PAGE, skipped=skipped(page, MEMBERS_A_PAGE)
    )
    officials = [flat(row) async for row in rows]
    districts = [dict(row) async for row in QUERIES.districts_of_city(connection, city=city["id"])]
    legislators = [row["legislator"] for row in districts if row["legislator"]]
    divisions = await names_of(connection, "division", [city["division"]] if city["division"] else [])
    return {
        "city": city,
        "division_name": divisions.get(city["division"]),
        "officials": officials,
        "paging": Paging(page, MEMBERS_A_PAGE, officials[0]["total"] if officials else 0),
        "districts": districts,
        "committees": await committees_of(connection, legislators),
        "memberships": await memberships_of(connection, city),
    }


async def official_context(connection: Connection, visit: Visit, official_id: str) -> dict[str, Any]:
    """What the page of an official shows to a visitor; Refused with 404 if there is none."""
    with refusals():
        official = {"memberships": []} | await find_official(connection, official_id.replace("\x00", ""))
    division = official["division"]
    divisions = await names_of(connection, "division", [division] if division else [])
    others = await QUERIES.shares_mailbox(connection, mailbox=official["mailbox"])
    return {
        "official": official,
        "division_name": divisions.get(division),
        "memberships": await memberships_of(connection, official),
        "others_at_address": max(0, others - (1 if official["active"] else 0)),
        "corrections": await list_corrections(connection, official=official_id),
        "sees_addresses": visit.may(Act.SEE_ADDRESSES, division),
        "corrects": visit.may(Act.CORRECT_OFFICIAL, division),
        "audit_act": Act.SEE_AUDIT,
    }
