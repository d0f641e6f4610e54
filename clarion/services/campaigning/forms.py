"""The form of a campaign that somebody starts: what was filled in, as a draft, and what is wrong where."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from clarion.runtime.web.fields import FieldError, field_errors
from clarion.services.campaigns.starting.drafts import OccasionDraft, StartedKind

LONGEST = 10_000
MOST_NAMES = 1_000
FIELDS_OF = re.compile(r"^(?:audience\.)?(\w+)")
SHOWN_AT = {"decided_at": "decided_on", "due_at": "due_on", "own": "subject"}
"""Fields of a draft that have another name on the form."""


class OccasionForm(BaseModel):
    """The fields as people fill them in: dates and times apart, names one on a line."""

    model_config = ConfigDict(extra="ignore", str_max_length=LONGEST)

    id: str = ""
    kind: StartedKind
    decider: str = ""
    decided_on: str = ""
    decided_time: str = ""
    due_on: str = ""
    due_time: str = ""
    presented_on: str = ""
    session_ended_on: str = ""
    bills: str = ""
    subject: str = ""
    ask: str = ""
    why: str = ""
    letter: str = ""
    first_ask: str = ""
    launch: Literal["auto", "approval"] = "approval"
    where: str = ""
    notice_url: str = ""
    divisions: list[str] = Field(default_factory=list, max_length=MOST_NAMES)
    cities: str = ""
    groups: list[str] = Field(default_factory=list, max_length=MOST_NAMES)
    roles: str = ""
    districts: str = ""
    committees: str = ""
    people: str = ""
    members: Literal["members", "others", "all"] = "members"
    statewide: bool = False

    @field_validator("*", mode="before")
    @classmethod
    def storable(cls, value: Any) -> Any:
        """Without what PostgreSQL cannot store."""
        return value.replace("\x00", "").strip() if isinstance(value, str) else value

    def draft(self, officials: Iterable[str] = ()) -> dict[str, Any]:
        """The same as a draft has it; `officials` are the ids of the people named."""
        filled = {
            name: value
            for name in ("id", "decider", "presented_on", "session_ended_on", "first_ask", "where", "notice_url")
            if (value := getattr(self, name))
        }
        moments = {
            "decided_at": moment(self.decided_on, self.decided_time),
            "due_at": moment(self.due_on, self.due_time),
        }
        asked = {name: getattr(self, name) for name in ("subject", "ask", "why", "letter") if getattr(self, name)}
        return {
            "kind": self.kind,
            "launch": self.launch,
            **filled,
            **{name: value for name, value in moments.items() if value},
            "bills": lines(self.bills),
            "own": [asked] if asked else [],
            "audience": {
                **{name: lines(getattr(self, name)) for name in ("cities", "roles", "districts", "committees")},
                "divisions": self.divisions,
                "groups": self.groups,
                "officials": list(officials),
                "members": self.members,
                "statewide": self.statewide,
            },
        }

    def named_people(self) -> list[str]:
        """The people who were named one by one."""
        return lines(self.people)


def moment(day: str, time: str) -> str:
    """A day with its time, in the zone of the occasion; the day alone where no time is said."""
    return f"{day}T{time}" if day and time else day


def lines(text: str) -> list[str]:
    """What stands on the lines of a field, without the empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_draft(values: dict[str, Any]) -> OccasionDraft | list[FieldError]:
    """The draft, or what is wrong with each field of it."""
    try:
        return OccasionDraft.model_validate(values)
    except ValidationError as error:
        return field_errors(error.errors(), values)


def by_field(errors: Iterable[FieldError]) -> dict[str, list[str]]:
    """What is wrong, by the field of the form at which it is shown."""
    shown: dict[str, list[str]] = {}
    for error in errors:
        found = FIELDS_OF.match(error.field)
        name = found[1] if found else ""
        shown.setdefault(own_part(error.field) or SHOWN_AT.get(name, name), []).append(error.message)
    return shown


def own_part(field: str) -> str | None:
    """The part of an ask that is wrong."""
    found = re.fullmatch(r"own\[0\]\.(\w+)", field)
    return found[1] if found else None
