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

FORESEEN: dict[str, JsonValue] = {
    "id": "0b9f7c2e5d3a4e61",
    "title": "SB 54 packaging regulations: CalRecycle, Monday, June 14",
    "changes": [
        {
            "label": "Comments due",
            "now": "Monday, June 21, 2027, 5:00 pm PDT",
            "was": "Monday, June 14, 2027, 5:00 pm PDT",
        }
    ],
    "amended": 6,
    "unsent": 0,
    "look": "committee=9d1c0f7e55,standing=0be77c94d1,when=5f3a9c1b02",
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


class FactChange(BaseModel):
    """Something that is told and becomes another: what it will be and what it is; nothing where it is not told."""

    label: str
    now: str | None
    was: str | None


class Foreseen(BaseModel):
    """What changing a campaign that was started will do. Send `look` with the change, so that it is made only if the
    campaign is still as it was counted.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [FORESEEN]})

    id: str
    title: str
    changes: list[FactChange] = Field(description="what is told then, where that differs")
    amended: int = Field(description="mails to those who were told: one to each mailbox")
    unsent: int = Field(description="mails that are on their way to those who were told nothing yet")
    look: str


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
