"""Where a letters' deadline comes from, and what `clarion committees rules` prints."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DueKind = Literal["override", "notice", "rule", "unknown"]


class Due(BaseModel):
    """Where the letters' deadline of an occasion comes from."""

    model_config = ConfigDict(frozen=True)

    kind: DueKind = Field(description="set by hand for this hearing, said by its notice, counted by a rule, or unknown")
    text: str = Field(description="the same for people, with the rule or the reason")
    address: str | None = Field(default=None, description="where the rule is written down")
    checked_on: date | None = Field(default=None, description="when that was last looked at; nothing if nobody knows")
    unknown_years: list[int] = Field(
        default_factory=list, description="years whose holidays nobody knew when days were counted"
    )


class RuleLine(BaseModel):
    """Until when a committee takes letters: one rule in `clarion committees rules list`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jurisdiction: str
    chamber: str
    committee: str
    aliases: list[str]
    when: str = Field(description='such as "5 business days", "Wednesday before", or "unknown"')
    at: str = Field(description='such as "noon" or "15:00", in the zone of the jurisdiction')
    source: str | None = Field(description="where it is written down")
    checked_on: date | None = Field(description="when that was last looked at; nothing if nobody knows")
    note: str | None
    version: int = Field(description="0 is the project's own")
    made_by: str | None = Field(description="who made this version here")
    made_at: datetime | None


class RuleChanged(RuleLine):
    """`clarion committees rules set` and `restore`: the rule in force now."""

    changed: bool = Field(description="false if just this was in force before")
    decided_again: int = Field(description="hearings ahead that it concerns, decided on again")


class HolidayLine(BaseModel):
    """A day on which a legislature's offices are closed: one in `clarion committees holidays list`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jurisdiction: str
    year: int
    day: date
    name: str
    closed: bool = Field(default=True, description="false where it was taken out here: offices are open on that day")
    source: str | None = Field(description="where it is written down")
    checked_on: date | None = Field(default=None, description="when that was last looked at; nothing if nobody knows")
    version: int = Field(default=0, description="0 is the project's own")
    made_by: str | None = Field(default=None, description="who made this version here")
    made_at: datetime | None = None


class HolidayChanged(HolidayLine):
    """`clarion committees holidays add` and `remove`: the day as it is now."""

    changed: bool = Field(description="false if just this was in force before")
    decided_again: int = Field(description="hearings ahead whose deadline changes by it, decided on again")


class HolidayYear(BaseModel):
    """Whether all of a year's holidays are known; days that are counted through another say that they are not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jurisdiction: str
    year: int
    whole: bool
    source: str | None = None
    checked_on: date | None = Field(default=None, description="when that was last looked at; nothing if nobody knows")
    version: int = Field(default=0, description="0 is the project's own")
    made_by: str | None = Field(default=None, description="who made this version here")
    made_at: datetime | None = None


class HolidayYearSet(HolidayYear):
    """`clarion committees holidays year`: the year as it is now."""

    changed: bool = Field(description="false if just this was in force before")
    decided_again: int = Field(description="hearings ahead whose deadline changes by it, decided on again")


class RuleConcern(BaseModel):
    """One thing that `clarion committees rules check` found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["stale", "never-checked", "holidays", "no-committee", "several", "no-rule", "no-deadline"]
    what: str
    todo: str


class DeadlineSet(BaseModel):
    """`clarion campaigns deadline`: what holds now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    campaign: str
    letters_due_at: datetime | None = Field(description="nothing if nobody knows it")
    due: Due
    changed: bool = Field(description="false if just this was set before")
