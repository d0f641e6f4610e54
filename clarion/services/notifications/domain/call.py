"""The words of a call for action: to whom, what it is about, what changed, and what is over."""

from collections.abc import Sequence
from functools import lru_cache

from clarion.schemas.messages import Ask, CallContent, Contact, Reason
from clarion.services.notifications.domain import changes as words
from clarion.services.notifications.domain.asking import kinds_of
from clarion.services.notifications.domain.messages import Addressed, Official
from clarion.services.notifications.domain.occasions import occasion_of
from clarion.services.notifications.domain.room import brief, fitting, isolated, listed, listed_within, shortened
from clarion.services.notifications.domain.telling import Again, Amended, Ended, Fresh, Wording

TITLES = {
    "mayor": "Mayor",
    "vice mayor": "Vice Mayor",
    "council member": "Council Member",
    "councilmember": "Council Member",
}
BILLS_IN_SUBJECT = 3
NAMES_BYTES, QUICKLY_READ = 1_200, 200
"""What the names of who reads a mailbox may take, and letters beyond ASCII of which nothing needs to be counted."""
BYTES = {"division": 200, "committee": 400, "when": 400, "where": 600, "decider": 400, "letters_due": 600}
BYTES |= {"urgent_note": 600, "paragraph": 4_000}
"""What parts of a call may take, as text and as HTML; the last less where there is little room."""
LEAST_PARAGRAPH = 1_000
REASON_BYTES, ABOUT_BYTES, LINE_BYTES, FRAME = 4_000, 6_000, 500, 40
NAME_BYTES, PHONE_BYTES = 250, 120
LINK_CHARACTERS = 500
BILL_CHARACTERS = 60
ARRIVED = "moved"
"""The kind of a reason that says from where a bill came."""
FRESH = Fresh()


def salutation(to: Addressed) -> str:
    """Everyone who reads the mailbox, by title and name: "Mayor Ann Lee and Bo Diaz"."""
    names = [titled(official) for official in to.officials] or [isolated(to.name or "") or "reader"]
    together = listed(names)
    if len(together) <= QUICKLY_READ and together.isascii():
        return together
    return listed_within(names, NAMES_BYTES)


def titled(official: Official) -> str:
    """The name with the title of its first role that is used as one."""
    title = title_of(official.roles)
    name = isolated(official.name)
    return f"{title} {name}" if title else name


@lru_cache(maxsize=256)
def title_of(roles: tuple[str, ...]) -> str | None:
    """The title of the first role that is used as one."""
    return next((TITLES[role.casefold()] for role in roles if role.casefold() in TITLES), None)


def trimmed(content: CallContent, room: int) -> CallContent:
    """The content with no part longer than a mail has room for, and without a link that none would hold.

    `room` is what all details may take, in bytes.
    """
    bounds = BYTES | {"paragraph": min(BYTES["paragraph"], max(room // 3, LEAST_PARAGRAPH))}
    texts = {name: text for name in bounds if (text := getattr(content, name)) is not None}
    long = {name: shortened(text, bounds[name]) for name, text in texts.items()}
    notice = content.notice_url if len(content.notice_url or "") <= LINK_CHARACTERS else None
    return content.model_copy(update={**long, "notice_url": notice})


def subject(content: CallContent, asks: Sequence[Ask], wording: Wording = FRESH) -> str:
    """What changed or, to who was told nothing yet, what is asked; on which bills, where and when."""
    match wording:
        case Amended(_, found):
            moved = any(change.key == "when" and change.now for change in found)
            return f"{words.headline(found)}: {what(content, asks, now=moved)}"
        case Again():
            return f"Concerns you again: {what(content, asks)}"
        case Ended():
            return f"No longer concerns you: {what(content, asks)}"
        case _:
            return _wish(content, asks)


def changes(content: CallContent, wording: Wording, *, called_off: bool) -> list[words.Line]:
    """A line for each change of what was told."""
    match wording:
        case Amended(_, found):
            return words.lines(found, what(content), called_off=called_off)
        case Again():
            return [words.Line("We told you that this no longer concerns you. It does again.")]
        case Ended():
            return [words.Line(f"No longer concerns you: {what(content)}")]
        case _:
            return []


def arrived(reasons: Sequence[Reason], wording: Wording) -> list[words.Line]:
    """Bills that came from another hearing, where they are new to the reader."""
    new = isinstance(wording, Fresh) or (
        isinstance(wording, Amended) and any(one.key.startswith("bill:") and one.was is None for one in wording.changes)
    )
    return [words.Line(reason.text) for reason in reasons if reason.kind == ARRIVED] if new else []


def _wish(content: CallContent, asks: Sequence[Ask]) -> str:
    kinds = listed([kind.replace("-", " ") for kind in kinds_of(asks)]) if asks else "your voice"
    bills = _bills(content, asks)
    return f"{kinds[:1].upper()}{kinds[1:]}{f' on {bills}' if bills else ''}: {content.committee}, {content.when}"


def what(content: CallContent, asks: Sequence[Ask] = (), *, now: bool = False) -> str:
    """The matter in a line: bills, committee and time."""
    bills = _bills(content, asks)
    when = f"now {content.when}" if now else content.when
    return ", ".join(part for part in (bills, content.committee, when) if part)


def _bills(content: CallContent, asks: Sequence[Ask]) -> str:
    bills = list(dict.fromkeys(ask.bill for ask in asks)) or [bill.bill for bill in content.bills]
    more = len(bills) - BILLS_IN_SUBJECT
    shown = [brief(bill, BILL_CHARACTERS) for bill in bills[:BILLS_IN_SUBJECT]]
    return listed([*shown, f"{more} more"] if more > 0 else shown) if shown else ""


def over(content: CallContent, reason: str | None, *, withdrawn: bool) -> list[str]:
    """What follows for who was called to what is over, a paragraph each."""
    lines = [words.sentence(shortened(reason, REASON_BYTES))] if reason else []
    if not withdrawn:
        lines.append(occasion_of(content).not_held)
    lines.append("You need not do anything more. A letter that you sent already still counts.")
    if not withdrawn:
        lines.append("Should it be set again, we write to you.")
    return lines


def about(content: CallContent) -> list[str]:
    """What it was, a line each."""
    bills = [shortened(f"{bill.bill}: {bill.title}" if bill.title else bill.bill, LINE_BYTES) for bill in content.bills]
    shown = fitting(bills, ABOUT_BYTES, FRAME)
    more = [f"and {len(bills) - shown} more"] if len(bills) > shown else []
    return [f"{occasion_of(content).when}: {content.committee}, {content.when}", *bills[:shown], *more]


def contact(content: CallContent, reply_to: Contact | None) -> str | None:
    """The person to ask: name, what they are, phone."""
    if reply_to is None:
        return None
    role = f", regional public affairs manager for {content.division}" if content.division else ""
    return f"{reply_to.name}{role}" + (f", {reply_to.phone}" if reply_to.phone else "")


def whom(reply_to: Contact | None) -> Contact | None:
    """The person to ask, with a name and a phone that leave room for the rest."""
    if reply_to is None:
        return None
    phone = shortened(isolated(reply_to.phone), PHONE_BYTES) if reply_to.phone else None
    return reply_to.model_copy(update={"name": shortened(isolated(reply_to.name), NAME_BYTES), "phone": phone})
