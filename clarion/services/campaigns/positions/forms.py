"""What a page's form on a position or a priority holds, and with what it is filled in."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions.drafts import Draft
from clarion.services.campaigns.positions.priorities import Priority, Unfit
from clarion.services.campaigns.positions.story import WITHDRAWN

Line = Annotated[str, Field(max_length=1_000)]
Text = Annotated[str, Field(max_length=40_000)]
WRITTEN = ("stance", "ask", "why", "policy_area", "points", "letter", "launch", "priority", "adopted_by")


class PositionForm(BaseModel):
    """A position as it was written; `based_on` is the version that was seen, 0 where there was none."""

    subject: Line = "bill"
    name: Line = ""
    session: Line = ""
    jurisdiction: Line = CALIFORNIA
    stance: Line = ""
    ask: Text = ""
    why: Text = ""
    policy_area: Line = ""
    points: Text = ""
    letter: Text = ""
    statewide: bool = False
    include_non_members: bool = False
    groups: Annotated[list[Line], Field(max_length=1_000)] = []
    launch: Line = "approval"
    priority: Line = ""
    representative: Line = ""
    representative_email: Line = ""
    representative_phone: Line = ""
    adopted_by: Line = ""
    adopted_on: Line = ""
    based_on: Annotated[int, Field(ge=0)] = 0

    def draft(self) -> Draft:
        """What was written, without what was seen."""
        return Draft(**self.model_dump(exclude={"based_on"}))


def filled_in(found: Mapping[str, Any]) -> PositionForm:
    """The form for another version of a position; of one that was withdrawn, with the stance that it had."""
    stances = [each["stance"] for each in found["versions"] if each["stance"] != WITHDRAWN]
    person = found["representative"] or {"account": None, "name": None, "email": None, "phone": None}
    given = {name: found[name] or "" for name in WRITTEN} | {"stance": stances[0] if stances else ""}
    return PositionForm(
        subject=found["subject"],
        name=found["bill"],
        session=found["session"] or "",
        jurisdiction=found["jurisdiction"],
        statewide=found["statewide"],
        include_non_members=found["include_non_members"],
        groups=found["groups"],
        representative=person["email" if person["account"] else "name"] or "",
        representative_email="" if person["account"] else person["email"] or "",
        representative_phone=person["phone"] or "",
        adopted_on=str(found["adopted_on"] or ""),
        based_on=found["version"],
        **given,
    )


class PriorityForm(BaseModel):
    """A priority as it was written; `based_on` as for positions."""

    slug: Line = ""
    title: Line = ""
    text: Text = ""
    order: Line = "1"
    from_day: Line = ""
    until_day: Line = ""
    adopted_by: Line = ""
    adopted_on: Line = ""
    based_on: Annotated[int, Field(ge=0)] = 0

    def priority(self) -> Priority:
        """The priority that was meant. Raises Unfit."""
        return Priority(
            slug=self.slug.strip(),
            title=self.title.strip(),
            body=self.text.replace("\r\n", "\n").strip(),
            place=int(self.order) if self.order.strip().isascii() and self.order.strip().isdigit() else 0,
            from_day=_day("from", self.from_day) or _missing("from"),
            until_day=_day("until", self.until_day),
            adopted_by=self.adopted_by.strip() or None,
            adopted_on=_day("adopted on", self.adopted_on),
        )


def filled_in_priority(found: Mapping[str, Any]) -> PriorityForm:
    """The form for another version of a priority."""
    return PriorityForm(
        slug=found["slug"],
        title=found["title"],
        text=found["text"],
        order=str(found["place"]),
        from_day=str(found["from_day"]),
        until_day=str(found["until_day"] or ""),
        adopted_by=found["adopted_by"] or "",
        adopted_on=str(found["adopted_on"] or ""),
        based_on=found["version"],
    )


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Unfit(f"{name}: {text!r} is no day, write it as 2027-01-31") from None


def _missing(name: str) -> date:
    raise Unfit(f"{name}: give its first day, such as 2027-01-31")
