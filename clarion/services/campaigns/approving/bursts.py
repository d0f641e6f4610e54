"""Who is mailed that calls wait: one mail for each reader and burst, about all that is new to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
    """What one reader is told of, and how many calls wait for them in all."""

    reader: Reader
    news: list[Waiting] = field(default_factory=list)
    waiting: int = 0


def is_settled(waiting: Iterable[Waiting], now: datetime) -> bool:
    """Whether it is time to tell: nothing came for a while, or something was put off long enough."""
    news = [each.since for each in waiting if each.is_new]
    if not news:
        return True
    return max(news) <= now - SETTLE or min(news) <= now - PATIENCE


def bursts(waiting: Sequence[Waiting], staff: Sequence[Staff], managers: Mapping[str, Manager]) -> list[Burst]:
    """One burst for each reader who is to be told of something; `managers` stand by division."""
    found: dict[str, Burst] = {}
    for wave in waiting:
        for reader in readers_of(wave, staff, managers):
            burst = found.setdefault(reader.address.casefold(), Burst(reader))
            burst.waiting += 1
            if wave.is_news:
                burst.news.append(wave)
    return [burst for burst in found.values() if burst.news]


def readers_of(wave: Waiting, staff: Sequence[Staff], managers: Mapping[str, Manager]) -> list[Reader]:
    """Who answers for a wave: managers, else deputies, else whom the directory names, else the state team.

    Once it is urgent all of them.
    """
    theirs = [each for each in staff if wave.division in each.divisions]
    deputies = [each for each in staff if wave.division in each.deputy_in]
    local = [_account(each) for each in ([*theirs, *deputies] if wave.urgent else theirs or deputies)]
    manager = managers.get(wave.division)
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
    news = sorted(burst.news, key=lambda wave: (wave.useless_at, wave.title, wave.division))
    alone = burst.waiting == 1
    urgent = any(wave.urgent for wave in news)
    divisions = listed(sorted({wave.name for wave in news}))
    opening = f"{_counted(len(news))} for approval: {divisions}."
    paragraphs = [opening, *(_line(wave) for wave in news[:NAMED])]
    if len(news) > NAMED:
        paragraphs.append(f"And {len(news) - NAMED} more.")
    if not burst.reader.has_account:
        paragraphs.append(NO_ACCOUNT)
    what = news[0].title if len(news) == 1 else _counted(len(news))
    return NoticeContent(
        subject=f"{'Urgent: calls' if urgent else 'Calls'} waiting for you: {what}"[:LINE_LENGTH],
        paragraphs=paragraphs,
        url=f"{public_url.rstrip('/')}{news[0].path if alone else WAITING_PATH}",
        button="Look at it" if alone else "Look at them",
    )


def _counted(waves: int) -> str:
    return "1 wave of calls waits" if waves == 1 else f"{waves} waves of calls wait"


def _line(wave: Waiting) -> str:
    people = "1 official" if wave.officials == 1 else f"{wave.officials} officials"
    urgent = "Urgent: " if wave.urgent else ""
    return f"{urgent}{wave.title} ({wave.name}, {people}); it helps until {spoken_time(wave.useless_at, wave.zone)}."
