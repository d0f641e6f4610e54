"""Mails that amend what was told: what changed first, the calendar entry in place, the thread's first mail named."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.messages import CalendarEntry, Contact, Fact, Recipient
from clarion.services.notifications.domain.calendar import begins_at
from clarion.services.notifications.domain.messages import WITHDRAWAL, Addressed, Content, thread_of
from clarion.services.notifications.domain.telling import Entry, Telling, Told, tell
from clarion.services.notifications.rendering.calendar import ATTENDEE, Invitations, attendee, folded, stamp
from clarion.services.notifications.rendering.mail import Renderer
from tests.services.notifications.conftest import CONTENT, mailbox_of, recipient
from tests.services.notifications.test_rendering import LINKS, MAYOR, NOW, message
from tests.services.notifications.words import assert_the_same_is_said, texts

ENTRY = CalendarEntry.model_validate(
    {
        "uid": "campaign-c1@clarion",
        "summary": "Senate Housing: SB 79",
        "starts_at": "2027-04-21T13:30:00-07:00",
        "zone": "America/Los_Angeles",
        "location": "1021 O Street, Room 1200",
        "description": "SB 79: vote no on SB 79",
        "url": "https://notices.example/sb79",
    }
)
SEAT: dict[str, Any] = {
    "title": "How the packaging law will affect local governments",
    "status": "confirmed",
    "when": "Wednesday, May 5, 2027, 10:00 to 11:30 am PDT",
    "where": "Online",
    "join_url": "https://clarion.example/join/abc",
    "cancel_url": "https://clarion.example/registrations/abc/cancel",
    "status_url": "https://clarion.example/registrations/abc",
    "register_url": "https://clarion.example/webinars/packaging-law",
    "host": "League of Sample Cities",
    "contact": {"name": "Robin Sample", "address": "robin.sample@league.example", "phone": "555-0100"},
    "enquiries": {"name": "Kim Example", "address": "kim@league.example"},
    "policy_url": "https://league.example/event-policies",
    "presenters": [
        {"name": "Ida Demo", "title": "Director of Recycling", "role": "moderator"},
        {"name": "Max Muster", "title": "Counsel"},
    ],
    "partners": ["Counties of Sample", "Rural Sample Council"],
}
WHEN, WHERE = CONTENT["when"], CONTENT["where"]
LATER = "Thursday, April 22, 2027, 9:30 am PDT"


def fact(key: str, label: str, text: str, *, material: bool = True) -> Fact:
    return Fact(key=key, label=label, text=text, material=material)


def call(number: int = 1, *, facts: dict[str, str] | None = None, **changes: Any) -> Content:
    """What a call says: `facts` replace those of the sample, an empty text takes one out."""
    known = {"when": WHEN, "where": WHERE, "bill:SB79": "SB 79 (Wiener): oppose", **(facts or {})}
    labels = {"when": "When", "where": "Where", "status": "Status"}
    listed = [
        fact(key, labels.get(key, key.removeprefix("bill:").replace("SB", "SB ")), text)
        for key, text in known.items()
        if text
    ]
    content = {**CONTENT, "when": known["when"], "where": known["where"] or None, **changes.pop("content", {})}
    reply_to = Contact(name="Rae Pym", address="rae@league.example", phone="555-0100")
    made = Content(number, "campaign:c1", "call", reply_to, content, tuple(listed), ENTRY)
    return replace(made, **changes)


def seat(number: int = 1, *, facts: dict[str, str] | None = None, **changes: Any) -> Content:
    """What a registration's mail says."""
    known = {"status": "Confirmed", "event": SEAT["title"], "when": SEAT["when"], **(facts or {})}
    listed = tuple(fact(key, key.capitalize(), text) for key, text in known.items())
    reply_to = Contact(name="Robin Sample", address="robin.sample@league.example")
    entry = ENTRY.model_copy(update={"uid": "registration-1@clarion", "summary": SEAT["title"]})
    content = {**SEAT, "when": known["when"], **changes.pop("content", {})}
    return replace(Content(number, "registration:r1", "registration", reply_to, content, listed, entry), **changes)


