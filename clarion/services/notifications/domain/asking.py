"""What a call asks and how it is done, in the order in which it is read: what, by when, how, and if it is too late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from clarion.schemas.messages import Ask, CallContent, Contact
from clarion.services.notifications.domain.addresses import written
from clarion.services.notifications.domain.agenda import BillText
from clarion.services.notifications.domain.changes import sentence
from clarion.services.notifications.domain.occasions import addressee, occasion_of, office
from clarion.services.notifications.domain.room import fitting, listed_within, shortened

ASKED_BYTES, LEAST_ASKED, LINE_BYTES, NAMES_BYTES, FRAME = 5_000, 1_500, 500, 250, 40
"""What all lines of what is asked may take at most and at least, one of them, and names within one."""
WRITTEN = ("letter", "comment-letter")
"""The kinds of asks that are a letter."""
VERBS: Mapping[str, str] = {
    "letter": "Write a letter on",
    "comment-letter": "Write a comment letter on",
    "phone": "Call {office} about",
    "volunteer": "Volunteer for",
    "testimony": "Testify at the hearing on",
}
PROMISES: Mapping[str, str] = {
    "letter": "I will write a letter on",
    "comment-letter": "I will write a comment letter on",
    "phone": "I will call about",
    "volunteer": "I volunteer for",
    "testimony": "I will testify on",
}
LABELS: Mapping[str, str] = {
    "letter": "I will write the letter",
    "comment-letter": "I will comment",
    "phone": "I will call",
    "volunteer": "I volunteer",
    "testimony": "I will testify",
}
DUE: Mapping[str, str] = {"comment-letter": "Comment letter", "letter": "Letter", "volunteer": "Answer by"}
"""What stands before the time by which that is to be done."""
SEVERAL = "Say what you will do"
KEEP_WHAT_HOLDS = "Please keep what holds:"
MAILTO = "@!$'*+_~.-"
"""What stands in an address of a mailto: link as it is (RFC 6068, 2)."""
LINK_CHARACTERS = 600
"""What subject and text of a mailto: link may take each: some programs cut a link at 2,000 characters."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of what holds: what it is, and its value."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to press: an answer that is written already, which is read before it is sent."""

    label: str
    url: str
    address: str


def kinds_of(asks: Sequence[Ask]) -> list[str]:
    """What is asked, each kind once."""
    return list(dict.fromkeys(ask.kind for ask in asks))


def bills_of(asks: Sequence[Ask], kind: str) -> list[str]:
    """On which bills that is asked."""
    return list(dict.fromkeys(ask.bill for ask in asks if ask.kind == kind))


def asked(content: CallContent, asks: Sequence[Ask], room: int) -> list[str]:
    """What is asked, a line each: a letter with its demand, all testimony in one, and in one what is too much."""
    wanted = {bill.bill: bill.ask for bill in content.bills}
    each = [ask for ask in asks if ask.kind != "testimony"]
    lines = [_line(content, ask, wanted.get(ask.bill)) for ask in each]
    shown = fitting(lines, min(ASKED_BYTES, max(room // 4, LEAST_ASKED)), FRAME)
    rest = [
        f"{_verb(content, kind)} {listed_within(bills_of(each[shown:], kind), NAMES_BYTES)} as well"
        for kind in kinds_of(each[shown:])
    ]
    testimony = bills_of(asks, "testimony")
    spoken = [f"{VERBS['testimony']} {listed_within(testimony, NAMES_BYTES)}"] if testimony else []
    return [*lines[:shown], *rest, *spoken]


def _line(content: CallContent, ask: Ask, wanted: str | None) -> str:
    line = f"{_verb(content, ask.kind)} {ask.bill}"
    return shortened(f"{line}: {wanted}" if wanted else line, LINE_BYTES)


def _verb(content: CallContent, kind: str) -> str:
    return VERBS.get(kind, f"{kind.replace('-', ' ').capitalize()} on").replace("{office}", office(content))


def deadlines(content: CallContent, asks: Sequence[Ask]) -> list[Item]:
    """By when, and where."""
    occasion, kinds = occasion_of(content), kinds_of(asks)
    items = []
    written = next((kind for kind in DUE if kind in kinds), None if content.letters_open else "letter")
    if written and content.letters_due != content.when:
        items.append(Item(DUE[written], content.letters_due))
    if content.kind == "hearing":
        items.append(Item(occasion.when, f"{content.committee}, {content.when}"))
    else:
        items += [Item(occasion.when, content.when), Item(occasion.who, content.committee)]
    return [*items, Item("Place", content.where)] if content.where else items


def how(content: CallContent, asks: Sequence[Ask], reply_to: Contact | None, shown: Sequence[BillText]) -> list[str]:
    """The steps, in order."""
    kinds = kinds_of(asks)
    steps = []
    if any(kind in WRITTEN for kind in kinds):
        steps += _letter_steps(content, reply_to, shown)
    if "phone" in kinds:
        steps += _phone_steps(content, asks, shown)
    if "volunteer" in kinds:
        steps.append(f"Tell {person(reply_to)} that you would like to, and when you have time: {_ways(reply_to)}.")
    if "testimony" in kinds:
        arranges = f"{reply_to.name} arranges who speaks and tells" if reply_to else "we arrange who speaks and tell"
        steps.append(f"To testify, {_ways(reply_to)}: {arranges} you what to expect.")
    if not steps:
        return [f"Say how you can help: {_ways(reply_to)}."]
    if reply_to and not {"volunteer", "testimony"} & set(kinds):
        steps.append(f"Tell {person(reply_to)} what you will do: {_ways(reply_to)}.")
    return steps


def _ways(reply_to: Contact | None) -> str:
    """How to reach the person to ask; the button stands below the steps."""
    if reply_to and written(reply_to.address or ""):
        return "answer this mail, or write as follows"
    return f"call {reply_to.phone}" if reply_to and reply_to.phone else "answer this mail"


def _letter_steps(content: CallContent, reply_to: Contact | None, shown: Sequence[BillText]) -> list[str]:
    ready, missing = sum(bool(bill.letter) for bill in shown), sum(bill.letter_left_out for bill in shown)
    means = "onto your city's letterhead and add what it means for your city."
    if ready and missing:
        first = f"Copy each letter below {means} Ask {person(reply_to)} for those that are not below."
    elif ready:
        first = f"Copy {'the letter' if ready == 1 else 'each letter'} below {means}"
    elif missing:
        first = f"Ask {person(reply_to)} for the letter's text, copy it {means}"
    else:
        first = "Write what we ask on your city's letterhead, and what it means for your city."
    return [first, f"Sign it and send it to {addressee(content)} in time."]


def _phone_steps(content: CallContent, asks: Sequence[Ask], shown: Sequence[BillText]) -> list[str]:
    bills = bills_of(asks, "phone")
    wanted = next((shortened(one.ask, LINE_BYTES) for one in shown if [one.bill] == bills), None)
    said = f": {wanted}" if wanted else " on each of them"
    why = " The talking points below say why." if any(one.points for one in shown) else ""
    say = sentence(f"Say who you are, which city you speak for, and what we ask{said}")
    return [f"Call {office(content)}.", f"{say}{why}"]


def person(reply_to: Contact | None) -> str:
    """Whom to ask."""
    return reply_to.name if reply_to else "us"


def button(asks: Sequence[Ask], reply_to: Contact | None, subject: str) -> Button | None:
    """The answer to press for, where there is somebody whom it reaches."""
    address = written(reply_to.address or "") if reply_to else None
    kinds = [kind for kind in PROMISES if bills_of(asks, kind)]
    if address is None or not kinds:
        return None
    promises = [f"{PROMISES[kind]} {listed_within(bills_of(asks, kind), NAMES_BYTES)}." for kind in kinds]
    body = "\r\n".join([*([KEEP_WHAT_HOLDS, ""] if len(kinds) > 1 else []), *promises, "", "Name and city: "])
    fields = f"subject={_field(f'Re: {subject}')}&body={_field(body)}"
    return Button(
        LABELS[kinds[0]] if len(kinds) == 1 else SEVERAL, f"mailto:{quote(address, MAILTO)}?{fields}", address
    )


def _field(text: str) -> str:
    while len(encoded := quote(text, safe="")) > LINK_CHARACTERS:
        text = text[: min(len(text) - 1, len(text) * LINK_CHARACTERS // len(encoded))]
    return encoded


def too_late(content: CallContent, asks: Sequence[Ask], reply_to: Contact | None) -> str:
    """What still helps."""
    occasion, kinds = occasion_of(content), kinds_of(asks)
    letter = any(kind in WRITTEN for kind in kinds)
    if "volunteer" in kinds:
        return f"Ask {person(reply_to)} whether there is still a place."
    if not occasion.callable:
        late = f"After the deadline {occasion.late}. " if letter else ""
        return f"{late}Ask {person(reply_to)} how your city can still be heard."
    if "phone" in kinds:
        passed = "" if content.letters_open else f"The deadline for letters has passed: {occasion.late}. "
        return f"{passed}A call counts {occasion.until}. If there is more to do after that, we write to you."
    hearing = content.kind == "hearing"
    helps = f"all {office(content)}" + (", or testify at the hearing: both count" if hearing else ": that counts")
    if not content.letters_open:
        return f"The deadline for letters has passed, so {occasion.late}. C{helps} {occasion.until}."
    if letter:
        return f"After the deadline {occasion.late}. Then c{helps} {occasion.until}."
    return f"If you cannot be there, call {office(content)}: that counts {occasion.until}."
