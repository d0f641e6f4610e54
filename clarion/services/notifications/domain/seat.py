"""The words of a registration's mail: whether there is a seat, and what goes with it."""

from clarion.schemas.messages import Contact, Presenter, RegistrationContent
from clarion.services.notifications.domain import changes as words
from clarion.services.notifications.domain.telling import Amended, Wording


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


def reached(contact: Contact) -> str:
    """A person to ask, with address and phone."""
    return ", ".join(part for part in (contact.name, contact.address, contact.phone) if part)
