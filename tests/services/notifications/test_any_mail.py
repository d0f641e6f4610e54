"""Whatever a mail is about, it says the same as text and as HTML, and its whole stays under 40 KB."""

from itertools import count
from typing import Any, NamedTuple

import icalendar
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clarion.schemas.messages import (
    CalendarEntry,
    CallContent,
    Contact,
    Fact,
    NoticeContent,
    Recipient,
    RegistrationContent,
)
from clarion.services.notifications.domain.messages import WITHDRAWAL, Addressed, Content
from clarion.services.notifications.domain.room import MAIL_BYTES
from clarion.services.notifications.domain.telling import Told, Unneeded, tell
from tests.services.notifications.conftest import mailbox_of
from tests.services.notifications.kinds_of_mail import own, read, renderer
from tests.services.notifications.test_amendments import fact
from tests.services.notifications.test_rendering import MAYOR, NOW, message
from tests.services.notifications.words import assert_the_same_is_said

PIECES = st.sampled_from(
    [
        "a",
        "vote no. ",
        "<b>&\"'=",
        "é",
        "Wort",
        "שלום ",
        "👩🏽‍⚖️",
        "議員",
        "line\n",
        "\n3. ",
        ".\n",
        "\u2028x",
        "\t",
        "e\u0301",
        "\u202ex",
        "x y=",
    ]
)


class Long(NamedTuple):
    """A text of few different pieces, written down in few words."""

    pieces: list[str]
    times: int
    most: int

    def __str__(self) -> str:
        return ("".join(self.pieces) * self.times)[: self.most]


class Many(NamedTuple):
    """The same things again and again."""

    things: list[Any]
    times: int


def told_in_full(found: Any) -> Any:
    """What a short description stands for."""
    match found:
        case Long():
            return str(found)
        case Many():
            return told_in_full(found.things * found.times)
        case list():
            return [told_in_full(one) for one in found]
        case dict():
            return {key: told_in_full(value) for key, value in found.items()}
    return found


TENS = st.sampled_from([1, 10, 100])
TIMES = st.sampled_from([1, 2, 30, 1_000, 20_000])
TEXT = st.builds(Long, st.lists(PIECES, min_size=1, max_size=4), TIMES, st.just(20_000))
LINE = st.builds(Long, st.lists(PIECES, min_size=1, max_size=4), TIMES, st.just(1_000)).filter(
    lambda line: bool("".join(line.pieces).strip())
)
URL = st.sampled_from(
    ["https://notices.example/1?a=b&c=d", "javascript:alert(1)", Long(["https://x.example/y"], 200, 4_000)]
)
BILL = st.fixed_dictionaries(
    {"bill": LINE, "stance": st.sampled_from(["oppose", "request", "whatever-comes"]), "ask": TEXT, "why": TEXT},
    optional={"title": TEXT, "author": TEXT, "points": TEXT, "letter": TEXT, "version": TEXT},
)
CALL = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["hearing", "floor-vote", "governor", "comment-period", "volunteer", "new-kind"]),
        "committee": LINE,
        "when": LINE,
        "letters_due": TEXT,
        "letters_open": st.booleans(),
        "bills": st.builds(Many, st.lists(BILL, max_size=3), TENS),
    },
    optional={
        "decider": LINE,
        "paragraph": TEXT,
        "urgent_note": TEXT,
        "division": LINE,
        "where": TEXT,
        "notice_url": URL,
    },
)
CONTACT = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "name": LINE,
            "address": st.sampled_from(
                [None, "rae@league.example", '"r, b?"@league.example', "none", "r&=ü@x.example"]
            ),
            "phone": st.one_of(st.none(), LINE),
        }
    ),
)
ENTRY = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "uid": st.just("campaign-c1@clarion"),
            "summary": LINE,
            "starts_at": st.just("2027-04-21T13:30:00-07:00"),
            "zone": st.just("America/Los_Angeles"),
            "location": TEXT,
            "description": TEXT,
            "url": URL,
        }
    ),
)
NAMES = st.builds(Many, st.lists(LINE, min_size=1, max_size=4), TENS)
ASKS = st.lists(
    st.sampled_from(["letter", "comment-letter", "phone", "volunteer", "testimony", "dance"]), max_size=3, unique=True
)
UNHURRIED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A failing example says what failed without being made smaller, which takes minutes here.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
WRITER = renderer()
NUMBERS = count(1)


