"""The bills of a call: what each needs, while the mail has room for it, and what is left out where it has none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clarion.schemas.messages import Ask, CallBill, CallContent
from clarion.services.notifications.domain.room import cost, fits, fitting, listed_within, shortened

POSITIONS = {
    "support": "we support it",
    "oppose": "we oppose it",
    "support-if-amended": "we support it if it is amended",
    "oppose-unless-amended": "we oppose it unless it is amended",
    "watch": "we watch it",
    "request": None,
}
"""How a stance is said; what is requested without one says none."""
WHY, POINTS, LETTER = "our reasons", "the talking points", "the letter's text"
"""What of a bill may be left out."""
BILL_FRAME = 400
"""Bytes that a bill takes besides its own words, as text and as HTML."""
WHY_BYTES = 4_000
POINT_FRAME = 30
NAMES_BYTES = 250
FEW = 3


@dataclass(frozen=True, slots=True)
class BillText:
    """A bill as the mail shows it; `left_out` says what of it the mail has no room for."""

    bill: str
    title: str | None
    author: str | None
    position: str | None
    ask: str
    version: str | None = None
    why: str | None = None
    points: tuple[str, ...] = ()
    letter: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def letter_left_out(self) -> bool:
        """Whether a letter is asked whose text does not stand in the mail."""
        return LETTER in self.left_out


@dataclass(frozen=True, slots=True)
class Agenda:
    """The bills that are shown, and the names of those that are not."""

    bills: Sequence[BillText]
    others: Sequence[str]

    def left_out(self, person: str) -> str | None:
        """What the mail has no room for, and whom to ask for it; None where nothing is missing."""
        named = [(part, [one.bill for one in self.bills if part in one.left_out]) for part in (LETTER, POINTS, WHY)]
        every = len(self.bills) if not self.others and len(self.bills) > FEW else None
        missing = [
            f"{part} on {'every bill' if len(bills) == every else listed_within(bills, NAMES_BYTES)}"
            for part, bills in named
            if bills
        ]
        if self.others:
            missing.append(f"all on {listed_within(self.others, NAMES_BYTES)}")
        return f"Not everything fits into a mail. Ask {person} for {'; '.join(missing)}." if missing else None


def agenda(content: CallContent, asks: Sequence[Ask], room: int) -> Agenda:
    """The bills in `room` bytes: of as many as fit what is asked, then why, then letter and talking points in turn."""
    short = [_short(bill) for bill in content.bills]
    count = fitting([_words(one) for one in short], room, BILL_FRAME)
    left = room - sum(BILL_FRAME + cost(_words(one)) for one in short[:count])
    explained = []
    for bill, one in zip(content.bills, short[:count], strict=False):
        why = shortened(bill.why, WHY_BYTES)
        explained.append(replace(one, why=why) if fits(why, left) else replace(one, left_out=(WHY,)))
        left -= cost(why) if fits(why, left) else 0
    letters = {ask.bill for ask in asks if ask.kind in {"letter", "comment-letter"}}
    shown = []
    for bill, one in zip(content.bills, explained, strict=False):
        filled, left = _filled(bill, one, left, letter=bill.bill in letters)
        shown.append(filled)
    return Agenda(shown, [bill.bill for bill in content.bills[count:]])


def _short(bill: CallBill) -> BillText:
    return BillText(
        bill=shortened(bill.bill, 200),
        title=shortened(bill.title, 600) if bill.title else None,
        author=shortened(bill.author, 200) if bill.author else None,
        position=POSITIONS.get(bill.stance, bill.stance.replace("-", " ")),
        ask=shortened(bill.ask, 800),
        version=shortened(bill.version, 800) if bill.version else None,
    )


def _words(one: BillText) -> str:
    return "".join(part for part in (one.bill, one.title, one.author, one.ask, one.version) if part)


def _filled(bill: CallBill, one: BillText, left: int, *, letter: bool) -> tuple[BillText, int]:
    """The bill with its letter, if one is asked, and its talking points, as far as there is room."""
    text = (bill.letter or "").strip() if letter else ""
    if text and fits(text, left):
        one, left = replace(one, letter=text), left - cost(text)
    elif text:
        one = replace(one, left_out=(*one.left_out, LETTER))
    said = (bill.points or "").strip()
    points = [line for line in (part.strip().lstrip("-*\u2022 ") for part in said.splitlines()) if line]
    if 2 * len(said) > left or (needed := sum(cost(point) + POINT_FRAME for point in points)) > left:
        return replace(one, left_out=(*one.left_out, POINTS)), left
    return replace(one, points=tuple(points)), left - needed
