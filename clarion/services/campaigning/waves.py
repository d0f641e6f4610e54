"""A division's wave: what waits for whom, who is asked and why, and the mail they would get."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse

from clarion.runtime.database import Connection
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.services.campaigning.actions import ACTIONS, buttons
from clarion.services.campaigning.desk import (
    PLACE,
    REASON_AT_MOST,
    Desk,
    Reading,
    division_of,
    plain_line,
    wave_path,
    zone_of,
)
from clarion.services.campaigning.mails import mail_of
from clarion.services.campaigning.names import UNKNOWN, names_of, officials_like
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.rights import Approver
from clarion.services.campaigns.approving.taking_up import allowed
from clarion.services.campaigns.approving.waves import PLACE_AT_MOST, RecipientView, Refusal, WaveDetails
from clarion.services.mail_pages import FRAMING_HEADERS, MAIL_HEADERS

PAGE_SIZE = 50
PARAGRAPH_AT_MOST = 2_000
WAVE = f"{PLACE}/{{campaign}}/{{division}}"
DECIDING = (Act.APPROVE_WAVE, Act.PAUSE_WAVE)
OVER = "It is over: nobody's voice counts any more."
NOTHING_CHANGED = " Nothing was changed."
CHOSEN: Mapping[str, str] = {"left-out": "is left out.", "added": "is added.", "undone": "stands as before."}
"""What is said of somebody who was just chosen."""

NO_SUCH_PAGE = "There is no such page of what waits: the link is broken. Begin at"
After = Annotated[str, Query(max_length=PLACE_AT_MOST)]
Official = Annotated[str, Query(max_length=1_000)]


class Asked(BaseModel):
    """What is asked of a wave's page: people by name or city, those behind `after`; what was just done, to whom."""

    q: str = Field("", max_length=200)
    after: str = Field("", max_length=1_000)
    done: str = Field("", max_length=200)
    who: str = Field("", max_length=1_000)

    @field_validator("*", mode="after")
    @classmethod
    def storable(cls, value: str) -> str:
        """On one line and without what PostgreSQL cannot store."""
        return plain_line(value)


@dataclass(frozen=True, slots=True)
class At:
    """Somebody at a division's wave."""

    visit: Visit
    wave: WaveDetails

    @property
    def path(self) -> str:
        """The wave's page."""
        return wave_path(self.wave.campaign, self.wave.division)

    @property
    def approver(self) -> Approver:
        """Who decides, as operations take it."""
        return Approver(self.visit.actor, self.visit.staff)


def at_wave(desk: Desk, act: Act) -> Callable[..., Coroutine[Any, Any, At]]:
    """A FastAPI dependency: somebody who may do this in some place, at the wave of the path; 404 if there is none."""
    may = Annotated[Visit, Depends(desk.staff.may(act))]

    async def at(visit: may, campaign: str, division: str) -> At:
        return At(visit, await known_wave(desk, campaign, division_of(division)))

    return at


