"""`/rules`: until when committees take letters, where that is written down, and who looked when. Without scripts."""

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Database
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.campaigns.domain.deadlines import HOW_TO_SAY_TIME, HOW_TO_SAY_WHEN, said_when, spoken_rule
from clarion.services.campaigns.domain.names import CALIFORNIA, CHAMBERS, chamber
from clarion.services.campaigns.domain.times import spoken_date
from clarion.services.campaigns.rules.calendar import calendar_of, known_until
from clarion.services.campaigns.rules.checking import check_rules
from clarion.services.campaigns.rules.operations import find_rule, history_of, restore_rule, set_rule
from clarion.services.campaigns.rules.repository import KnownRule, rules_in_force
from clarion.services.campaigns.rules.wishes import Refusal, Wish

PACKAGE = "clarion.services.campaigns.rules"
PLACE = "/rules"
SPOKEN = ("stale", "never-checked", "holidays", "no-committee", "several", "no-deadline")
"""What of the check stands on the page; committees without a rule are many."""
TODO = {
    "stale": "Look at its page, then change the rule below and tick that you looked.",
    "never-checked": "Look at its page, then change the rule below and tick that you looked.",
    "no-committee": "Import the committee into the directory, or give the rule the name that it has there.",
    "several": "Give each of them a rule of its own, by its whole name.",
    "no-deadline": "Ask the committee, then set it by hand on the page of its campaign.",
}
"""What whoever reads the page can do about it."""
NOTHING_GIVEN = {
    "jurisdiction": CALIFORNIA,
    "chamber": "",
    "committee": "",
    "when": "",
    "at": "end of day",
    "source": "",
    "aliases": "",
    "note": "",
    "checked": False,
}
Text = Annotated[str, Form(max_length=1_000)]


