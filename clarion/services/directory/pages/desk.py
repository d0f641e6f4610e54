"""What every page of the directory stands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any
from urllib.parse import quote

import asyncpg
from starlette.responses import HTMLResponse

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.pages import Imprint, Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.directory.corrections import Settled, UnknownCorrection, UnknownOfficial
from clarion.services.directory.uploads import UnknownUpload

PACKAGE = "clarion.services.directory"
NO_STORE = {"cache-control": "no-store"}
BUSY = "An import holds this entry at the moment. Nothing was changed: try again in a minute."
RETRY_SECONDS = "60"
PATHS = {
    "city": "cities",
    "official": "officials",
    "division": "divisions",
    "group": "groups",
    "committee": "committees",
    "legislator": "legislators",
    "partner": "partners",
}
CHAMBERS = {"upper": "Senate", "lower": "Assembly", "joint": "Joint"}


def path_of(kind: str, entity_id: str) -> str:
    """The page of an entity."""
    return f"/directory/{PATHS[kind]}/{quote(entity_id, safe='/:')}"


def spoken_time(moment: datetime) -> str:
    """A moment as people write it, in UTC."""
    return f"{moment.astimezone(UTC):%B %-d, %Y, %H:%M} UTC"


def pages_of_directory(imprint: Imprint | None = None) -> Pages:
    """The directory's templates, with what they call."""
    pages = Pages(PACKAGE, imprint)
    pages.environment.globals["path_of"] = path_of
    pages.environment.filters |= {
        "moment": spoken_time,
        "count": "{:,}".format,
        "share": spoken_share,
        "chamber": lambda name: CHAMBERS.get(name, name),
        "bytes": spoken_bytes,
    }
    return pages


def spoken_share(share: float) -> str:
    """A share of an area as people say it."""
    return "under 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def spoken_bytes(count: int) -> str:
    """A size as people say it."""
    return f"{count / 1_000_000:,.0f} MB" if count >= 1_000_000 else f"{ceil(count / 1_000):,} KB"


@contextmanager
def refusals() -> Iterator[None]:
    """What operations on the directory raise, in words for whoever asked."""
    try:
        yield
    except UnknownOfficial:
        raise Refused(404, "The directory knows no such official, or not by this address.") from None
    except UnknownCorrection:
        raise Refused(404, "There is no such correction.") from None
    except UnknownUpload:
        raise Refused(404, "There is no such import; what nobody confirmed within a day is thrown away.") from None
    except Settled as error:
        raise Refused(409, str(error)) from None
    except asyncpg.LockNotAvailableError:
        raise Refused(503, BUSY, headers={"retry-after": RETRY_SECONDS}) from None


@dataclass(frozen=True, slots=True)
class Desk:
    """The database, who is let in, how links are signed and where the site is."""

    database: Database
    staff: StaffOnly
    links: SignedLinks
    public_url: str
    clock: Clock
    pages: Pages = field(default_factory=pages_of_directory)

    def show(
        self, template: str, visit: Visit, *, place: str = "/directory", status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page for staff, which nobody else may keep."""
        return self.pages.render(
            f"directory/{template}", status=status, headers=NO_STORE, visit=visit, place=place, **context
        )


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a long list is shown; pages are counted from 1."""

    page: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The last page."""
        return max(1, ceil(self.total / self.size))

    @property
    def first_shown(self) -> int:
        """The place of the first that is shown."""
        return min((self.page - 1) * self.size + 1, self.total)

    @property
    def last_shown(self) -> int:
        """The place of the last that is shown."""
        return min(self.page * self.size, self.total)


def skipped(page: int, size: int) -> int:
    """How many stand before a page."""
    return (page - 1) * size
