"""One mail of every kind, written by the real renderer for fictional people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from clarion.schemas.messages import Contact, Recipient
from clarion.services.notifications.domain.messages import Addressed, Content, Official
from clarion.services.notifications.domain.telling import Telling, Told, tell
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.wordings.editions import Edition, Editions
from clarion.services.notifications.wordings.operations import start
from clarion.services.notifications.wordings.vocabulary import VOCABULARY
from tests.services.notifications.conftest import CONTENT, recipient
from tests.services.notifications.test_amendments import (
    CANCELLED,
    LATER,
    WITHDRAWN,
    call,
    fact,
    seat,
    told,
)
from tests.services.notifications.test_rendering import LINKS, MAYOR, NOW, message

MANAGER = Contact(name="Rae Pym", address="rae@league.example", phone="555-0100")
CLERK = MAYOR._replace(id="o2", name="Bo Diaz", roles=("City Clerk",))
COUNCIL = MAYOR._replace(id="o3", name="עדה לוי", roles=("Council Member",))
STATEWIDE = [{"kind": "statewide", "text": "SB 79 concerns every city in the state."}]
COMMITTEE = [
    {
        "kind": "committee",
        "text": "Senator Jesse Example (chair), who represents Alder (SD 7), sits on the committee that hears SB 79.",
    },
    {"kind": "author", "text": "Senator Sam Sample, who represents Alder (SD 9), is the author of SB 79."},
]
LETTER = {"kind": "letter", "bill": "SB 79"}
TESTIMONY = {"kind": "testimony", "bill": "SB 79"}
LONG = "Öffentlichkeit" * 22
SIGN_IN = {
    "url": "https://clarion.example/sign-in/abc-DEF_123",
    "site": "clarion.example",
    "good_for": "10 minutes",
    "asked_from": "Firefox on Linux, at 192.0.2.7",
}
NOTICE = {
    "subject": "Calls waiting for you: SB 79 and 2 more",
    "paragraphs": [
        "Three calls wait for your approval in North Bay. The first asks 42 officials of 11 cities for letters.",
        "Nothing is sent before you have looked at it.",
    ],
    "url": "https://clarion.example/campaigns/waiting",
    "button": "Look at what waits",
}


@dataclass
class Kind:
    """What a mail is made of."""

    content: Content
    asks: Sequence[dict[str, str]] = (LETTER,)
    before: Sequence[Told] = ()
    reasons: Sequence[dict[str, str]] = field(default_factory=lambda: COMMITTEE)
    officials: tuple[Official, ...] = (MAYOR,)
    subscription: str | None = "calls"

    def write(self, renderer: Renderer) -> bytes:
        """The whole mail."""
        telling = tell(self.content, self.before)
        assert isinstance(telling, Telling)
        asked = recipient(1, asks=list(self.asks), reasons=list(self.reasons))
        made = message(
            revision=len(self.before) + 1,
            recipient=Recipient.model_validate(asked),
            subscription=self.subscription,
            matter=self.content.matter,
        )
        to = Addressed("ada@alder.example", self.officials, self.officials[0].name if self.officials else "Sam Sample")
        return renderer.render(made, self.content, to, NOW, telling)


def renderer() -> Renderer:
    """As an association would set it up, which has its own wordings besides."""
    editions = Editions()
    editions.add([Edition(n, name, 1, start(name)) for n, name in enumerate(VOCABULARY, 1)])
    return Renderer(
        LINKS,
        mail_from="League of Sample Cities <calls@clarion.example>",
        public_url="https://clarion.example/",
        postal_address="League of Sample Cities\n1 Main Street\nAlder, CA 90000",
        filings_url="https://league.example/filings",
        editions=editions,
    )


def worded(kind: Kind) -> Kind:
    """The same in the association's own wording."""
    return replace(kind, content=replace(kind.content, id=100, edition=len(VOCABULARY)))


def read(mail: bytes) -> EmailMessage:
    """The mail as a reader's program has it."""
    found = BytesParser(policy=policy.default).parsebytes(mail)
    assert isinstance(found, EmailMessage)
    return found


def occasion(kind: str, committee: str, when: str, **content: Any) -> Content:
    """A call to something that is no hearing."""
    said = {"kind": kind, "committee": committee, "decider": committee, "when": when, "where": None, **content}
    return call(content=said, calendar=None)


def bill(**changes: Any) -> dict[str, Any]:
    """The sample bill, with these differences."""
    return {**CONTENT["bills"][0], **changes}


def own(template: str, content: dict[str, Any]) -> Kind:
    """A mail of one person, on no list."""
    return Kind(
        Content(1, f"{template}:1", template, None, content), asks=(), reasons=(), officials=(), subscription=None
    )


def seated(content: Content, before: Sequence[Told] = ()) -> Kind:
    """A registration's mail."""
    return Kind(content, asks=(), before=before, reasons=(), officials=(), subscription=None)


def thirty() -> Kind:
    """An agenda of thirty bills with long texts."""
    bills = [
        bill(
            bill=f"SB {n}",
            ask=f"vote no on SB {n}",
            why="It costs cities money. " * 12,
            letter="Every word counts. " * 90,
        )
        for n in range(101, 131)
    ]
    asks = [{"kind": kind, "bill": one["bill"]} for one in bills for kind in ("letter", "testimony")]
    return Kind(call(content={"bills": bills}), asks)


def hostile() -> Kind:
    """Names and words that fit nowhere."""
    said = {
        "committee": f"Committee on {LONG}",
        "where": LONG,
        "paragraph": f"{LONG}\n\n🏛️👩🏽‍⚖️ שלום",
        "bills": [bill(title=LONG, why=LONG, points=LONG, letter=f"{LONG}\n{LONG}", ask=f"no to {LONG}")],
    }
    officials = (MAYOR._replace(name=LONG), COUNCIL, CLERK._replace(name="🏳️‍🌈 Zoë O'Hara <b>"))
    content = call(content=said, reply_to=MANAGER.model_copy(update={"name": f"Rae {LONG}"}))
    return Kind(content, officials=officials, reasons=[{"kind": "committee", "text": LONG}])


