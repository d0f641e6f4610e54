"""`/templates` for staff: what mail says, edited with what is wrong beside it, looked at, and sent to oneself."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.mail_pages import FRAMING_HEADERS, MAIL_HEADERS
from clarion.services.notifications.wordings.faults import Faulty, Unusable
from clarion.services.notifications.wordings.operations import NOTE_CHARACTERS, NoSuchWording, Outdated, Reader, start
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.cases import OF_CAMPAIGNS, NoCase, Source
from clarion.services.templating.desk import Desk, Standing, in_words

PACKAGE = "clarion.services.templating"
PLACE = "/templates"
NO_STORE = {"cache-control": "no-store"}
MOST_GIVEN = 50_000
"""Characters of a form's field: what is too long for a wording is told so, with all of it still in the form."""
TROUBLE = (Faulty, Unusable, NoCase)

DONE = {
    "saved": "Version {version} is in force for mail that is asked for from now on.",
    "same": "These are the words of version {version} already; nothing was changed.",
}
NOTHING_TOLD: dict[str, Any] = {
    "said": None,
    "wrong": [],
    "mail": None,
    "tried": None,
    "note": "",
    "campaign": "",
    "base": None,
}

Number = Annotated[int, Query(ge=0, le=2**31 - 1)]


class Given(BaseModel):
    """What the form of a wording holds; `do` is look, test or save, and `base` the version on which it was written."""

    subject: str = Field("", max_length=2_000)
    body: str = Field("", max_length=MOST_GIVEN)
    note: str = Field("", max_length=2_000)
    campaign: str = Field("", max_length=1_000)
    base: int | None = Field(None, ge=0)
    do: str = Field("look", max_length=20)

    def draft(self, template: str) -> Draft:
        """The words."""
        return Draft(template, self.subject, self.body.replace("\r\n", "\n"))

    @property
    def told(self) -> dict[str, Any]:
        """What the form holds again when it comes back."""
        return {"note": self.note[:NOTE_CHARACTERS], "campaign": self.campaign, "base": self.base}

    @property
    def source(self) -> Source:
        """With what it is tried out."""
        return Source(self.campaign.strip())