CANCELLED = call(
    2, facts={"status": "Cancelled"}, calendar=ENTRY.model_copy(update={"method": "CANCEL"}), content={"bills": []}
)
WITHDRAWN = Content(3, "campaign:c1", WITHDRAWAL, None, {"reason": "the bill went to another committee"})


def told(*contents: Content, sure: bool = True) -> list[Told]:
    """These were told, the first first."""
    found = [Told(number + 1, one, sure, number) for number, one in enumerate(contents)]
    return found[::-1]


def mail_of(content: Content, before: list[Told], **changes: Any) -> EmailMessage:
    telling = tell(content, before)
    assert isinstance(telling, Telling)
    renderer = Renderer(
        LINKS,
        mail_from="Clarion <calls@clarion.example>",
        public_url="https://clarion.example/",
        postal_address="1 Main Street\nAlder, CA 90000",
    )
    to = Addressed("ada@alder.example", (MAYOR,), MAYOR.name)
    made = message(revision=len(before) + 1, **changes)
    found = BytesParser(policy=policy.default).parsebytes(renderer.render(made, content, to, NOW, telling))
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def registered(content: Content, before: list[Told]) -> EmailMessage:
    asked = Recipient(mailbox=mailbox_of(1), address="ada@alder.example", name="Ada Fictional")
    return mail_of(content, before, recipient=asked, subscription=None, matter="registration:r1", lane=1)


def entry_of(mail: EmailMessage) -> tuple[icalendar.Calendar, icalendar.Event]:
    """The entry of a mail, which stands in it twice."""
    shown = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    alternative, attached = (bytes(part.get_payload(decode=True)) for part in shown)
    assert alternative == attached
    assert shown[1].get_filename() == "invite.ics"
    calendar = icalendar.Calendar.from_ical(alternative)
    assert isinstance(calendar, icalendar.Calendar)
    assert {part.get_param("method") for part in shown} == {calendar["method"]}
    return calendar, calendar.events[0]


def test_a_moved_hearing_says_first_what_it_is_now_and_what_it_was() -> None:
    mail = mail_of(call(2, facts={"when": LATER}), told(call()))
    assert mail["Subject"] == f"Moved: SB 79, Senate Housing, now {LATER}"
    for text in texts(mail):
        words = " ".join(re.sub(r"<[^>]+>", "", text).split())
        said = f"Moved: now {LATER}, was {WHEN}"
        assert words.index("Ada N") < words.index(said) < words.casefold().index("what we ask")


def test_an_amendment_states_everything_that_holds_now() -> None:
    plain, _ = texts(mail_of(call(2, facts={"when": LATER, "where": "Room 112"}), told(call())))
    for part in (f"Hearing: Senate Housing, {LATER}", "Place: Room 112", "Write a letter on SB 79", "Dear Chair,"):
        assert part in plain


def test_the_thread_is_named_by_its_first_mail() -> None:
    thread = thread_of("campaign:c1", mailbox_of(1)).hex
    mail = mail_of(call(3, facts={"when": LATER}), told(call(), call(2, facts={"where": "Room 1"})))
    assert mail["In-Reply-To"] == mail["References"] == f"<{thread}.1@clarion.example>"
    assert mail["Message-ID"] == f"<{thread}.3@clarion.example>"
    assert mail_of(call(), [])["References"] is None


@pytest.mark.parametrize(
    ("facts", "line", "headline"),
    [
        ({"bill:SB80": "SB 80 (Ames): support"}, "SB 80 added", "SB 80 added"),
        ({"bill:SB79": ""}, "SB 79 taken off", "SB 79 taken off"),
        ({"bill:SB79": "SB 79 (Wiener): watch"}, "SB 79: now SB 79 (Wiener): watch, was SB 79", "SB 79 changed"),
        ({"where": "Room 112"}, f"Where: now Room 112, was {WHERE}", "New place"),
        ({"where": ""}, f"Where: no longer {WHERE}", "New place"),
        ({"when": LATER, "where": "Room 112"}, f"Moved: now {LATER}", "Moved, new place"),
        ({"when": LATER, "where": "Room 1", "bill:SB80": "SB 80"}, "SB 80 added", "Moved, new place and more"),
    ],
)
def test_each_change_has_its_line_and_the_subject_the_shortest(facts: dict[str, str], line: str, headline: str) -> None:
    mail = mail_of(call(2, facts=facts), told(call()))
    assert f"- {line}" in texts(mail)[0]
    assert mail["Subject"].startswith(f"{headline}: SB 79, Senate Housing, ")


