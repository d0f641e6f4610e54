"""A position as somebody writes it, in texts, at the command line or on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from clarion.runtime.database import Connection
from clarion.runtime.staff.accounts import find_account, find_account_by_email
from clarion.schemas.campaigns import Stance
from clarion.services.campaigns.domain.model import Launch, Position, Representative, Subject
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions.operations import Unadoptable
from clarion.services.campaigns.positions.subjects import LINE_CHARACTERS, fits, subject_key

CHOICES: dict[str, tuple[str, ...]] = {
    "subject": get_args(Subject),
    "stance": get_args(Stance),
    "launch": get_args(Launch),
}
REPRESENTATIVE_IS = "give the address of a staff account, or a name with an address or a phone"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written. `representative` is an account's address or id, or a name; empty texts mean nothing."""

    name: str
    stance: str
    why: str
    ask: str = ""
    subject: str = "bill"
    session: str = ""
    jurisdiction: str = CALIFORNIA
    policy_area: str = ""
    points: str = ""
    letter: str = ""
    statewide: bool = False
    include_non_members: bool = False
    groups: Sequence[str] = ()
    launch: str = "approval"
    priority: str = ""
    representative: str = ""
    representative_email: str = ""
    representative_phone: str = ""
    adopted_by: str = ""
    adopted_on: str = ""


async def position_from(connection: Connection, draft: Draft) -> Position:
    """The position that was meant; whether it can be adopted is still to be looked at.

    Raises:
        Unadoptable: a choice is none, a day is none, or the representative is nobody.
    """
    errors = _wrong_choices(draft)
    adopted_on = _day(draft.adopted_on, errors)
    representative = await _representative(connection, draft, errors)
    if errors:
        raise Unadoptable(errors)
    subject: Any = draft.subject
    stance: Any = draft.stance
    launch: Any = draft.launch
    return Position(
        jurisdiction=draft.jurisdiction.strip(),
        session=draft.session.strip(),
        bill=draft.name.strip(),
        bill_key=subject_key(subject, draft.name),
        stance=stance,
        ask=draft.ask.strip(),
        why=draft.why.strip(),
        policy_area=_kept(draft.policy_area),
        points=_kept(draft.points),
        letter=_kept(draft.letter),
        statewide=draft.statewide,
        include_non_members=draft.include_non_members,
        launch=launch,
        subject=subject,
        groups=tuple(sorted({group.strip() for group in draft.groups if group.strip()})),
        priority=_kept(draft.priority),
        representative=representative,
        adopted_by=_kept(draft.adopted_by),
        adopted_on=adopted_on,
    )


def _kept(text: str) -> str | None:
    """A text, with the line ends that forms send made ours; nothing where there is none."""
    return text.replace("\r\n", "\n").strip() or None


def _wrong_choices(draft: Draft) -> dict[str, str]:
    return {
        field: f"{getattr(draft, field)!r} is not one of: {', '.join(known)}"
        for field, known in CHOICES.items()
        if getattr(draft, field) not in known
    }


def _day(text: str, errors: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        errors["adopted_on"] = f"{text!r} is no day: write it as 2027-01-31"
        return None


async def _representative(connection: Connection, draft: Draft, errors: dict[str, str]) -> Representative | None:
    who = draft.representative.strip()
    email, phone = _kept(draft.representative_email), _kept(draft.representative_phone)
    if not who:
        if email or phone:
            errors["representative"] = REPRESENTATIVE_IS
        return None
    account = (
        await (find_account_by_email if "@" in who else find_account)(connection, who)
        if fits(who, LINE_CHARACTERS)
        else None
    )
    if account is not None and account.removed_at is None:
        return Representative(account=account.staff.id, phone=phone)
    if account is not None or "@" in who:
        errors["representative"] = f"no staff account {who}: {REPRESENTATIVE_IS}"
    return Representative(name=who, email=email, phone=phone)
