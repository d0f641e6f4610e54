"""What a position is on, and what that allows. Values in, values out."""

from collections.abc import Iterator

from clarion.schemas.legislation import bill_key
from clarion.schemas.text import storable
from clarion.services.campaigns.domain.model import Position, Representative, Subject

NO_SESSION = ""
"""In the place of a session, where there is none."""
KEY_CHARACTERS = 200
TEXT_CHARACTERS = 20_000
LINE_CHARACTERS = 1_000
LINES = ("jurisdiction", "session", "bill", "policy_area", "priority", "adopted_by")
NOT_TEXT = "it is not text that can be kept, or has more than"
TEXTS = ("ask", "why", "points", "letter")
MEASURES_ASK_NOTHING = (
    "public resources may not be used for ballot campaigns, so a position on a ballot measure asks nobody for anything"
)


def subject_key(subject: Subject, name: str) -> str:
    """How agendas name a subject: a bill's number, else a key that no bill has since those have capitals alone."""
    key = bill_key(name)
    return (key if subject == "bill" else f"{subject}:{key}")[:KEY_CHARACTERS]


def any_keys(name: str) -> list[str]:
    """The keys under which a position on something of this name may stand."""
    return [subject_key("bill", name), subject_key("regulation", name), subject_key("measure", name)]


def problems(position: Position) -> Iterator[tuple[str, str]]:
    """What keeps a position from being adopted: the field, and what would do."""
    yield from _unfit_texts(position)
    if not bill_key(position.bill):
        yield position.subject, "write its name, such as SB 79"
    if (position.subject == "bill") != (position.session != NO_SESSION):
        wanted = (
            "a bill has one, such as 20272028" if position.subject == "bill" else "only a bill has one: leave it out"
        )
        yield "session", wanted
    if not position.why.strip():
        yield "why", "give the reason, in one paragraph"
    if position.subject == "measure":
        yield from _asked_of_voters(position)
    elif not position.ask.strip():
        yield "ask", 'say what is to be done, such as "vote no on SB 79"'
    if position.representative is not None:
        yield from _unfit_person(position.representative)


def _unfit_texts(position: Position) -> Iterator[tuple[str, str]]:
    for names, most in ((LINES, LINE_CHARACTERS), (TEXTS, TEXT_CHARACTERS)):
        for name in names:
            if not fits(getattr(position, name), most):
                yield position.subject if name == "bill" else name, f"{NOT_TEXT} {most:,} characters"
    if not all(fits(group, LINE_CHARACTERS) for group in position.groups):
        yield "group", f"{NOT_TEXT} {LINE_CHARACTERS:,} characters"


def fits(text: str | None, most: int) -> bool:
    """Whether the database can keep a text, and it is no longer than that."""
    try:
        return len(storable(text or "")) <= most
    except ValueError:
        return False


def _asked_of_voters(position: Position) -> Iterator[tuple[str, str]]:
    if position.ask.strip():
        yield "ask", f"leave it out: {MEASURES_ASK_NOTHING}"
    if position.letter:
        yield "letter", f"leave it out: {MEASURES_ASK_NOTHING}"
    if position.launch == "auto":
        yield "launch", f"nothing is launched: {MEASURES_ASK_NOTHING}"


def _unfit_person(person: Representative) -> Iterator[tuple[str, str]]:
    if not all(fits(text, LINE_CHARACTERS) for text in (person.name, person.email, person.phone)):
        yield "representative", f"{NOT_TEXT} {LINE_CHARACTERS:,} characters"
    if person.account is None and not (person.name and (person.email or person.phone)):
        yield "representative", "give a staff account's address, or a name with an address or a phone"
