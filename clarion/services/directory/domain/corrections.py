"""What people say of officials beside the association's list: which wishes there are, and when they count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from clarion.schemas.mailboxes import mailbox
from clarion.schemas.text import Line
from clarion.services.directory.domain.addresses import address

LINE = TypeAdapter(Line)
LONGEST_NAME = 200


class Wish(StrEnum):
    """What is wrong with an official's entry."""

    LEFT = "left"
    NOT_ME = "not-me"
    NAME = "name"
    ADDRESS = "address"


class State(StrEnum):
    """How a correction stands. One in force whose line in an import changed is over without another word."""

    ASKED = "asked"
    IN_FORCE = "in-force"
    UNDONE = "undone"
    REFUSED = "refused"


MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.ASKED: frozenset({State.IN_FORCE, State.REFUSED, State.UNDONE}),
        State.IN_FORCE: frozenset({State.UNDONE}),
        State.UNDONE: frozenset(),
        State.REFUSED: frozenset(),
    }
)
"""Where a correction can go from each state."""


class Unfit(Exception):
    """A wish that cannot be taken, in words for whoever has it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One wish and what became of it.

    `holds` is true while it is what is published: nothing newer and no other line of an import stands against it.
    `mailbox` is that by which the official was reached when it was said.
    """

    id: str
    official: str
    wish: Wish
    overlay: Mapping[str, Any]
    before: Mapping[str, Any]
    state: State
    mailbox: str
    said_by_kind: str
    said_by: str
    said_at: datetime
    holds: bool = False
    confirmed_at: datetime | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None


def overlay_of(wish: Wish, value: str, known: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The fields as they are to be published, given the entry as it is known and the key of mailboxes.

    Raises:
        Unfit: the value is no name or no address, or the entry says so already.
    """
    match wish:
        case Wish.LEFT | Wish.NOT_ME:
            if not known["active"]:
                raise Unfit("The directory says already that this person gets no mail.")
            return {"active": False}
        case Wish.NAME:
            name = _line(value, "name")
            if name == known["name"]:
                raise Unfit("This is the name that the directory has already.")
            return {"name": name}
        case Wish.ADDRESS:
            return _new_address(value, known, key)


def _line(value: str, what: str) -> str:
    try:
        line: str = LINE.validate_python(value)
    except ValidationError as error:
        raise Unfit(f"Write the new {what}.") from error
    if len(line) > LONGEST_NAME or any(not character.isprintable() for character in line):
        raise Unfit(f"Write the new {what} in one line of at most {LONGEST_NAME} characters.")
    return line


def _new_address(value: str, known: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    try:
        email = address(_line(value, "address"))
    except ValueError as error:
        raise Unfit(f"This is no mail address: {error}") from error
    if email.casefold() == str(known["email"]).casefold():
        raise Unfit("This is the address that the directory has already.")
    return {"email": email, "mailbox": mailbox(email, key)}


def counts_at_once(wish: Wish, *, by_staff: bool) -> bool:
    """Whether it is in force as soon as it is said.

    Who left, or is somebody else, gets no more mail at once, by the word of whoever reads the mailbox: less mail harms
    nobody, and it can be undone. A name or an address by a link waits: a forwarded mail gives its link to strangers.
    """
    return by_staff or wish in (Wish.LEFT, Wish.NOT_ME)


def counts_when_confirmed(old_address: str, new_address: str) -> bool:
    """Whether a new address, once confirmed by who reads it, needs nobody else's word.

    It does not in the same mail domain: that is in the hands of those who gave out the old one. Any other waits for
    staff, else a stranger with a forwarded mail could have somebody's mail.
    """
    return domain_of(old_address) == domain_of(new_address)


def domain_of(email: str) -> str:
    """What stands behind the @, as it is compared."""
    return email.rpartition("@")[2].casefold()


def set_aside(correction: Correction, corrected: Mapping[str, Any]) -> dict[str, Any]:
    """What is corrected of an entry once this correction is taken back: what stood there before it stands again."""
    rest = {field: value for field, value in corrected.items() if field not in correction.overlay}
    return rest | dict(correction.before)


def noted_before(overlay: Mapping[str, Any], corrected: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is corrected already, what this overlay covers."""
    return {field: corrected[field] for field in overlay if field in corrected}


def masked(email: str) -> str:
    """An address by which who has it knows it again, and others learn little: `j***@napa.ca.example`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
