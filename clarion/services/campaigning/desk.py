"""What every page about campaigns stands on."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import StaffOnly, Visit

PACKAGE = "clarion.services.campaigning"
PLACE = "/campaigns"
NO_DIVISION = "-"
"""What stands in an address for the wave of cities without a division."""
STATUSES = {"waiting": "waits", "drafted": "not launched", "launched": "launched", "closed": "over"}


def campaign_path(campaign: str) -> str:
    """The page of a campaign."""
    return f"{PLACE}/{quote(campaign, safe='')}"


def wave_path(campaign: str, division: str) -> str:
    """The page of a division's wave."""
    return f"{campaign_path(campaign)}/{quote(division or NO_DIVISION, safe='')}"


def division_of(segment: str) -> str:
    """The division that a part of an address stands for."""
    return "" if segment == NO_DIVISION else segment


def spoken_moment(moment: datetime) -> str:
    """A moment as people write it, in UTC."""
    return f"{moment.astimezone(UTC):%B %-d, %Y, %H:%M} UTC"


def pages_of_campaigns() -> Pages:
    """The templates, with what they call."""
    pages = Pages(PACKAGE)
    pages.environment.globals |= {
        "campaign_path": campaign_path,
        "wave_path": wave_path,
        "statuses": STATUSES,
    }
    pages.environment.filters |= {"moment": spoken_moment, "count": "{:,}".format}
    return pages


@dataclass(frozen=True, slots=True)
class Desk:
    """Where campaigns and the ledger of mail are kept, and how pages are shown."""

    settings: Settings
    staff: StaffOnly
    clock: Clock
    pages: Pages = field(default_factory=pages_of_campaigns)

    def campaigns(self) -> AbstractAsyncContextManager[Database]:
        """The database of campaigns, for one request."""
        return open_database(self.settings, "campaigns", self.clock, size=1)

    def ledger(self) -> AbstractAsyncContextManager[Database]:
        """The database of notifications, for one request."""
        return open_database(self.settings, "notifications", self.clock, size=1)

    def show(
        self, template: str, visit: Visit, *, place: str = PLACE, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page for staff, which nobody else may keep."""
        headers = {"cache-control": "no-store", **context.pop("headers", {})}
        return self.pages.render(
            f"campaigning/{template}", status=status, headers=headers, visit=visit, place=place, **context
        )
