"""What every page about campaigns stands on."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse

from clarion.runtime.database import Connection, Database, load_queries, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.schemas.deadlines import Due
from clarion.services.campaigns.domain.due import spoken_due
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.rendering.showing import showing_renderer

PACKAGE = "clarion.services.campaigning"
PLACE = "/campaigns"
NO_DIVISION = "-"
"""What stands in an address for the wave of cities without a division."""
LOOK_AT_MOST = 60_000
REASON_AT_MOST = 500
"""Characters of a reason that somebody writes."""
STATUSES = {"waiting": "waits", "drafted": "not launched", "launched": "launched", "closed": "over"}


def campaign_path(campaign: str) -> str:
    """The page of a campaign."""
    return f"{PLACE}/{quote(campaign, safe='')}"


def change_path(campaign: str, step: str) -> str:
    """The page on which a campaign that somebody started is moved, called off, or has that taken back."""
    return f"{PLACE}/change/{quote(campaign, safe='')}/{step}"


def wave_path(campaign: str, division: str) -> str:
    """The page of a division's wave."""
    return f"{campaign_path(campaign)}/{quote(division or NO_DIVISION, safe='')}"


def division_of(segment: str) -> str:
    """The division that a part of an address stands for."""
    return "" if segment == NO_DIVISION else segment


def plain_line(text: str) -> str:
    """What somebody wrote into a field, on one line and without what PostgreSQL cannot store."""
    return " ".join(text.replace("\x00", "").split())


async def zone_of(connection: Connection, campaign: str) -> str:
    """The zone in which a campaign's times are told."""
    return await load_queries(PACKAGE).zone_of_campaign(connection, campaign=campaign) or "UTC"


def left_until(moment: datetime, now: datetime) -> str:
    """How long it is until then, as people say it: the largest unit that is left whole."""
    minutes = int((moment - now).total_seconds() // 60)
    if minutes <= 0:
        return "which is past"
    for unit, length in (("day", 1_440), ("hour", 60), ("minute", 1)):
        if minutes >= length * (2 if unit == "day" else 1):
            number = minutes // length
            return f"{number:,} {unit}{'' if number == 1 else 's'} left"
    return "under a minute left"


def pages_of_campaigns() -> Pages:
    """The templates, with what they call."""
    pages = Pages(PACKAGE)
    pages.environment.globals |= {
        "campaign_path": campaign_path,
        "change_path": change_path,
        "wave_path": wave_path,
        "statuses": STATUSES,
    }
    pages.environment.filters |= {
        "moment": spoken_time,
        "left": left_until,
        "count": "{:,}".format,
        "spoken_due": lambda due: spoken_due(Due.model_validate(due)),
    }
    return pages


@dataclass(frozen=True, slots=True)
class Reading:
    """Connections for what a page reads: of campaigns, and of the ledger of mail."""

    campaigns: Connection
    ledger: Connection


class Desk:
    """Where the directory, campaigns and the ledger of mail are kept, who is let in, and how pages are shown."""

    def __init__(self, directory: Database, staff: StaffOnly, settings: Settings) -> None:
        self.directory = directory
        self.staff = staff
        self.settings = settings
        self.clock = directory.clock
        self.pages = pages_of_campaigns()

    @cached_property
    def renderer(self) -> Renderer:
        """What writes a mail that is only looked at; made once, since its templates are compiled for it."""
        return showing_renderer(self.settings)

    def campaigns(self) -> AbstractAsyncContextManager[Database]:
        """The database of campaigns, for one request."""
        return open_database(self.settings, "campaigns", self.clock, size=1)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Both databases, for one page."""
        async with (
            self.campaigns() as ours,
            ours.connection() as campaigns,
            open_database(self.settings, "notifications", self.clock, size=1) as mail,
            mail.connection() as ledger,
        ):
            yield Reading(campaigns, ledger)

    def show(
        self, template: str, visit: Visit, *, place: str = PLACE, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page for staff, which nobody else may keep."""
        headers = {"cache-control": "no-store", **context.pop("headers", {})}
        return self.pages.render(
            f"campaigning/{template}", status=status, headers=headers, visit=visit, place=place, **context
        )