def waves_router(desk: Desk) -> APIRouter:
    """The pages that show and change nothing."""
    router = APIRouter(include_in_schema=False)
    seen = Annotated[At, Depends(at_wave(desk, Act.SEE_CAMPAIGNS))]
    decides = Annotated[Visit, Depends(desk.staff.may(Act.APPROVE_WAVE))]

    @router.get(f"{PLACE}/waiting")
    async def show_waiting(visit: decides, after: After = "") -> HTMLResponse:
        return await waiting_page(desk, visit, after)

    @router.get(WAVE)
    async def show_wave(at: seen, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return await wave_page(desk, at, asked)

    @router.get(f"{WAVE}/mail")
    async def show_mail(at: seen, official: Official = "") -> HTMLResponse:
        async with desk.reading() as reading:
            mail = await mail_of(desk, reading, at.wave, official)
        return desk.show("mail.html", at.visit, wave=at.wave, path=at.path, mail=mail, headers=FRAMING_HEADERS)

    @router.get(f"{WAVE}/mail/html")
    async def show_html(at: seen, official: Official = "") -> HTMLResponse:
        async with desk.reading() as reading:
            found = await mail_of(desk, reading, at.wave, official)
        if found.mail is None:
            raise Refused(404, found.none)
        return HTMLResponse(found.mail.html, headers=MAIL_HEADERS)

    return router


async def waiting_page(desk: Desk, visit: Visit, after: str) -> HTMLResponse:
    """What waits for the visitor, from behind a place on."""
    now, own = desk.clock(), where(visit.staff, Act.APPROVE_WAVE)
    async with desk.campaigns() as database, database.connection() as connection:
        try:
            found = await waves.waiting_waves(connection, own, now, after=after, limit=PAGE_SIZE)
        except Refusal as error:
            raise Refused(404, f"{NO_SUCH_PAGE} {PLACE}/waiting.") from error
        zones = {one: await zone_of(connection, one) for one in {wave.campaign for wave in found.waves}}
    return desk.show("waiting.html", visit, found=found, after=after, zones=zones, now=now, everywhere=own is None)


async def known_wave(desk: Desk, campaign: str, division: str) -> WaveDetails:
    """A division's wave as it stands.

    Raises:
        Refused: 404, there is none.
    """
    found = None
    if "\x00" not in campaign + division:
        async with desk.campaigns() as database, database.connection() as connection:
            found = await waves.show_wave(connection, campaign, division, desk.clock())
    if found is None:
        raise Refused(404, "There is no such part of a campaign: the hearing may concern other divisions by now.")
    return found


async def wave_again(
    desk: Desk, at: At, wrong: str, status: int = 409, *, paragraph: str | None = None
) -> HTMLResponse:
    """The wave's page as it is by now, with what was not done, and why, above it."""
    now = At(at.visit, await known_wave(desk, at.wave.campaign, at.wave.division))
    return await wave_page(desk, now, Asked(), wrong=wrong, status=status, paragraph=paragraph)


async def wave_page(
    desk: Desk,
    at: At,
    asked: Asked,
    *,
    wrong: str | None = None,
    status: int = 200,
    paragraph: str | None = None,
) -> HTMLResponse:
    """A wave with all that can be done to it; `wrong` says what could not, `paragraph` is one that was not kept."""
    wave, now = at.wave, desk.clock()
    async with desk.reading() as reading:
        zone = await zone_of(reading.campaigns, wave.campaign)
        refusals = {act: await why_not(reading.campaigns, at, act, now) for act in DECIDING}
        names = await names_of(reading.ledger, [asked.who, *(one.official or "" for one in wave.history)])
        people = await listed(desk, reading, wave, asked)
        mail = await mail_of(desk, reading, wave, people.first)
    return desk.show(
        "wave.html",
        at.visit,
        status=status,
        wave=wave,
        path=at.path,
        asked=asked,
        people=people,
        names=names,
        mail=mail,
        said=said(asked, names),
        wrong=wrong,
        why_not=refusals[Act.APPROVE_WAVE],
        buttons=[name for name in buttons(wave) if not refusals[ACTIONS[name].act]],
        actions=ACTIONS,
        paragraph=wave.paragraph if paragraph is None else paragraph,
        paragraph_at_most=PARAGRAPH_AT_MOST,
        reason_at_most=REASON_AT_MOST,
        zone=zone,
        now=now,
    )


async def why_not(connection: Connection, at: At, act: Act, now: datetime) -> str | None:
    """Why the visitor may not do this to the wave, and who may; None if they may."""
    if at.wave.useless_at <= now:
        return OVER
    try:
        await allowed(connection, at.approver, act, (at.wave.campaign, at.wave.division), now)
    except Refusal as error:
        return str(error).removesuffix(NOTHING_CHANGED)
    return None


def said(asked: Asked, names: Mapping[str, str]) -> str | None:
    """What is said of what was just done."""
    if asked.done in ACTIONS:
        return ACTIONS[asked.done].done
    if asked.done == "paragraph":
        return "The paragraph is kept. Read the mail once more."
    chosen = CHOSEN.get(asked.done)
    return f"{names.get(asked.who, UNKNOWN)} {chosen}" if chosen else None


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of those whom a wave would ask, with their names, and behind whom the next page begins."""

    entries: list[tuple[str, RecipientView]]
    after: str | None = None

    @property
    def first(self) -> str:
        """The first of them who is asked; '' if nobody is."""
        return next((one.official for _, one in self.entries if one.included), "")


async def listed(desk: Desk, reading: Reading, wave: WaveDetails, asked: Asked) -> Listed:
    """A page of the wave's people; with something wanted, those whose name or city begins so."""
    likely = None
    if asked.q:
        async with desk.directory.connection() as directory:
            likely = [one["id"] for one in await officials_like(directory, wave.division, asked.q)]
    found = await waves.recipients(
        reading.campaigns, wave.campaign, wave.division, after=asked.after, limit=PAGE_SIZE + 1, officials=likely
    )
    shown = found[:PAGE_SIZE]
    names = await names_of(reading.ledger, [one.official for one in shown])
    entries = [(names.get(one.official, UNKNOWN), one) for one in shown]
    return Listed(entries, shown[-1].official if len(found) > PAGE_SIZE else None)
