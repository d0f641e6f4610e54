"""Deadlines computed by hand with a calendar: each line a hearing, and until when its letters are due."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from clarion.services.campaigns.domain.deadlines import due_at
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.rules.reference import desk_deadline, holidays, reference_rules

ZONE = "America/Los_Angeles"
RULES = {(rule.chamber, rule.committee.split()[0]): rule for rule in reference_rules()}

HEARINGS = """
committee            | hearing          | due                    | why
lower Housing        | 2027-04-21T09:00 | 2027-04-14T23:59-07:00 | Tue 20, Mon 19, Fri 16, Thu 15, Wed 14
lower Housing        | 2027-04-07T09:00 | 2027-03-30T23:59-07:00 | Wed March 31 is a holiday
lower Housing        | 2027-07-07T09:00 | 2027-06-29T23:59-07:00 | July 4 is a Sunday, so Monday the 5th is a holiday
lower Housing        | 2027-09-08T09:00 | 2027-08-31T23:59-07:00 | Labor Day
lower Housing        | 2027-11-29T09:00 | 2027-11-18T23:59-08:00 | Thanksgiving and the day after
lower Housing        | 2027-01-06T09:00 | 2026-12-29T23:59-08:00 | over the year's end: Fri January 1 is a holiday
lower Housing        | 2028-01-05T09:00 | 2027-12-29T23:59-08:00 | Jan 1 2028 is a Saturday and moves nothing
lower Housing        | 2027-03-17T09:00 | 2027-03-10T23:59-08:00 | clocks go forward on Sunday the 14th
lower Housing        | 2027-11-10T09:00 | 2027-11-03T23:59-07:00 | clocks go back on Sunday the 7th
lower Housing        | 2028-11-15T09:00 | 2028-11-07T23:59-08:00 | Veterans Day on a Saturday is kept on Friday the 10th
lower Housing        | 2027-04-24       | 2027-04-19T23:59-07:00 | a Saturday, time unknown: 23, 22, 21, 20, 19
lower Environmental  | 2027-04-13T13:30 | 2027-04-05T17:00-07:00 | the Monday one week prior, as its page says
lower Environmental  | 2027-03-16T13:30 | 2027-03-08T17:00-08:00 | clocks go forward between
lower Environmental  | 2027-11-09T13:30 | 2027-11-01T17:00-07:00 | clocks go back between
lower Labor          | 2027-04-21T13:30 | 2027-04-15T17:00-07:00 | the Thursday before a Wednesday
lower Labor          | 2027-01-06T13:30 | 2026-12-31T17:00-08:00 | over the year's end
lower Communications | 2027-04-21T13:30 | 2027-04-16T12:00-07:00 | Friday of the week before
lower Communications | 2027-04-19T13:30 | 2027-04-16T12:00-07:00 | a Monday: three days
lower Communications | 2027-04-23T13:30 | 2027-04-16T12:00-07:00 | a Friday: seven days
lower Communications | 2027-04-25T13:30 | 2027-04-16T12:00-07:00 | a Sunday is the end of its week
upper Housing        | 2024-06-04T13:30 | 2024-05-29T12:00-07:00 | as the committee's own table had it
upper Housing        | 2024-06-18T13:30 | 2024-06-12T12:00-07:00 | likewise
upper Housing        | 2024-06-24T13:30 | 2024-06-19T12:00-07:00 | likewise, a Monday
upper Housing        | 2024-07-02T13:30 | 2024-06-26T12:00-07:00 | likewise
upper Housing        | 2027-04-21T13:30 | 2027-04-14T12:00-07:00 | a Wednesday: the one before, not that morning
upper Housing        | 2027-03-16T13:30 | 2027-03-10T12:00-08:00 | clocks go forward between
upper Human          | 2027-04-19T15:00 | 2027-04-12T12:00-07:00 | Monday a week before
upper Human          | 2027-04-21T15:00 | 2027-04-12T12:00-07:00 | a Wednesday: the Monday of the week before
upper Rules          | 2027-04-21T13:30 | 2027-04-20T12:00-07:00 | noon the day before
upper Rules          | 2027-03-15T13:30 | 2027-03-14T12:00-07:00 | the Sunday on which clocks go forward
upper Rules          | 2027-11-08T13:30 | 2027-11-07T12:00-08:00 | the Sunday on which clocks go back
upper Rules          | 2027-01-01T13:30 | 2026-12-31T12:00-08:00 | the last day of the year
"""

PRESENTED = """
presented   | until       | why
2026-06-15  | 2026-06-29  | the twelfth day is Saturday the 27th
2026-06-20  | 2026-07-02  | twelve days
2024-06-15  | 2024-06-27  | as that year's Budget Bill had it
2026-08-19  | 2026-08-31  | twelve days, on the last day
2026-08-20  | 2026-09-30  | the twelfth day is September 1: by September 30
2026-09-10  | 2026-09-30  | by September 30
2026-10-05  | 2026-10-19  | not of that year's work: the twelfth day is Saturday the 17th
2025-08-31  | 2025-09-12  | twelve days, a day before the houses adjourned
2025-09-01  | 2025-10-13  | the twelfth day is Saturday, the next business day after the adjournment of the 13th
2025-09-22  | 2025-10-13  | thirty days from September 13
2027-08-10  | 2027-08-23  | the twelfth day is a Sunday
2027-08-25  | unknown     | past September 1, and when the houses adjourn in 2027 is not known
"""


def lines(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:]]


def hearing(text: str) -> datetime | date:
    if "T" not in text:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(("committee", "starts", "due", "why"), lines(HEARINGS))
def test_letters_are_due_when_the_calendar_says(committee: str, starts: str, due: str, why: str) -> None:
    chamber, name = committee.split()
    found = due_at(RULES[chamber, name], hearing(starts), ZONE, holidays(CALIFORNIA))
    assert found is not None, why
    assert found.at == datetime.fromisoformat(due), why
    assert found.holidays_known


@pytest.mark.parametrize(("presented", "until", "why"), lines(PRESENTED))
def test_the_governor_has_until_the_day_that_the_constitution_says(presented: str, until: str, why: str) -> None:
    found = desk_deadline(CALIFORNIA, date.fromisoformat(presented), ZONE)
    if until == "unknown":
        assert found is None, why
        return
    assert found is not None, why
    assert found.at == datetime.fromisoformat(f"{until}T23:59").replace(tzinfo=ZoneInfo(ZONE)), why
    assert found.holidays_known == (presented >= "2025")


def test_the_governor_of_a_state_without_data_has_no_deadline_here() -> None:
    assert (
        desk_deadline("ocd-jurisdiction/country:us/state:nv/government", date(2027, 6, 1), "America/Los_Angeles")
        is None
    )
