"""What is told of a draft before it is started, and of what was started."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

NAMES_SHOWN = 100

COUNTED: dict[str, JsonValue] = {
    "title": "SB 54 packaging regulations: CalRecycle, Monday, June 14",
    "divisions": [{"slug": "east-bay", "division": "East Bay", "cities": 4, "officials": 6, "mailboxes": 6}],
    "cities": 4,
    "officials": 6,
    "mailboxes": 6,
    "cities_without_anyone": 1,
    "without_anyone": ["Oakville"],
    "warnings": [],
}


class CountedDivision(BaseModel):
    """A division's part of an audience; `slug` is empty for cities without a division."""

    slug: str
    division: str
    cities: int
    officials: int
    mailboxes: int


class Counted(BaseModel):
    """Whom a draft would ask. `without_anyone` names the first 100 of the cities in which nobody would be asked."""

    model_config = ConfigDict(json_schema_extra={"examples": [COUNTED]})

    title: str = Field(description="what the campaign would be called")
    divisions: list[CountedDivision]
    cities: int
    officials: int
    mailboxes: int
    cities_without_anyone: int
    without_anyone: list[str]
    warnings: list[str] = Field(description="what is odd, and does not keep it from being started")


class Started(BaseModel):
    """The campaign of a draft; `created` is false if the same draft had been started before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "0b9f7c2e5d3a4e61", "created": True}]})

    id: str
    created: bool


class FollowUp(BaseModel):
    """A campaign that waits for its hearing: `follows` is the last one on the bill, `id` the one that it will have."""

    id: str
    title: str
    problem: str
    follows: str
    bill: str


class ReachedBefore(BaseModel):
    """An official who was reached by a campaign that this one follows, and what they were asked there."""

    official: str
    campaign: str
    asked_to_write: bool = Field(description="asked to write, or to call where that was too late")
    asked_to_testify: bool
    reached_at: datetime | None


def follow_up(row: Any) -> FollowUp:
    """A row as people are told of it."""
    where = f"before {row['committee']}" if row["committee"] else "of its next committee"
    amended = f", amended on {row['amended_on']:%B %-d, %Y}" if row["amended_on"] else ""
    return FollowUp(
        id=row["id"],
        title=f"{row['bill']}: next hearing",
        problem=f"waits for the hearing {where}{amended}",
        follows=row["follows"],
        bill=row["bill"],
    )