def test_a_cancelled_hearing_says_so_and_asks_nothing() -> None:
    mail = mail_of(CANCELLED, told(call()), recipient=Recipient(mailbox=mailbox_of(1), officials=["o1"]))
    assert mail["Subject"] == f"Cancelled: SB 79, Senate Housing, {WHEN}"
    plain, html = texts(mail)
    assert f"- Cancelled: SB 79, Senate Housing, {WHEN}" in plain
    for text in (plain.casefold(), html.casefold()):
        assert "what we ask" not in text
        assert "the letter, ready to copy" not in text


def test_what_is_held_after_all_is_a_call_again() -> None:
    facts = call(3).facts
    reinstated = call(3, facts={"status": "Reinstated"})
    reinstated = replace(
        reinstated, facts=(fact("status", "Status", "Reinstated", material=False), *reinstated.facts[:-1])
    )
    for content in (call(3), reinstated):
        plain, _ = texts(mail_of(replace(content, facts=content.facts or facts), told(call(), CANCELLED)))
        assert re.search(rf"- (Back on|Reinstated): SB 79, Senate Housing, {WHEN}", plain)
        assert "WHAT WE ASK" in plain


def test_who_is_no_longer_concerned_reads_why_and_of_what() -> None:
    mail = mail_of(WITHDRAWN, told(call()))
    assert mail["Subject"] == f"No longer concerns you: SB 79, Senate Housing, {WHEN}"
    assert mail["Reply-To"] == "Rae Pym <rae@league.example>"
    assert mail["List-Unsubscribe"]
    plain, _ = texts(mail)
    assert "The bill went to another committee." in plain
    assert f"- Hearing: Senate Housing, {WHEN}" in plain
    assert entry_of(mail)[0]["method"] == "CANCEL"
    assert "does again" in texts(mail_of(call(4), told(call(), WITHDRAWN)))[0]


def test_a_bill_that_came_from_elsewhere_is_said_first_and_is_no_reason() -> None:
    came = {"kind": "moved", "text": "SB 79 moved: now Thursday, was Wednesday (Senate Rules)."}
    asked = Recipient.model_validate(recipient(1, reasons=[came, {"kind": "committee", "text": "Senator X sits."}]))
    for content, before, shown in (
        (call(), [], True),
        (call(2, facts={"bill:SB80": "SB 80"}), told(call()), True),
        (call(2, facts={"where": "Room 1"}), told(call()), False),
    ):
        plain, _ = texts(mail_of(content, before, recipient=asked))
        assert ("- SB 79 moved: now Thursday" in plain.partition("WHAT WE ASK")[0]) == shown
        assert "SB 79 moved" not in plain.partition("WHAT WE ASK")[2]


def test_two_mailboxes_of_one_content_each_read_their_own_changes() -> None:
    renderer = Renderer(LINKS, mail_from="c@x.example", public_url="https://x.example", postal_address=None)
    content, before = call(2, facts={"where": "Room 1", "bill:SB80": "SB 80"}), told(call())
    to = Addressed("ada@alder.example", (MAYOR,))
    mails = []
    for elsewhere in ([], ["bill:SB80"], []):
        telling = tell(content, before, elsewhere)
        assert isinstance(telling, Telling)
        mails.append(b"SB 80 added" in renderer.render(message(revision=2), content, to, NOW, telling))
    assert mails == [True, False, True]