def reinstated() -> Content:
    """The hearing is held after all."""
    held = call(3)
    return replace(held, facts=(fact("status", "Status", "Reinstated", material=False), *held.facts))


KINDS: dict[str, Callable[[], Kind]] = {
    "call": lambda: Kind(call()),
    "call-for-both": lambda: Kind(
        call(
            content={
                "paragraph": "Our cities spoke up in March, and the committee listened.\n\nLet us do it again.",
                "urgent_note": "Letters close in less than a day.",
            }
        ),
        [LETTER, TESTIMONY],
    ),
    "call-to-testify": lambda: Kind(call(), [TESTIMONY]),
    "call-statewide": lambda: Kind(
        call(content={"bills": [bill(version="SB 79 was amended since we wrote to you: a fresh letter counts.")]}),
        reasons=STATEWIDE,
    ),
    "call-of-a-shared-mailbox": lambda: Kind(call(), officials=(MAYOR, COUNCIL, CLERK)),
    "call-without-manager": lambda: Kind(call(reply_to=None, content={"division": None}), [LETTER, TESTIMONY]),
    "call-too-late": lambda: Kind(
        call(
            content={
                "letters_open": False,
                "letters_due": "It was Wednesday, April 14, 2027, noon PDT: too late for the committee's analysis",
            }
        ),
        [{"kind": "phone", "bill": "SB 79"}, TESTIMONY],
    ),
    "call-phone": lambda: Kind(
        occasion(
            "floor-vote",
            "Senate floor",
            "Thursday, May 27, 2027, 10:00 am PDT",
            letters_open=False,
            letters_due="It was Monday, May 24, 2027: too late for the vote; call instead",
        ),
        [{"kind": "phone", "bill": "SB 79"}],
    ),
    "call-floor-vote": lambda: Kind(occasion("floor-vote", "Senate floor", "Thursday, May 27, 2027, 10:00 am PDT")),
    "call-governor": lambda: Kind(
        occasion("governor", "Governor", "Sunday, October 10, 2027, midnight PDT", letters_due="as soon as you can")
    ),
    "call-comment-letter": lambda: Kind(
        occasion(
            "comment-period",
            "Department of Sample Recycling",
            "Monday, June 14, 2027, 5:00 pm PDT",
            letters_due="Monday, June 14, 2027, 5:00 pm PDT",
            bills=[
                bill(
                    bill="Packaging rules",
                    title="Plastic packaging producer responsibility: proposed permanent regulations",
                    author=None,
                    stance="support-if-amended",
                    ask="have producers pay for collection before 2028",
                    why="Cities pay for the collection now.",
                )
            ],
        ),
        [{"kind": "comment-letter", "bill": "Packaging rules"}],
    ),
    "call-programme": lambda: Kind(
        occasion(
            "programme",
            "North Bay Division",
            "Friday, June 18, 2027",
            bills=[bill(bill="Storm drains", stance="request")],
        ),
        [{"kind": "letter", "bill": "Storm drains"}],
    ),
    "call-volunteer": lambda: Kind(
        occasion(
            "volunteer",
            "Housing task force",
            "Friday, July 2, 2027",
            bills=[
                bill(
                    bill="Housing task force",
                    title=None,
                    author=None,
                    stance="request",
                    ask="meet four times until December and write what cities need",
                    why="The board wants the voices of small cities in it.",
                    points=None,
                    letter=None,
                )
            ],
        ),
        [{"kind": "volunteer", "bill": "Housing task force"}],
    ),
    "call-threat": lambda: Kind(occasion("threat", "Legislature", "Wednesday, June 30, 2027"), reasons=STATEWIDE),
    "moved": lambda: Kind(call(2, facts={"when": LATER, "where": "Room 112"}), before=told(call())),
    "cancelled": lambda: Kind(CANCELLED, (), told(call())),
    "reinstated": lambda: Kind(reinstated(), before=told(call(), CANCELLED)),
    "no-longer-concerned": lambda: Kind(WITHDRAWN, (), told(call())),
    "thirty-bills": thirty,
    "hostile": hostile,
    "registration-confirmed": lambda: seated(seat()),
    "registration-waitlisted": lambda: seated(seat(content={"status": "waitlisted", "place": 7, "join_url": None})),
    "registration-declined": lambda: seated(
        seat(
            content={
                "status": "declined",
                "reason": "registration closed at noon",
                "join_url": None,
                "cancel_url": None,
            }
        )
    ),
    "registration-cancelled": lambda: seated(
        seat(2, facts={"status": "Cancelled"}, content={"status": "cancelled", "join_url": None, "cancel_url": None}),
        told(seat()),
    ),
    "registration-moved": lambda: seated(seat(2, facts={"when": LATER}), told(seat())),
    "sign-in": lambda: own("sign-in", SIGN_IN),
    "notice": lambda: own("notice", NOTICE),
    "kept": lambda: own(
        "kept", {"url": "https://clarion.example/you/abc", "until": "Saturday, April 3, 2027, 9:30 am"}
    ),
    "call-in-own-words": lambda: worded(KINDS["call-for-both"]()),
    "moved-in-own-words": lambda: worded(KINDS["moved"]()),
    "over-in-own-words": lambda: worded(KINDS["cancelled"]()),
    "registration-in-own-words": lambda: worded(KINDS["registration-confirmed"]()),
    "notice-in-own-words": lambda: worded(KINDS["notice"]()),
}
