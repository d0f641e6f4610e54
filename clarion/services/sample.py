"""The sample association's position and a notice of a hearing on it, at a date counted from now."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import open_database
from clarion.runtime.settings import Settings
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns.domain.model import Position, Representative
from clarion.services.campaigns.positions.agenda import put_priority
from clarion.services.campaigns.positions.operations import adopt_position
from clarion.services.campaigns.positions.priorities import Priority
from clarion.services.registrations.repository import Event
from clarion.services.registrations.sample import create_sample_webinar

JURISDICTION = "ocd-jurisdiction/country:us/state:ca/government"
ZONE = ZoneInfo("America/Los_Angeles")
BILL = "SB 79"
AUTHOR = "Wiener"
TITLE = "Housing development: transit-oriented development"
WEDNESDAY = 2


def session_of(day: datetime) -> str:
    """California's two-year session, which begins in an odd year: 20272028 in both 2027 and 2028."""
    first = day.year if day.year % 2 else day.year - 1
    return f"{first}{first + 1}"


def hearing_start(now: datetime) -> datetime:
    """A Wednesday 13:30 in Sacramento, between two and three weeks from now: letters are due the Wednesday before."""
    local = now.astimezone(ZONE)
    days = 14 + (WEDNESDAY - local.weekday()) % 7
    return (local + timedelta(days=days)).replace(hour=13, minute=30, second=0, microsecond=0)


def sample_notice(now: datetime) -> dict[str, Any]:
    """`hearing.scheduled` of the sample bill before the Senate's housing committee, as an integration sends it."""
    start = hearing_start(now)
    return {
        "hearing_id": f"ca-{start:%Y-%m-%d}-s-housing",
        "jurisdiction": JURISDICTION,
        "session": session_of(start),
        "committee": {"name": "Housing", "chamber": "upper", "id": None},
        "starts_at": start.isoformat(),
        "time_note": None,
        "sequence": None,
        "location": {"name": "1021 O Street, Room 1200", "url": None, "remote": None},
        "agenda": [{"bill": BILL, "title": TITLE, "author": AUTHOR}],
        "letters_due_at": None,
        "notice_url": None,
    }


def sample_position(now: datetime, *, statewide: bool = False) -> Position:
    """The sample association's stance on the sample bill: invented, as is the association."""
    return Position(
        jurisdiction=JURISDICTION,
        session=session_of(hearing_start(now)),
        bill=BILL,
        bill_key=bill_key(BILL),
        stance="oppose",
        ask=f"vote no on {BILL}",
        why=(
            "The bill would overrule the plans that cities made with their residents for the land around transit stops,"
            " without money for the pipes, schools and streets that new homes need."
        ),
        policy_area="Housing, Community and Economic Development",
        points=(
            "Our city has an adopted housing element and is carrying it out.\n"
            "Local plans weigh slope, fire and flood; a rule made for the whole state cannot.\n"
            "We ask for incentives and infrastructure money in place of a mandate."
        ),
        letter=(
            f"The City of [city] respectfully opposes {BILL}.\n\n"
            "[Tell in two sentences what your city has done for housing.]\n\n"
            f"For these reasons we ask you to vote no on {BILL}."
        ),
        statewide=statewide,
        launch="auto",
        priority=sample_priorities(now)[0].slug,
        representative=Representative(name="Ana Muster", email="ana.muster@league.example", phone="916-555-0142"),
        adopted_by="Board of Directors",
        adopted_on=sample_priorities(now)[0].adopted_on,
    )


def sample_priorities(now: datetime) -> list[Priority]:
    """The sample association's Action Agenda for the session: invented as well."""
    year = int(session_of(hearing_start(now))[:4])
    agenda = (
        ("housing", "Homes that cities can plan for", "Money for homes, pipes and schools instead of mandates."),
        ("wildfire", "Cities that withstand fire and flood", "Lasting money for what keeps neighbourhoods safe."),
    )
    return [
        Priority(
            slug=f"{name}-{year}",
            title=title,
            body=body,
            place=place,
            from_day=date(year, 1, 1),
            until_day=date(year + 1, 12, 31),
            adopted_by="Board of Directors",
            adopted_on=date(year - 1, 12, 4),
        )
        for place, (name, title, body) in enumerate(agenda, 1)
    ]


async def adopt_sample_position(settings: Settings, clock: Clock = system_clock, *, statewide: bool = False) -> None:
    """Put the sample priorities on the agenda and adopt the sample position; there already, nothing changes."""
    async with open_database(settings, "campaigns", clock) as database, database.transaction() as tx:
        for priority in sample_priorities(clock()):
            await put_priority(tx, priority)
        await adopt_position(tx, sample_position(clock(), statewide=statewide), clock)


async def open_sample_webinar(settings: Settings, clock: Clock = system_clock) -> Event:
    """The sample webinar, open for registering; there already, nothing changes."""
    async with open_database(settings, "registrations", clock) as database:
        return await create_sample_webinar(database, settings.public_url or "", clock)


def sample_draft(now: datetime) -> dict[str, Any]:
    """A comment period on the packaging law's rules, as `clarion campaigns create` takes it.

    The task force, coastal cities and city managers are asked. It ends on a weekday at 17:00, in some seven
    weeks.
    """
    local = now.astimezone(ZONE) + timedelta(days=49)
    ends_at = (local - timedelta(days=max(0, local.weekday() - 4))).replace(hour=17, minute=0, second=0, microsecond=0)
    return {
        "id": f"packaging-rules-{ends_at:%Y-%m-%d}",
        "kind": "comment-period",
        "decider": "Department of Resources Recycling and Recovery",
        "decided_at": ends_at.isoformat(),
        "own": [
            {
                "subject": "SB 54 packaging regulations",
                "ask": "ask that producers pay what collecting and sorting really costs cities",
                "why": (
                    "The packaging law has producers pay for what cities have paid for so far. The draft rules count"
                    " only a part of those costs, and leave the rest with the residents."
                ),
                "points": (
                    "Say what your city pays for collecting and sorting packaging now.\n"
                    "Contracts with haulers run for years: cities need time to change them.\n"
                    "Small and rural cities have no plant near by."
                ),
                "letter": (
                    "The City of [city] comments on the draft regulations under SB 54.\n\n"
                    "[Tell in two sentences what packaging costs your city.]\n\n"
                    "We ask that producers pay what collecting and sorting really costs."
                ),
            }
        ],
        "audience": {"groups": ["coastal-cities", "packaging-task-force", "city-managers"]},
    }


def write_sample_draft(settings: Settings, now: datetime) -> str:
    """Write the draft into the data dir, ready for `clarion campaigns create`; returns its path."""
    path = settings.data_dir / "sample-draft.json"
    path.write_text(json.dumps(sample_draft(now), indent=1) + "\n", encoding="utf-8")
    return str(path)


def write_sample_notice(settings: Settings, now: datetime) -> str:
    """Write the notice into the data dir, ready for `clarion publish`; returns its path."""
    path = settings.data_dir / "sample-notice.json"
    document = {"type": "hearing.scheduled", "data": sample_notice(now)}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return str(path)