@pytest.mark.parametrize(
    ("content", "before"),
    [
        (call(2, facts={"when": LATER, "bill:SB80": "SB 80"}), told(call())),
        (CANCELLED, told(call())),
        (WITHDRAWN, told(call())),
        (seat(), []),
        (seat(2, facts={"when": LATER}), told(seat())),
        (seat(content={"status": "waitlisted", "place": 7, "join_url": None}), []),
        (
            seat(2, content={"status": "cancelled", "reason": "The event is cancelled."}),
            told(seat(facts={"when": "x"})),
        ),
    ],
)
def test_text_and_html_say_the_same_words(content: Content, before: list[Told]) -> None:
    assert_the_same_is_said(
        mail_of(content, before) if content.matter == "campaign:c1" else registered(content, before)
    )


def test_the_entry_is_what_icalendar_would_have_written() -> None:
    calendar, event = entry_of(mail_of(call(), []))
    oracle = icalendar.Event()
    oracle.add("uid", "campaign-c1@clarion")
    oracle.add("sequence", 0)
    oracle.add("dtstamp", NOW)
    oracle.add("dtstart", datetime(2027, 4, 21, 20, 30, tzinfo=UTC))
    oracle.add("summary", "Senate Housing: SB 79")
    oracle.add("location", "1021 O Street, Room 1200")
    oracle.add("description", "SB 79: vote no on SB 79")
    oracle.add("status", "CONFIRMED")
    oracle.add("url", "https://notices.example/sb79")
    organizer = icalendar.vCalAddress("mailto:calls@clarion.example")
    organizer.params["CN"] = "Clarion"
    oracle.add("organizer", organizer)
    attendee = icalendar.vCalAddress("mailto:ada@alder.example")
    attendee.params.update({"CN": "Ada N\u00fa\u00f1ez", "ROLE": "REQ-PARTICIPANT", "RSVP": "FALSE"})
    oracle.add("attendee", attendee)
    assert event == oracle
    assert (calendar["version"], calendar["method"]) == ("2.0", "REQUEST")


def test_the_entry_stays_the_same_and_its_sequence_counts_up() -> None:
    first, moved = call(), call(2, facts={"when": LATER})
    events = [entry_of(mail_of(one, before))[1] for one, before in ((first, []), (moved, told(first)))]
    calendar, taken_back = entry_of(mail_of(CANCELLED, told(first, moved)))
    events.append(taken_back)
    assert [event["sequence"] for event in events] == [0, 1, 2]
    assert len({event["uid"] for event in events}) == 1
    assert (calendar["method"], taken_back["status"]) == ("CANCEL", "CANCELLED")


def test_an_entry_is_taken_back_only_where_one_was_sent() -> None:
    before = [replace(one, sequence=None) for one in told(call())]
    assert [part.get_content_type() for part in mail_of(CANCELLED, before).iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "expected"),
    [
        ("2027-04-21", None, (date(2027, 4, 21), date(2027, 4, 22))),
        ("2027-04-21", "2027-04-22", (date(2027, 4, 21), date(2027, 4, 23))),
        ("2027-04-21T13:30:00", None, (datetime(2027, 4, 21, 20, 30, tzinfo=UTC), None)),
        (
            "2027-11-07T01:30:00-08:00",
            "2027-11-07T03:00:00",
            (datetime(2027, 11, 7, 9, 30, tzinfo=UTC), datetime(2027, 11, 7, 11, tzinfo=UTC)),
        ),
    ],
)
def test_times_are_in_utc_and_whole_days_are_dates(starts_at: str, ends_at: str | None, expected: Any) -> None:
    entry = CalendarEntry.model_validate({**ENTRY.model_dump(), "starts_at": starts_at, "ends_at": ends_at})
    _, event = entry_of(mail_of(replace(call(), calendar=entry), []))
    found = event.decoded("dtstart"), event.decoded("dtend", None)
    assert found == expected
    assert type(found[0]) is type(expected[0])


def test_a_whole_day_has_begun_for_good_when_it_is_over_there() -> None:
    entry = ENTRY.model_copy(update={"starts_at": date(2027, 4, 21)})
    assert begins_at(entry) == datetime(2027, 4, 22, 7, tzinfo=UTC)
    assert begins_at(ENTRY) == datetime(2027, 4, 21, 20, 30, tzinfo=UTC)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=30)


