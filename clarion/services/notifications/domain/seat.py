"""The words of a registration's mail: whether there is a seat, and what goes with it."""

from collections.abc import Sequence

from clarion.schemas.messages import Contact, Presenter, RegistrationContent
from clarion.services.notifications.domain import changes as words
from clarion.services.notifications.domain.room import fitting, shortened
from clarion.services.notifications.domain.telling import Amended, Wording

BYTES = {"title": 700, "reason": 2_000, "when": 500, "where": 1_500, "host": 500}
"""What parts of a registration's mail may take, as text and as HTML."""
LINKS = ("join_url", "cancel_url", "register_url", "policy_url")
LINK_CHARACTERS = 1_000
SPEAKERS_BYTES, SPEAKER_BYTES, CONTACT_BYTES, FRAME = 5_000, 500, 800, 30


def trimmed(content: RegistrationContent) -> RegistrationContent:
    """The content with no part longer than a mail has room for, and without a link that none would hold."""
    texts = {name: shortened(text, most) for name, most in BYTES.items() if (text := getattr(content, name))}
    gone = {name: None for name in LINKS if len(getattr(content, name) or "") > LINK_CHARACTERS}
    return content.model_copy(update={**texts, **gone})


def status(content: RegistrationContent) -> str:
    """The state in two or three words."""
    if content.status == "waitlisted":
        return f"Waiting list, place {content.place}" if content.place else "Waiting list"
    return {"confirmed": "Confirmed", "declined": "No seat"}.get(content.status, "Cancelled")


def over(content: RegistrationContent) -> bool:
    """Whether there is no seat to come to."""
    return content.status in {"declined", "cancelled"}


def subject(content: RegistrationContent, wording: Wording) -> str:
    """What changed, or the state; which event, and when."""
    lead, when = status(content), content.when
    if isinstance(wording, Amended) and all(change.key != "status" for change in wording.changes):
        lead = words.headline(wording.changes)
        when = f"now {when}" if any(change.key == "when" for change in wording.changes) else when
    return f"{lead}: {content.title}, {when}"


def changes(content: RegistrationContent, wording: Wording) -> list[words.Line]:
    """A line for each change; of what is over only that."""
    if not isinstance(wording, Amended):
        return []
    found = wording.changes
    if over(content):
        found = tuple(change for change in found if change.key == "status")
    return [words.line(change, content.title) for change in words.ordered(found)]


def opening(content: RegistrationContent) -> list[str]:
    """What the state means for the reader, a paragraph each."""
    because = [words.sentence(content.reason)] if content.reason else []
    title = f"\u201c{content.title}\u201d"
    match content.status:
        case "confirmed":
            return [f"You are registered for {title}. Your seat is kept for you."]
        case "waitlisted":
            place = f", at place {content.place}" if content.place else ""
            return [
                f"All seats for {title} are taken. You are on the waiting list{place}.",
                "When a seat becomes free it goes to the next in line at once, and we write to you.",
            ]
        case "declined":
            return [f"We have no seat for you at {title}.", *because]
        case _:
            return [f"Your registration for {title} is cancelled.", *because, "You need not do anything more."]


def person(presenter: Presenter) -> str:
    """Name, title and part."""
    title = f", {presenter.title}" if presenter.title else ""
    part = "" if presenter.role == "presenter" else f" ({presenter.role})"
    return f"{presenter.name}{title}{part}"


def speakers(presenters: Sequence[Presenter]) -> list[str]:
    """Who speaks, a line each; who does not fit is counted."""
    lines = [shortened(person(one), SPEAKER_BYTES) for one in presenters]
    count = fitting(lines, SPEAKERS_BYTES, FRAME)
    return [*lines[:count], f"and {len(lines) - count} more"] if count < len(lines) else lines


def reached(contact: Contact) -> str:
    """A person to ask, with address and phone."""
    parts = (contact.name, contact.address, contact.phone)
    return ", ".join(shortened(part, CONTACT_BYTES) for part in parts if part)
