"""A mail says what it must, the same as text and as HTML, and reads as the standard library would write it."""

import quopri
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.runtime.web.links import SignedLinks
from clarion.schemas.messages import Contact, Recipient
from clarion.services.notifications.domain.messages import Addressed, Claimed, Content, Official, thread_of
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.rendering.mime import (
    Segments,
    continued,
    mailbox,
    quoted,
    unquoted,
    unstructured,
)
from tests.services.notifications.conftest import CONTENT, SECRET, mailbox_of, recipient
from tests.services.notifications.words import assert_the_same_is_said, texts

Parse = Callable[[bytes], EmailMessage]
NOW = datetime(2027, 4, 1, 9, 30, tzinfo=UTC)
MAYOR = Official("o1", "Ada Núñez", "ada@alder.example", mailbox_of(1), "Alder", ("Mayor",), True)
LINKS = SignedLinks([SECRET])
RENDERER = Renderer(
    LINKS,
    mail_from="Clarion <calls@clarion.example>",
    public_url="https://clarion.example/",
    postal_address="1 Main Street\nAlder, CA 90000",
)


def message(**changes: Any) -> Claimed:
    made = Claimed(
        thread_id=thread_of("campaign:c1", mailbox_of(1)),
        revision=1,
        matter="campaign:c1",
        mailbox=mailbox_of(1),
        lane=2,
        content_id=1,
        subscription="calls",
        recipient=Recipient.model_validate(recipient(1)),
        not_after=None,
        queued_at=NOW,
        claim=1,
        attempts=0,
        doubts=0,
    )
    return made._replace(**changes)


def rendered(
    content: dict[str, Any] | None = None,
    *,
    officials: tuple[Official, ...] = (MAYOR,),
    reply_to: Contact | None = Contact(name="Rae Pym", address="rae@league.example", phone="555-0100"),
    **changes: Any,
) -> bytes:
    shown = Content(1, "campaign:c1", "call", reply_to, {**CONTENT, **(content or {})})
    fresh = Renderer(
        LINKS,
        mail_from="Clarion <calls@clarion.example>",
        public_url="https://clarion.example/",
        postal_address="1 Main Street\nAlder, CA 90000",
    )
    to = Addressed("ada@alder.example", officials, officials[0].name if len(officials) == 1 else None)
    return fresh.render(message(**changes), shown, to, NOW)


def test_a_call_reads_as_the_standard_library_would_have_written_it(parse: Parse) -> None:
    mail = parse(rendered())
    plain, html = texts(mail)
    oracle = EmailMessage(policy=SMTP)
    oracle["From"] = Address("Clarion", addr_spec="calls@clarion.example")
    oracle["To"] = Address("Ada Núñez", addr_spec="ada@alder.example")
    oracle["Subject"] = "Letter on SB 79: Senate Housing, Wednesday, April 21, 2027, 1:30 pm PDT"
    oracle["Reply-To"] = Address("Rae Pym", addr_spec="rae@league.example")
    oracle["Date"] = NOW
    name = f"{thread_of('campaign:c1', mailbox_of(1)).hex}.1"
    oracle["Message-ID"] = f"<{name}@clarion.example>"
    oracle["Auto-Submitted"] = "auto-generated"
    oracle["Clarion-Thread"] = name.partition(".")[0]
    oracle["Clarion-Revision"] = "1"
    oracle["List-Id"] = "<calls.clarion.example>"
    token = LINKS.read("unsubscribe", mail["List-Unsubscribe"].strip("<>").rpartition("/")[2])
    oracle["List-Unsubscribe"] = mail["List-Unsubscribe"]
    oracle["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    oracle.set_content(plain, cte="quoted-printable")
    oracle.add_alternative(html, subtype="html", cte="quoted-printable")
    expected = parse(oracle.as_bytes())
    assert token == [mailbox_of(1), "calls"]
    assert {k: str(v).strip() for k, v in mail.items() if k != "Content-Type"} == {
        k: str(v).strip() for k, v in expected.items() if k != "Content-Type"
    }
    assert mail.get_content_type() == expected.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in mail.iter_parts()] == [part.get_content() for part in expected.iter_parts()]
    assert not mail.defects


def test_text_and_html_say_the_same_words_in_the_same_order(parse: Parse) -> None:
    assert_the_same_is_said(parse(rendered()))


def test_a_call_says_what_then_when_then_why_then_how_then_what_if_late(parse: Parse) -> None:
    for text in texts(parse(rendered())):
        places = [
            text.casefold().index(part.casefold())
            for part in (
                "Dear Mayor Ada N",
                "What we ask",
                "By when",
                "Why you",
                "Senator X sits on the committee",
                ">How<" if "<html" in text else "\nHOW\n",
                "If it is too late",
                "Rae Pym, regional public affairs manager for North Bay, 555-0100",
                "we oppose it",
                "It takes zoning decisions away",
                "Talking points",
                "ready to copy",
                "Our city respectfully opposes SB 79",
                "Leave the list",
                "1 Main Street",
            )
        ]
        assert places == sorted(places)


def test_all_who_share_a_mailbox_are_named_and_the_header_names_nobody(parse: Parse) -> None:
    clerk = MAYOR._replace(id="o2", name="Bo Diaz", roles=("City Clerk",))
    mail = parse(rendered(officials=(MAYOR, clerk)))
    assert "Dear Mayor Ada Núñez and Bo Diaz," in texts(mail)[0]
    assert mail["To"] == "ada@alder.example"


def test_a_mail_without_subscription_has_no_unsubscribe_header_and_no_link(parse: Parse) -> None:
    mail = parse(rendered(subscription=None))
    assert mail["List-Unsubscribe"] is None
    assert "Leave the list" not in texts(mail)[0]


