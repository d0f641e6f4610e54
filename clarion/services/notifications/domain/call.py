"""The words of a call for action: what is asked, how, and what still helps when it is too late."""

from collections.abc import Sequence
from dataclasses import dataclass

from clarion.schemas.messages import Ask, CallBill, CallContent, Contact, Reason
from clarion.services.notifications.domain import changes as words
from clarion.services.notifications.domain.changes import listed
from clarion.services.notifications.domain.messages import Addressed, Official
from clarion.services.notifications.domain.telling import Again, Amended, Ended, Fresh, Wording

TITLES = {
    "mayor": "Mayor",
    "vice mayor": "Vice Mayor",
    "council member": "Council Member",
    "councilmember": "Council Member",
}
POSITIONS = {
    "support": "we support it",
    "oppose": "we oppose it",
    "support-if-amended": "we support it if it is amended",
    "oppose-unless-amended": "we oppose it unless it is amended",
    "watch": "we watch it",
}
TEXT_BUDGET = 13_000
"""Characters that the bills of one mail may fill: as text and as HTML it then stays under 40 KB."""
BILL_FRAME = 250
"""Characters that each bill costs besides its own words."""
BILLS_IN_SUBJECT = 3
ARRIVED = "moved"
"""The kind of a reason that says from where a bill came."""
FRESH = Fresh()


@dataclass(frozen=True, slots=True)
class BillText:
    """A bill as the mail shows it."""

    bill: str
    title: str | None
    author: str | None
    position: str
    ask: str
    why: str
    points: tuple[str, ...]
    letter: str | None
    letter_left_out: bool


def salutation(to: Addressed) -> str:
    """Everyone who reads the mailbox, by title and name: "Mayor Ann Lee and Bo Diaz"."""
    names = [titled(official) for official in to.officials] or [to.name or "reader"]
    return listed(names)


def titled(official: Official) -> str:
    """The name with the title of its first role that is used as one."""
    title = next((TITLES[role.casefold()] for role in official.roles if role.casefold() in TITLES), None)
    return f"{title} {official.name}" if title else official.name


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
    kinds = listed(list(dict.fromkeys(ask.kind for ask in asks))) if asks else "your voice"
    bills = list(dict.fromkeys(ask.bill for ask in asks)) or [bill.bill for bill in content.bills]
    more = len(bills) - BILLS_IN_SUBJECT
    shown = [*bills[:BILLS_IN_SUBJECT], f"{more} more"] if more > 0 else bills
    on = f" on {listed(shown)}" if shown else ""
    return f"{kinds[:1].upper()}{kinds[1:]}{on}: {content.committee}, {content.when}"


def what(content: CallContent, asks: Sequence[Ask] = (), *, now: bool = False) -> str:
    """The matter in a line: bills, committee and time."""
    bills = list(dict.fromkeys(ask.bill for ask in asks)) or [bill.bill for bill in content.bills]
    more = len(bills) - BILLS_IN_SUBJECT
    shown = [*bills[:BILLS_IN_SUBJECT], f"{more} more"] if more > 0 else bills
    named = [listed(shown)] if shown else []
    return ", ".join([*named, content.committee, f"now {content.when}" if now else content.when])


def asked(content: CallContent, asks: Sequence[Ask]) -> list[str]:
    """What is asked, a line each: every letter with its demand, one line for all testimony."""
    wanted = {bill.bill: bill.ask for bill in content.bills}
    lines = [
        f"Write a letter on {ask.bill}" + (f": {wanted[ask.bill]}" if ask.bill in wanted else "")
        for ask in asks
        if ask.kind == "letter"
    ]
    testimony = [ask.bill for ask in asks if ask.kind == "testimony"]
    if testimony:
        lines.append(f"Testify at the hearing on {listed(testimony)}")
    lines += [f"{ask.kind.capitalize()} on {ask.bill}" for ask in asks if ask.kind not in {"letter", "testimony"}]
    return lines


def how(content: CallContent, asks: Sequence[Ask], reply_to: Contact | None) -> list[str]:
    """The steps, in order."""
    kinds = {ask.kind for ask in asks}
    person = reply_to.name if reply_to else "we"
    steps = []
    if "letter" in kinds:
        steps.append("Copy the letter below onto your city's letterhead and add what the bill means for your city.")
        steps.append(f"Sign it and send it to the committee ({content.committee}) before the deadline above.")
    if "testimony" in kinds:
        arranges = "arranges" if reply_to else "arrange"
        steps.append(f"To testify, answer this mail: {person} {arranges} who speaks and tells you what to expect.")
    if not steps:
        steps.append("Answer this mail and say how you can help.")
    return steps


def too_late(content: CallContent, asks: Sequence[Ask]) -> str:
    """What still helps."""
    if not content.letters_open:
        return (
            "The deadline for letters has passed, so a letter no longer reaches the committee's analysis. "
            "Call your member's office, or testify at the hearing: both count until it begins."
        )
    if any(ask.kind == "letter" for ask in asks):
        return (
            "After the deadline a letter no longer reaches the committee's analysis. "
            "Then call your member's office, or testify at the hearing: both count until it begins."
        )
    return "If you cannot be there, call your member's office before the hearing begins."


def over(reason: str | None, *, withdrawn: bool) -> list[str]:
    """What follows for who was called to what is over, a paragraph each."""
    lines = [words.sentence(reason)] if reason else []
    if not withdrawn:
        lines.append("The hearing is not held as announced, so there is nothing to write and nowhere to go.")
    lines.append("You need not do anything more. A letter that you sent already still counts.")
    if not withdrawn:
        lines.append("Should it be set again, we write to you.")
    return lines


def about(content: CallContent) -> list[str]:
    """What it was, a line each."""
    bills = [f"{bill.bill}: {bill.title}" if bill.title else bill.bill for bill in content.bills]
    return [f"Hearing: {content.committee}, {content.when}", *bills]


def contact(content: CallContent, reply_to: Contact | None) -> str | None:
    """The person to ask: name, what they are, phone."""
    if reply_to is None:
        return None
    role = f", regional public affairs manager for {content.division}" if content.division else ""
    return f"{reply_to.name}{role}" + (f", {reply_to.phone}" if reply_to.phone else "")


def bills(content: CallContent, asks: Sequence[Ask]) -> list[BillText]:
    """The bills with position, talking points and, where a letter is asked, its text, while they fit into a mail."""
    letters = {ask.bill for ask in asks if ask.kind == "letter"}
    left = TEXT_BUDGET - sum(BILL_FRAME + len(one.title or "") + len(one.ask) + len(one.why) for one in content.bills)
    shown = []
    for bill in content.bills:
        points = bill.points or ""
        letter = (bill.letter or "").strip() if bill.bill in letters else ""
        points, left = (points, left - len(points)) if len(points) <= left else ("", left)
        fits = len(letter) <= left
        left -= len(letter) if fits else 0
        shown.append(_bill(bill, points, letter if fits else "", left_out=not fits))
    return shown


def _bill(bill: CallBill, points: str, letter: str, *, left_out: bool) -> BillText:
    return BillText(
        bill=bill.bill,
        title=bill.title,
        author=bill.author,
        position=POSITIONS.get(bill.stance, bill.stance.replace("-", " ")),
        ask=bill.ask,
        why=bill.why,
        points=tuple(line for line in (part.strip().lstrip("-*\u2022 ") for part in points.splitlines()) if line),
        letter=letter or None,
        letter_left_out=left_out,
    )
