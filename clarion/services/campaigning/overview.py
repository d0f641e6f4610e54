"""`/campaigns`: all of them, what is open first, and one with its divisions, outcome and history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.staff.rights import Act, Staff
from clarion.runtime.staff.rights import where as divisions_where
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.schemas.outcomes import Tally
from clarion.services.campaigning.changing import DONE
from clarion.services.campaigning.desk import PACKAGE, PLACE, Desk, zone_of
from clarion.services.campaigning.outcomes import UNKNOWN_CAMPAIGN
from clarion.services.campaigns.outcome.operations import outcome_of
from clarion.services.campaigns.reports import campaign_summary
from clarion.services.campaigns.starting.changing import changeable
from clarion.services.campaigns.starting.views import FollowUp, follow_up

QUERIES = load_queries(PACKAGE)
PAGE_SIZE = 50
COLUMNS = (
    ("Asked", "asked"),
    ("Reached", "reached"),
    ("On the way", "pending"),
    ("Came back", "bounced"),
    ("Failed", "failed"),
    ("Cities without anyone", "without"),
)
"""What is told of a division and of a committee's member, whose cities lie in several divisions."""
TO_APPROVE = ("To approve", "to_approve")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a wave stands, and whether it or the whole campaign is paused."""

    state: str
    paused: bool


Page = Annotated[int, Query(ge=1, le=10_000)]
Where = Annotated[Literal["mine", "all"] | None, Query()]


def overview_router(desk: Desk) -> APIRouter:
    """The pages that show and change nothing."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    seen = Annotated[Visit, Depends(desk.staff.may(Act.SEE_CAMPAIGNS))]

    @router.get("")
    async def show_campaigns(visit: seen, where: Where = None, page: Page = 1) -> HTMLResponse:
        own = own_divisions(visit.staff)
        mine = bool(own) and where != "all"
        async with desk.campaigns() as database, database.connection() as connection:
            listed = await page_of_campaigns(connection, own if mine else None, page, desk.clock())
            waiting = await waiting_for(connection, visit.staff, desk.clock())
        more = len(listed) > PAGE_SIZE
        return desk.show(
            "campaigns.html",
            visit,
            listed=listed[:PAGE_SIZE],
            page=page,
            more=more,
            mine=mine,
            own=sorted(own),
            waiting=waiting,
            now=desk.clock(),
            starts=visit.may_somewhere(Act.START_CAMPAIGN),
        )

    @router.get("/{campaign}")
    async def show_campaign(campaign: str, visit: seen, done: str = "") -> HTMLResponse:
        return await campaign_page(desk, visit, campaign, done)

    return router


async def campaign_page(desk: Desk, visit: Visit, campaign: str, done: str = "") -> HTMLResponse:
    """One campaign, the visitor's own divisions first; `done` is what was done just now."""
    async with desk.campaigns() as database, database.connection() as connection:
        found = await known_campaign(connection, campaign)
        standing = await standing_of(connection, campaign)
        zone = await zone_of(connection, campaign)
        links = await links_of(connection, campaign)
        outcome = await outcome_of(connection, campaign, desk.clock())
        changes = await changeable(connection, campaign, visit.staff, desk.clock())
    own = own_divisions(visit.staff)
    waves = sorted(found["waves"], key=lambda wave: wave["slug"] not in own)
    return desk.show(
        "campaign.html",
        visit,
        done=done,
        said=DONE.get(done),
        changes=changes,
        campaign=found,
        waves=waves,
        waiting=[wave for wave in waves if wave["slug"] in own and waits(wave, standing)],
        standing=standing,
        zone=zone,
        links=links,
        outcome=outcome,
        columns=told(outcome.divisions if outcome else ()),
        member_columns=told(outcome.members if outcome else (), TO_APPROVE),
        divisions={one.slug: one for one in outcome.divisions} if outcome else {},
        own=own,
    )


def own_divisions(staff: Staff) -> frozenset[str]:
    """The divisions that somebody manages or is deputy in."""
    return staff.divisions | staff.deputy_in


def waits(wave: Mapping[str, Any], standing: Mapping[str, Standing]) -> bool:
    """Whether a wave with somebody to ask waits for approval."""
    stands = standing.get(wave["slug"])
    return stands is not None and stands.state == "waiting" and wave["officials"] > 0


@dataclass(frozen=True, slots=True)
class Links:
    """What a campaign was drafted from, what was drafted from it, and what of that still waits for its hearing."""

    before: list[Mapping[str, Any]]
    after: list[Mapping[str, Any]]
    drafted: list[FollowUp]


async def links_of(connection: Connection, campaign: str) -> Links:
    """The campaigns beside this one."""
    linked = [dict(row) async for row in QUERIES.linked_campaigns(connection, campaign=campaign)]
    drafted = [follow_up(row) async for row in QUERIES.drafted_from(connection, campaign=campaign)]
    return Links([one for one in linked if one["is_before"]], [one for one in linked if not one["is_before"]], drafted)


async def page_of_campaigns(
    connection: Connection, divisions: frozenset[str] | None, page: int, now: datetime
) -> list[dict[str, Any]]:
    """The campaigns of a page, and one more where there is a next one; None: of all divisions."""
    rows = QUERIES.page_of_campaigns(
        connection,
        divisions=None if divisions is None else sorted(divisions),
        now=now,
        at_most=PAGE_SIZE + 1,
        skipped=(page - 1) * PAGE_SIZE,
    )
    return [dict(row) async for row in rows]


async def waiting_for(connection: Connection, staff: Staff, now: datetime) -> Mapping[str, Any] | None:
    """How many calls wait for somebody, and until when the first of them helps; None for who approves nothing."""
    own = divisions_where(staff, Act.APPROVE_WAVE)
    if own is not None and not own:
        return None
    found: Mapping[str, Any] = await QUERIES.count_waiting(
        connection, divisions=None if own is None else sorted(own), now=now
    )
    return found


async def known_campaign(connection: Connection, campaign: str) -> Mapping[str, Any]:
    """A campaign's summary.

    Raises:
        Refused: 404, there is none.
    """
    found = None if "\x00" in campaign else await campaign_summary(connection, campaign)
    if found is None:
        raise Refused(404, UNKNOWN_CAMPAIGN)
    return found


def told(lines: Sequence[Tally], *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The columns of a table in which there is anything to tell, each with its heading."""
    return [(words, name) for words, name in (*COLUMNS, *more) if any(getattr(line, name, 0) for line in lines)]


async def standing_of(connection: Connection, campaign: str) -> dict[str, Standing]:
    """What was decided of each division's wave."""
    rows = QUERIES.standing_of_waves(connection, campaign=campaign)
    return {row["division"]: Standing(row["state"], row["paused"]) async for row in rows}