def test_who_is_asked_only_to_testify_gets_no_letter_text(parse: Parse) -> None:
    asked = Recipient.model_validate(recipient(1, asks=[{"kind": "testimony", "bill": "SB 79"}]))
    plain, _ = texts(parse(rendered(recipient=asked)))
    assert "respectfully" not in plain
    assert "Testify at the hearing on SB 79" in plain


def test_after_the_deadline_the_mail_says_what_still_helps(parse: Parse) -> None:
    asked = Recipient.model_validate(recipient(1, asks=[{"kind": "testimony", "bill": "SB 79"}]))
    plain, _ = texts(parse(rendered({"letters_open": False, "letters_due": "passed on April 1"}, recipient=asked)))
    assert "The deadline for letters has passed" in plain
    assert "passed on April 1" in plain


def test_markup_in_content_comes_out_as_text(parse: Parse) -> None:
    bill = {**CONTENT["bills"][0], "why": "<script>alert(1)</script> & more", "letter": "</div><img src=x>"}
    plain, html = texts(parse(rendered({"bills": [bill], "notice_url": "javascript:alert(1)"})))
    assert "<script>alert(1)</script> & more" in plain
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_thirty_bills_with_long_letters_stay_under_40_kilobytes_and_say_where_the_rest_is(parse: Parse) -> None:
    one = CONTENT["bills"][0]
    bills = [{**one, "bill": f"SB {n}", "letter": "Every word counts. " * 200} for n in range(30)]
    asks = [{"kind": "letter", "bill": f"SB {n}"} for n in range(30)]
    mail = rendered({"bills": bills}, recipient=Recipient.model_validate(recipient(1, asks=asks)))
    assert "Not everything fits into a mail. Ask Rae Pym for the letter's text on SB 1, SB 2" in texts(parse(mail))[0]
    assert len(mail) < 40_000


def test_no_mail_asks_for_anything_from_elsewhere() -> None:
    mail = rendered()
    assert not re.search(rb"<(img|link|script|iframe)|url\(", mail)


@pytest.mark.parametrize(
    "attempt", ["A\r\nBcc: evil@x.example", "A\nSubject: no", "A\r\n\r\n<b>body</b>", "A\x0b\x0c\x1cB"]
)
def test_a_name_cannot_begin_a_header_of_its_own(parse: Parse, attempt: str) -> None:
    mail = parse(
        rendered(officials=(MAYOR._replace(name=attempt),), reply_to=Contact(name=attempt, address="r@x.example"))
    )
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject") or []) == 1
    assert mail["To"].addresses[0].addr_spec == "ada@alder.example"
    assert not mail.defects


LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)


@given(text=LINE)
def test_any_subject_is_read_back_as_it_was(text: str) -> None:
    raw = unstructured("Subject", text) + b"\r\n"
    read = message_from_bytes(raw, policy=policy.default)
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()
    assert str(read["Subject"]) == clean
    assert list(read.keys()) == ["Subject"]
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


@given(text=LINE)
def test_any_name_leaves_the_address_alone(text: str) -> None:
    raw = mailbox("To", text, "ada@alder.example") + b"\r\n"
    read = message_from_bytes(raw, policy=policy.default)
    assert list(read.keys()) == ["To"]
    assert [one.addr_spec for one in read["To"].addresses] == ["ada@alder.example"]
    clean = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).split())
    # The reader of Python 3.11 puts a space between encoded words, which RFC 2047 (6.2) says to ignore.
    assert "".join(read["To"].addresses[0].display_name.split()) == "".join(clean.split())
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


@pytest.mark.parametrize("address", ["josé@alder.example", '"ada, b"@alder.example'])
@pytest.mark.parametrize("name", [None, "Ada", 'Ada "the" Nr1, Mayor', "José"])
def test_an_address_that_is_not_plain_stands_in_its_header_as_it_is(address: str, name: str | None) -> None:
    raw = mailbox("To", name, address) + b"\r\n"
    assert f"{address}>" in raw.decode() or raw.decode().strip() == f"To: {address}"
    read = message_from_bytes(raw, policy=policy.default.clone(utf8=True))
    assert list(read.keys()) == ["To"]


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")))
def test_any_body_is_read_back_as_it_was(text: str) -> None:
    lines = quoted(text)
    assert quopri.decodestring(lines).replace(b"\r\n", b"\n").decode() == (text if text.endswith("\n") else text + "\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines.split(b"\r\n"))
    assert b"=_" not in lines


@given(
    before=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    token=st.text(st.sampled_from("aZ09.-_"), max_size=400),
)
def test_what_stands_unquoted_in_a_text_is_read_back_where_it_was(before: str, token: str) -> None:
    lines = continued(before) + unquoted(token) + quoted("after")
    assert quopri.decodestring(lines).decode() == f"{before}{token}after\r\n"
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines.split(b"\r\n"))


@settings(max_examples=25, deadline=None)
@given(text=st.text(st.sampled_from(".x \n"), max_size=300), name=st.text(st.sampled_from(".a\r\n"), max_size=90))
def test_no_line_of_a_mail_begins_with_a_dot_which_smtp_would_take_for_its_end(text: str, name: str) -> None:
    bill = {**CONTENT["bills"][0], "letter": text, "points": text}
    mail = rendered({"bills": [bill], "committee": f".{name}"}, officials=(MAYOR._replace(name=f".{name}"),))
    assert not [line for line in mail.split(b"\r\n") if line.startswith(b".")]
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert mail.endswith(b"\r\n")


def test_gaps_are_filled_between_shared_lines() -> None:
    segments = Segments.of("a\n\x00who\x00\nb\n\x00why\x00\n")
    filled = segments.fill({"who": quoted("é\n"), "why": b""})
    assert b"".join(filled) == b"a\r\n=C3=A9\r\nb\r\n"