def asked(kinds: list[str], bills: list[dict[str, Any]], reasons: list[str], named: int) -> Recipient:
    return Recipient.model_validate(
        {
            "mailbox": mailbox_of(1),
            "officials": [f"o{number}" for number in range(named)],
            "reasons": [{"kind": "committee" if n else "moved", "text": text} for n, text in enumerate(reasons)],
            "asks": [{"kind": kind, "bill": bill["bill"]} for bill in bills for kind in kinds],
        }
    )


def entry_of(described: Any) -> CalendarEntry | None:
    return CalendarEntry.model_validate(described) if described else None


def held_to_what_every_mail_keeps(mail: bytes) -> None:
    """It is small and sound, and its parts agree."""
    assert len(mail) < MAIL_BYTES
    assert max(map(len, mail.split(b"\r\n"))) <= 998
    found = read(mail)
    assert not found.defects
    assert_the_same_is_said(found)
    for part in found.walk():
        if part.get_content_type() == "text/calendar":
            icalendar.Calendar.from_ical(part.get_content())


@UNHURRIED
@given(
    described=st.fixed_dictionaries(
        {
            "content": CALL,
            "before": st.one_of(st.none(), CALL),
            "facts": st.dictionaries(
                st.sampled_from(["when", "where", "status", "bill:SB1"]), TEXT, min_size=1, max_size=4
            ),
            "more_facts": st.sampled_from([0, 200]),
            "kinds": ASKS,
            "reply_to": CONTACT,
            "entry": ENTRY,
            "reasons": st.lists(TEXT, max_size=5),
            "names": NAMES,
            "withdrawn": st.booleans(),
        }
    )
)
def test_a_call_of_any_content(described: dict[str, Any]) -> None:
    of = told_in_full(described)
    reply_to = Contact.model_validate(of["reply_to"]) if of["reply_to"] else None
    stated = [fact(key, key, text) for key, text in of["facts"].items()]
    stated += [fact(f"bill:{n}", f"SB {n}", "oppose") for n in range(of["more_facts"])]
    content = CallContent.model_validate(of["content"]).model_dump(mode="json")
    # A renderer keeps what it wrote of a content, by its number.
    number = next(NUMBERS)
    said = Content(number, "campaign:c1", "call", reply_to, content, tuple(stated), entry_of(of["entry"]))
    told = []
    if of["before"] is not None:
        old = fact("letters_due", "Letters due", "tomorrow")
        before = CallContent.model_validate(of["before"]).model_dump(mode="json")
        told = [Told(1, Content(-number, "campaign:c1", "call", reply_to, before, (old,), said.calendar), True, 0)]
    if told and of["withdrawn"]:
        said = Content(number, "campaign:c1", WITHDRAWAL, None, {"reason": next(iter(of["reasons"]), None)})
    telling = tell(said, told)
    if isinstance(telling, Unneeded):
        return
    people = tuple(MAYOR._replace(id=f"o{n}", name=name) for n, name in enumerate(of["names"]))
    made = message(revision=2, recipient=asked(of["kinds"], content["bills"], of["reasons"], len(people)))
    to = Addressed("ada@alder.example", people, people[0].name if len(people) == 1 else None)
    held_to_what_every_mail_keeps(WRITER.render(made, said, to, NOW, telling))