def rules_router(database: Database, staff: StaffOnly) -> APIRouter:
    """The pages, for those who may manage deadlines."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    desk = Desk(database)
    manager = Depends(staff.may(Act.MANAGE_RULES))

    @router.get("")
    async def show_rules(visit: Annotated[Visit, manager], outcome: str = "") -> HTMLResponse:
        return await desk.page(visit, said=SAID.get(outcome))

    @router.get("/edit")
    async def edit_rule(
        visit: Annotated[Visit, manager], chamber: str = "", committee: str = "", jurisdiction: str = CALIFORNIA
    ) -> HTMLResponse:
        return await desk.edit(visit, Wish(jurisdiction, chamber, committee))

    @router.post("")
    async def save_rule(
        *,
        visit: Annotated[Visit, manager],
        jurisdiction: Text = CALIFORNIA,
        chamber: Text = "",
        committee: Text = "",
        when: Text = "",
        at: Text = "",
        source: Text = "",
        aliases: Text = "",
        note: Text = "",
        checked: Text = "",
    ) -> Response:
        names = tuple(alias.strip() for alias in aliases.split(";") if alias.strip())
        looked = "today" if checked else None
        wish = Wish(jurisdiction, chamber, committee, when, at, names, source, looked, note)
        return await desk.save(visit, wish)

    @router.post("/restore")
    async def restore(
        *,
        visit: Annotated[Visit, manager],
        jurisdiction: Text = CALIFORNIA,
        chamber: Text = "",
        committee: Text = "",
        version: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
    ) -> RedirectResponse:
        return await desk.restore(visit, Wish(jurisdiction, chamber, committee), version)

    return router


SAID = {
    "saved": "It is saved, and the hearings ahead that it concerns were decided on again.",
    "same": "Just that was in force before: nothing changed.",
}


class Desk:
    """What the pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = Pages(PACKAGE)
        self._pages.environment.globals |= {
            "spoken": spoken_rule,
            "edit_path": edit_path,
            "chambers": {key: chamber(key, CALIFORNIA).name for key in CHAMBERS},
            "title": title_of,
            "how_when": HOW_TO_SAY_WHEN,
            "how_at": HOW_TO_SAY_TIME,
            "todo": TODO,
        }
        self._pages.environment.filters |= {"spoken_date": spoken_date}

    async def page(self, visit: Visit, *, status: int = 200, **told: Any) -> HTMLResponse:
        """All rules, what is to be looked at, and the form for another; `told` is what it held, or what happened."""
        async with self._database.connection() as connection:
            rules = await rules_in_force(connection)
            found = await check_rules(connection, self._clock())
            calendar = await calendar_of(connection, CALIFORNIA)
        shown = {"said": None, "wrong": None, "given": NOTHING_GIVEN, **told}
        concerns = [each for each in found if each.kind in SPOKEN]
        bare = sum(each.kind == "no-rule" for each in found)
        return self._pages.render(
            "rules.html",
            status=status,
            visit=visit,
            place=PLACE,
            rules=rules,
            concerns=concerns,
            bare=bare,
            own_days=[line for line in calendar.days.values() if line.version and line.day >= self._clock().date()],
            known_until=known_until(calendar.holidays, self._clock().date()),
            **shown,
        )

    async def edit(self, visit: Visit, wish: Wish, *, status: int = 200, **told: Any) -> HTMLResponse:
        """One rule with its versions, and the form that changes it."""
        try:
            async with self._database.connection() as connection:
                known = await find_rule(connection, without_nul(wish))
                versions = await history_of(connection, wish) if known else []
        except Refusal:
            known, versions = None, []
        if known is None:
            raise Refused(404, "There is no rule of such a committee.")
        shown = {"wrong": None, "given": given_of(known), **told}
        return self._pages.render(
            "rule.html", status=status, visit=visit, place=PLACE, known=known, versions=versions, **shown
        )

    async def save(self, visit: Visit, wish: Wish) -> Response:
        """Set a rule; what cannot be one is said beside what was given."""
        try:
            async with self._database.transaction() as tx:
                outcome = await set_rule(tx, without_nul(wish), visit.actor, self._clock())
        except Refusal as refusal:
            return await self.page(visit, status=422, wrong=str(refusal), given=given_back(wish))
        return RedirectResponse(f"{PLACE}?outcome={'saved' if outcome.changed else 'same'}", 303)

    async def restore(self, visit: Visit, wish: Wish, version: int) -> RedirectResponse:
        """Have an earlier version again."""
        try:
            async with self._database.transaction() as tx:
                outcome = await restore_rule(tx, without_nul(wish), version, actor=visit.actor, now=self._clock())
        except Refusal as refusal:
            raise Refused(404, str(refusal)) from refusal
        return RedirectResponse(f"{PLACE}?outcome={'saved' if outcome.changed else 'same'}", 303)


def without_nul(wish: Wish) -> Wish:
    """What PostgreSQL cannot store is no part of a name."""
    return replace(
        wish,
        jurisdiction=wish.jurisdiction.replace("\x00", ""),
        chamber=wish.chamber.replace("\x00", ""),
        committee=wish.committee.replace("\x00", ""),
    )


def title_of(known: KnownRule) -> str:
    """A rule's committee as people call it: "Senate Housing"."""
    return f"{chamber(known.rule.chamber, known.rule.jurisdiction).name} {known.rule.committee}"


def edit_path(known: KnownRule) -> str:
    """The page of a rule."""
    rule = known.rule
    query = {"chamber": rule.chamber, "committee": rule.committee, "jurisdiction": rule.jurisdiction}
    return f"{PLACE}/edit?{urlencode(query)}"


def given_of(known: KnownRule) -> dict[str, Any]:
    """A rule as its form holds it."""
    rule = known.rule
    return {
        "jurisdiction": rule.jurisdiction,
        "chamber": rule.chamber,
        "committee": rule.committee,
        "when": said_when(rule.when),
        "at": rule.at,
        "source": rule.source or "",
        "aliases": "; ".join(rule.aliases),
        "note": rule.note or "",
        "checked": False,
    }


def given_back(wish: Wish) -> dict[str, Any]:
    """What a form held."""
    return {
        "jurisdiction": wish.jurisdiction,
        "chamber": wish.chamber,
        "committee": wish.committee,
        "when": wish.when or "",
        "at": wish.at or "",
        "source": wish.source or "",
        "aliases": "; ".join(wish.aliases or ()),
        "note": wish.note or "",
        "checked": wish.checked_on is not None,
    }
