"""Who is mailed that calls wait: one mail for each reader and burst, about all that is new to them."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clarion.runtime.staff.rights import Role, Staff
from clarion.schemas.messages import NoticeContent
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.campaigns.domain.words import LINE_LENGTH, listed

SETTLE = timedelta(seconds=5)
"""How long nothing more has to come before it is told of: the hearings of a day come within seconds."""
PATIENCE = timedelta(seconds=30)
"""How long that is put off at most."""
NAMED = 10
"""How many of the calls that wait a mail names."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
WAITING_PATH = "/campaigns/waiting"
NO_ACCOUNT = (
    "There is no account for this address yet: an administrator can make one. Until then the state team may approve."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wave that waits for approval; `path` is its page.

    `is_new` and `newly_urgent` say what nobody was told of yet, `urgent` that its time runs short.
    """

    division: str
    name: str
    title: str
    path: str
    officials: int
    since: datetime
    useless_at: datetime
    zone: str
    urgent: bool
    is_new: bool
    newly_urgent: bool

    @property
    def is_news(self) -> bool:
        """Whether somebody is to be told of it now."""
        return self.is_new or self.newly_urgent


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told: an account, or a manager by the address in the directory. `key` names them in a matter."""

    key: str
    address: str
    name: str
    has_account: bool = True


@dataclass(frozen=True, slots=True)
class Manager:
    """A division's manager as the directory has them."""

    name: str
    address: str | None


@dataclass(slots=True)
class Burst:
    """What one reader is told of, and how many calls wait for them in all; of thousands it keeps those that are named.

    `named` are the first `NAMED` of the news by when they become useless; `until` is when the last of them does.
    """

    reader: Reader
    waiting: int = 0
    news: int = 0
    named: list[Waiting] = field(default_factory=list)
    divisions: set[str] = field(default_factory=set)
    urgent: bool = False
    until: datetime = LONG_AGO

    def add(self, wave: Waiting) -> None:
        """Count a wave that waits for the reader."""
        self.waiting += 1
        if not wave.is_news:
            return
        self.news += 1
        self.divisions.add(wave.name)
        self.urgent |= wave.urgent
        self.until = max(self.until, wave.useless_at)
        insort(self.named, wave, key=lambda each: (each.useless_at, each.title, each.division))
        del self.named[NAMED:]


@dataclass(slots=True)
class Bursts:
    """Who is told of what, as the waves that wait are read one after the other."""

    staff: Sequence[Staff]
    by_address: dict[str, Burst] = field(default_factory=dict)

    def add(self, wave: Waiting, manager: Manager | None) -> bool:
        """Count a wave for those who answer for it; False if there is nobody."""
        readers = readers_of(wave, self.staff, manager)
        for reader in readers:
            self.by_address.setdefault(reader.address.casefold(), Burst(reader)).add(wave)
        return bool(readers)

    @property
    def due(self) -> list[Burst]:
        """Those with something new to their reader."""
        return [burst for burst in self.by_address.values() if burst.news]


def is_settled(oldest: datetime | None, newest: datetime | None, now: datetime) -> bool:
    """Whether it is time to tell of what is new since then: nothing came for a while, or it was put off long enough."""
    if oldest is None or newest is None:
        return True
    return newest <= now - SETTLE or oldest <= now - PATIENCE


def readers_of(wave: Waiting, staff: Sequence[Staff], manager: Manager | None) -> list[Reader]:
    """Who answers for a wave: managers, else deputies, else whom the directory names, else the state team.

    Once it is urgent all of them.
    """
    theirs = [each for each in staff if wave.division in each.divisions]
    deputies = [each for each in staff if wave.division in each.deputy_in]
    local = [_account(each) for each in ([*theirs, *deputies] if wave.urgent else theirs or deputies)]
    if not local and manager is not None and manager.address:
        local = [Reader(f"division-{wave.division}", manager.address, manager.name, has_account=False)]
    return local if local and not wave.urgent else [*local, *_state_team(staff)]


def _state_team(staff: Sequence[Staff]) -> list[Reader]:
    """The state team; where there is none, the administrators."""
    for role in (Role.STATE, Role.ADMIN):
        team = [_account(each) for each in staff if each.role is role]
        if team:
            return team
    return []


def _account(staff: Staff) -> Reader:
    return Reader(staff.id, staff.email, staff.name)


def content_of(burst: Burst, public_url: str) -> NoticeContent:
    """The mail of a burst: what waits, how long it helps, and one link."""
    first = burst.named[0]
    alone = burst.waiting == 1
    opening = f"{_counted(burst.news)} for approval: {listed(sorted(burst.divisions))}."
    paragraphs = [opening, *(_line(wave) for wave in burst.named)]
    if burst.news > NAMED:
        paragraphs.append(f"And {burst.news - NAMED} more.")
    if not burst.reader.has_account:
        paragraphs.append(NO_ACCOUNT)
    what = first.title if burst.news == 1 else _counted(burst.news)
    return NoticeContent(
        subject=f"{'Urgent: calls' if burst.urgent else 'Calls'} waiting for you: {what}"[:LINE_LENGTH],
        paragraphs=paragraphs,
        url=f"{public_url.rstrip('/')}{first.path if alone else WAITING_PATH}",
        button="Look at it" if alone else "Look at them",
    )


def _counted(waves: int) -> str:
    return "1 wave of calls waits" if waves == 1 else f"{waves} waves of calls wait"


def _line(wave: Waiting) -> str:
    people = "1 official" if wave.officials == 1 else f"{wave.officials} officials"
    urgent = "Urgent: " if wave.urgent else ""
    return f"{urgent}{wave.title} ({wave.name}, {people}); it helps until {spoken_time(wave.useless_at, wave.zone)}."