@given(name=TEXT, place=TEXT, summary=TEXT.filter(str.strip))
def test_no_text_breaks_out_of_its_property(name: str, place: str, summary: str) -> None:
    entry = ENTRY.model_copy(update={"summary": summary, "location": place, "description": "END:VEVENT\nEND:VCALENDAR"})
    own = {ATTENDEE: stamp(NOW) + attendee(Addressed("a@x.example", (), name))}
    written = b"".join(Invitations("Clarion", "c@x.example").write(Entry(entry, 3)).fill(own))
    part = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + written
    raw = BytesParser(policy=policy.default).parsebytes(part).get_payload(decode=True)
    assert isinstance(raw, bytes)
    assert max(map(len, raw.split(b"\r\n"))) <= 75
    assert raw.decode() == raw.decode().replace("\r\n", "\n").replace("\n", "\r\n")
    calendar = icalendar.Calendar.from_ical(raw)
    (event,) = calendar.events
    assert event["summary"] == summary
    assert event.get("location", "") == place
    assert event["attendee"] == "mailto:a@x.example"
    assert (event["sequence"], event["description"]) == (3, "END:VEVENT\nEND:VCALENDAR")


@given(line=TEXT)
def test_a_folded_line_unfolds_to_itself(line: str) -> None:
    cut = folded(line)
    assert all(len(part.encode()) <= 75 for part in cut.split("\n"))
    assert cut.removesuffix("\n").replace("\n ", "") == line


def test_a_confirmed_seat_names_event_link_and_people_and_belongs_to_no_list() -> None:
    mail = registered(seat(), [])
    assert mail["Subject"] == f"Confirmed: {SEAT['title']}, {SEAT['when']}"
    assert mail["To"] == "Ada Fictional <ada@alder.example>" or mail["To"].addresses[0].addr_spec == "ada@alder.example"
    assert mail["Reply-To"] == "Robin Sample <robin.sample@league.example>"
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Id"] is None
    plain, html = texts(mail)
    for url in (SEAT["join_url"], SEAT["cancel_url"], SEAT["status_url"], SEAT["policy_url"]):
        assert url in plain
        assert f'href="{url}"' in html
    for name in ("Ida Demo, Director of Recycling (moderator)", "Max Muster, Counsel", "Rural Sample Council"):
        assert name in plain
    assert entry_of(mail)[1]["uid"] == "registration-1@clarion"


def test_who_moves_up_from_the_waiting_list_reads_that_first() -> None:
    mail = registered(seat(2), told(seat(facts={"status": "Waiting list, place 7"})))
    assert mail["Subject"].startswith("Confirmed: ")
    assert "- Status: now Confirmed, was Waiting list, place 7" in texts(mail)[0]


def test_a_moved_event_is_told_with_the_entry_in_place() -> None:
    mail = registered(seat(2, facts={"when": LATER}), told(seat()))
    assert mail["Subject"] == f"Moved: {SEAT['title']}, now {LATER}"
    assert f"- Moved: now {LATER}, was {SEAT['when']}" in texts(mail)[0]
    assert entry_of(mail)[1]["sequence"] == 1


@pytest.mark.parametrize("status", ["declined", "cancelled"])
def test_who_has_no_seat_gets_neither_join_link_nor_entry(status: str) -> None:
    content = {"status": status, "reason": "registration closed", "join_url": None, "cancel_url": None}
    mail = registered(seat(facts={"status": status}, content=content, calendar=None), [])
    plain, _ = texts(mail)
    assert "Registration closed." in plain
    assert "Join here" not in plain
    assert mail.get_content_type() == "multipart/alternative"


def test_links_that_lead_elsewhere_than_the_web_are_text() -> None:
    _, html = texts(registered(seat(content={"join_url": "javascript:alert(1)", "policy_url": "data:x"}), []))
    assert 'href="javascript' not in html
    assert 'href="data' not in html