def templates_router(database: Database, staff: StaffOnly, settings: Settings) -> APIRouter:
    """The pages, for those who may write what mail says."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    room = Room(Desk(settings, database.clock))
    writer = Depends(staff.may(Act.MANAGE_TEMPLATES))

    @router.get("")
    async def show_templates(visit: Annotated[Visit, writer]) -> HTMLResponse:
        return await room.list(visit)

    @router.get("/{template}")
    async def show_template(visit: Annotated[Visit, writer], template: str, done: str = "") -> HTMLResponse:
        return await room.edit(visit, template, done)

    @router.post("/{template}", response_model=None)
    async def use_template(visit: Annotated[Visit, writer], template: str, given: Annotated[Given, Form()]) -> Response:
        return await room.use(visit, template, given)

    @router.post("/{template}/restore", response_model=None)
    async def restore_version(
        visit: Annotated[Visit, writer],
        template: str,
        version: Annotated[int, Form(ge=0)],
        base: Annotated[int | None, Form(ge=0)] = None,
    ) -> Response:
        return await room.restore(visit, template, version, base)

    @router.get("/{template}/versions/{version}")
    async def show_version(visit: Annotated[Visit, writer], template: str, version: int) -> HTMLResponse:
        return await room.version(visit, template, version)

    @router.get("/{template}/html")
    async def show_html(
        _visit: Annotated[Visit, writer],
        template: str,
        version: Number | None = None,
        tried: Annotated[int | None, Query(ge=0, le=2**62)] = None,
        campaign: Annotated[str, Query(max_length=1_000)] = "",
    ) -> HTMLResponse:
        return await room.html(template, version, tried, campaign)

    return router


class Room:
    """What the pages do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pages = Pages(PACKAGE)
        self._pages.environment.filters["in_words"] = in_words

    async def list(self, visit: Visit) -> HTMLResponse:
        """All templates, and which wording of each is in force."""
        return self._render("templates.html", visit, standings=await self._desk.standings())

    async def edit(self, visit: Visit, template: str, done: str = "") -> HTMLResponse:
        """The wording in force, to be edited."""
        found = await self._known(template)
        said = DONE.get(done, "").replace("{version}", str(found.version))
        return self._edit(visit, found, found.draft, said=said)

    async def use(self, visit: Visit, template: str, given: Given) -> Response:
        """Check, look at, send to oneself or save what a form held; what is wrong is said beside it."""
        found, draft = await self._known(template), given.draft(template)
        try:
            match given.do:
                case "save":
                    saved = await self._desk.save(visit.actor, draft, note=given.note, base=given.base)
                    return self._back(template, "saved" if saved.new else "same")
                case "test":
                    said = await self._test(visit, draft, given)
                    return self._edit(visit, found, draft, said=said, **given.told)
                case _:
                    mail = await self._desk.preview(template, draft, given.source)
                    tried = await self._desk.keep_tried(visit.actor, draft)
                    return self._edit(visit, found, draft, mail=mail, tried=tried, **given.told)
        except Outdated as error:
            # They are told of the newer version, so that they may save over it now.
            now = await self._known(template)
            return self._edit(visit, now, draft, status=409, wrong=[str(error)], **{**given.told, "base": None})
        except TROUBLE as error:
            wrong = [str(fault) for fault in error.faults] if isinstance(error, Faulty) else [str(error)]
            return self._edit(visit, found, draft, status=422, wrong=wrong, **given.told)

    async def _test(self, visit: Visit, draft: Draft, given: Given) -> str:
        reader = Reader(visit.staff.name, visit.staff.email)
        name = await self._desk.send_trial(visit.actor, draft.template, draft, reader, given.source)
        return f"On its way to you at {reader.email}; clarion deliveries show {name} tells what became of it."

    async def restore(self, visit: Visit, template: str, version: int, base: int | None) -> Response:
        """Put an older version in force again."""
        await self._known(template)
        try:
            saved = await self._desk.restore(visit.actor, template, version, base=base)
        except NoSuchWording as error:
            raise Refused(404, str(error)) from error
        except (Faulty, Outdated) as error:
            raise Refused(409, str(error)) from error
        return self._back(template, "saved" if saved.new else "same")

    async def version(self, visit: Visit, template: str, version: int) -> HTMLResponse:
        """One version, and what is different in it from the one before."""
        found = await self._known(template)
        row = next((one for one in found.versions if one["version"] == version), None)
        if row is None:
            raise Refused(404, "There is no such version.")
        draft = await self._desk.draft(template, version)
        before = await self._desk.draft(template, version - 1)
        lines = list(differences(before or start(template), draft or start(template)))
        return self._render("version.html", visit, found=found, row=row, draft=draft, lines=lines)

    async def html(self, template: str, version: int | None, tried: int | None, campaign: str) -> HTMLResponse:
        """The HTML of a mail alone, as a mail program has it."""
        await self._known(template)
        try:
            draft = await self._chosen(template, version, tried)
            mail = await self._desk.preview(template, draft, Source(campaign))
        except NoSuchWording as error:
            raise Refused(404, str(error)) from error
        except TROUBLE as error:
            raise Refused(422, str(error)) from error
        return HTMLResponse(mail.html, headers={**MAIL_HEADERS, **NO_STORE})

    async def _chosen(self, template: str, version: int | None, tried: int | None) -> Draft | None:
        if tried is None:
            return await self._desk.draft(template, version)
        draft = await self._desk.tried(template, tried)
        if draft is None:
            raise NoSuchWording("this was looked at too long ago: look at it again")
        return draft

    async def _known(self, template: str) -> Standing:
        try:
            return await self._desk.standing(template)
        except NoSuchWording as error:
            raise Refused(404, str(error)) from error

    def _back(self, template: str, done: str) -> RedirectResponse:
        return RedirectResponse(f"{PLACE}/{template}?done={done}", 303)

    def _edit(self, visit: Visit, found: Standing, draft: Draft, *, status: int = 200, **told: Any) -> HTMLResponse:
        shown = {**NOTHING_TOLD, **told}
        if shown["base"] is None:
            shown["base"] = found.version
        return self._render(
            "edit.html", visit, status, found=found, draft=draft, campaigns=found.template in OF_CAMPAIGNS, **shown
        )

    def _render(self, template: str, visit: Visit, status: int = 200, **context: Any) -> HTMLResponse:
        headers = {**NO_STORE, **FRAMING_HEADERS}
        return self._pages.render(template, status=status, headers=headers, visit=visit, place=PLACE, **context)


def differences(before: Draft, after: Draft) -> Iterator[tuple[str, str]]:
    """The lines that differ, with those around them: what each is (`+`, `-`, `@` or nothing) and the line."""
    old, new = (f"Subject: {one.subject}\n\n{one.body}".splitlines() for one in (before, after))
    for number, line in enumerate(unified_diff(old, new, lineterm="", n=2)):
        if number > 1:
            yield line[0].strip(), line[1:] if line[0] != "@" else ""