@UNHURRIED
@given(
    described=st.fixed_dictionaries(
        {
            "title": LINE,
            "status": st.sampled_from(["confirmed", "waitlisted", "declined", "cancelled"]),
            "when": LINE,
            "status_url": st.just("https://clarion.example/registrations/abc"),
        },
        optional={
            "place": st.integers(1, 10**9),
            "reason": TEXT,
            "where": TEXT,
            "join_url": URL,
            "cancel_url": URL,
            "register_url": URL,
            "policy_url": URL,
            "host": LINE,
            "contact": st.fixed_dictionaries({"name": LINE, "address": LINE, "phone": LINE}),
            "enquiries": st.fixed_dictionaries({"name": LINE}),
            "presenters": st.builds(
                Many, st.lists(st.fixed_dictionaries({"name": LINE, "title": LINE}), max_size=3), TENS
            ),
            "partners": st.builds(Many, st.lists(LINE, max_size=3), TENS),
        },
    ),
    entry=ENTRY,
    name=LINE,
)
def test_a_registration_of_any_content(described: dict[str, Any], entry: dict[str, Any] | None, name: Long) -> None:
    valid = RegistrationContent.model_validate(told_in_full(described)).model_dump(mode="json")
    said = Content(1, "registration:r1", "registration", None, valid, (), entry_of(told_in_full(entry)))
    telling = tell(said, [])
    assert not isinstance(telling, Unneeded)
    to = Addressed("ada@alder.example", (), str(name))
    held_to_what_every_mail_keeps(WRITER.render(message(subscription=None), said, to, NOW, telling))


@UNHURRIED
@given(
    described=st.fixed_dictionaries(
        {"subject": LINE, "paragraphs": st.builds(Many, st.lists(TEXT, max_size=3), TENS), "button": LINE}
    ),
    name=LINE,
)
def test_a_notice_of_any_content(described: dict[str, Any], name: Long) -> None:
    said = NoticeContent.model_validate({**told_in_full(described), "url": "https://clarion.example/x"})
    content = own("notice", said.model_dump(mode="json")).content
    to = Addressed("ada@alder.example", (), str(name))
    held_to_what_every_mail_keeps(WRITER.render(message(subscription=None), content, to, NOW))


@UNHURRIED
@given(described=st.fixed_dictionaries({"site": LINE, "good_for": LINE, "asked_from": LINE}))
def test_a_sign_in_of_any_content(described: dict[str, Any]) -> None:
    link = {"url": "https://x.example/" + "t" * 300, **told_in_full(described)}
    to = Addressed("ada@alder.example", (), None)
    mail = WRITER.render(message(subscription=None), own("sign-in", link).content, to, NOW)
    held_to_what_every_mail_keeps(mail)


@pytest.mark.parametrize("piece", ["👩🏽‍⚖️", "<b>&\"'=", "議", "a ", "\n", "x" * 30 + "\n"])
def test_a_mail_in_which_everything_is_as_long_as_may_be(piece: str) -> None:
    text, line, link = (piece * 20_000)[:20_000], (f"{piece}a" * 1_000)[:1_000], "https://x.example/" + "y" * 400
    texts = dict.fromkeys(("ask", "why", "title", "author", "points", "letter", "version"), text)
    lines = dict.fromkeys(("committee", "when", "decider", "division"), line)
    more = dict.fromkeys(("letters_due", "paragraph", "urgent_note", "where"), text)
    bills = [{"bill": line, "stance": "oppose", **texts}] * 100
    valid = CallContent.model_validate({**lines, **more, "letters_open": False, "notice_url": link, "bills": bills})
    content = valid.model_dump(mode="json")
    entry = entry_of(
        {
            "uid": "u" * 200,
            "summary": line,
            "starts_at": "2027-04-21",
            "zone": "America/Los_Angeles",
            "location": text,
            "description": text,
            "url": link,
        }
    )
    reply_to = Contact(name=line, address="rae@league.example", phone=line)
    facts = tuple(Fact(key=f"bill:{n}", label=text, text=text) for n in range(100))
    number = next(NUMBERS)
    before = Content(-number, "campaign:c1", "call", reply_to, content, (fact("when", "When", "now"),), entry)
    told = [Told(1, before, True, 0)]
    recipient = asked(["letter", "testimony", "phone"], content["bills"], [text] * 20, 40)
    made = message(revision=2, recipient=recipient, subscription="list:" + "é" * 190)
    to = Addressed("a" * 60 + "@" + "b" * 180 + ".example", (MAYOR._replace(name=line),) * 40, line)
    for said in (
        Content(number, "campaign:c1", "call", reply_to, content, facts, entry),
        Content(number, "campaign:c1", WITHDRAWAL, None, {"reason": text}),
    ):
        telling = tell(said, told)
        assert not isinstance(telling, Unneeded)
        held_to_what_every_mail_keeps(WRITER.render(made, said, to, NOW, telling))
