"""What bounces, complaints and automatic replies say, as mail servers write them; and whatever else arrives."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.services.notifications.bounces.mail_reports import READ_OCTETS, RECIPIENTS, read_mail
from clarion.services.notifications.bounces.providers import Malformed, read_postmark, read_ses
from clarion.services.notifications.bounces.return_path import (
    BEFORE_OCTETS,
    LOCAL_OCTETS,
    REVISIONS,
    About,
    ReturnPath,
    about_named,
)
from clarion.services.notifications.bounces.said import KINDS, Said, conclude, status_in
from tests.services.notifications.came_back import PATH, arf, dsn, plain, recipient_fields

ABOUTS = st.builds(About, st.uuids(), st.integers(0, REVISIONS - 1))
QMAIL = """Hi. This is the qmail-send program at mx.city.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<o1@city.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <bounces@mail.league.example>
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.

  o1@city.example
    SMTP error from remote mail server after RCPT TO:<o1@city.example>:
    host mx.city.example: 550 5.1.1 <o1@city.example>: Recipient address rejected
"""


def kind(content: bytes) -> str:
    """What it amounts to for the mayor's mailbox."""
    return conclude(read_mail(content), lambda address: address.lower() == "o1@city.example").kind


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (dsn(recipient_fields()), "hard"),
        (dsn(recipient_fields(status="5.1.10")), "hard"),
        (dsn(recipient_fields(status="5.2.1")), "soft"),
        (dsn(recipient_fields(status="5.2.2")), "soft"),
        (dsn(recipient_fields(status="4.4.7")), "soft"),
        (dsn(recipient_fields(status="5.7.26")), "blocked"),
        (dsn(recipient_fields(status="5.3.4")), "blocked"),
        (dsn(recipient_fields(status="5.0.0", Diagnostic_Code="smtp; 550 5.1.1 no such user")), "hard"),
        (dsn(recipient_fields(status="5.0.0", Diagnostic_Code="smtp; 550 5.7.1 spam")), "blocked"),
        (dsn(recipient_fields(status="5.0.0", Diagnostic_Code="smtp; 550 mailbox unavailable")), "soft"),
        (dsn(recipient_fields(status="", Diagnostic_Code="smtp; 554 no")), "soft"),
        (dsn(recipient_fields(status="")), "soft"),
        (dsn(recipient_fields(status="2.0.0")), "unclear"),
        (dsn(recipient_fields(action="failed (unknown user)")), "hard"),
        (dsn(recipient_fields(action="FAILED")), "hard"),
        (dsn(recipient_fields(action="delayed", status="4.2.2", Will_Retry_Until="tomorrow")), "delayed"),
        (dsn(recipient_fields(action="relayed", status="2.0.0")), "delivered"),
        (dsn(recipient_fields(action="expanded", status="2.0.0")), "delivered"),
        (dsn(recipient_fields(action="vanished")), "unclear"),
        (dsn(), "unclear"),
        (dsn(recipient_fields("a@x.example", status="4.2.2"), recipient_fields()), "hard"),
        (dsn(recipient_fields("a@x.example"), recipient_fields(action="delivered", status="2.0.0")), "delivered"),
        (dsn(recipient_fields("a@x.example", "delivered", "2.0.0"), recipient_fields("b@x.example")), "delivered"),
        (dsn(recipient_fields("a@x.example")), "soft"),
        (dsn(recipient_fields("a@x.example", Original_Recipient="rfc822; O1@city.example")), "hard"),
        (arf("abuse"), "complaint"),
        (arf("opt-out"), "opt-out"),
        (arf("not-spam"), "not-spam"),
        (arf("fraud"), "unclear"),
        (arf("auth-failure"), "unclear"),
        (plain("Away.", Auto_Submitted="auto-replied"), "auto-reply"),
        (plain("Away.", Auto_Submitted="auto-generated; owner-email=x@y.example"), "auto-reply"),
        (plain("Away.", Precedence="auto_reply"), "auto-reply"),
        (plain("Not away.", Auto_Submitted="no"), "unclear"),
        (plain("Take me off your list!"), "unclear"),
        (plain(QMAIL), "hard"),
        (plain(EXIM, X_Failed_Recipients="o1@city.example", Auto_Submitted="auto-replied"), "hard"),
        (plain("Your message to o1@city.example bounced, 550 5.1.1."), "unclear"),
        (b"", "unclear"),
        (b"\0\xff\xfe", "unclear"),
    ],
)
def test_what_came_is_understood_or_left_to_a_person(content: bytes, expected: str) -> None:
    assert kind(content) == expected


def test_a_report_in_a_mail_that_somebody_forwarded_is_not_one_of_ours() -> None:
    inner = dsn(recipient_fields())
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b9\r\n\r\n--b9\r\n"
    assert kind(head + b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b9--\r\n") == "unclear"


def test_the_envelope_senders_that_a_complaint_quotes_are_found() -> None:
    sender = PATH.of(UUID(int=7), 3)
    returned = f"Return-Path: <{sender}>\r\nSubject: A call\r\n\r\nText.\r\n"
    for content in (arf("abuse", sender=sender), arf("abuse", returned=returned)):
        (said,) = read_mail(content)
        assert [PATH.read(one) for one in said.quoted] == [About(UUID(int=7), 3)]
    (said,) = read_mail(dsn(recipient_fields(), returned=returned))
    assert [PATH.read(one) for one in said.quoted] == [About(UUID(int=7), 3)]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_are_too_much(content: bytes) -> None:
    assert kind(content) in KINDS


PIECES = st.sampled_from(
    [
        *(bytes([one]) for one in b"\0\r\n\xff;:<>"),
        *dsn(recipient_fields(), recipient_fields(action="delayed")).splitlines(keepends=True),
        *arf("abuse", returned="Return-Path: <x@y.example>\r\n\r\n").splitlines(keepends=True),
        b"Content-Type: multipart/report; boundary=\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n",
        b'Content-Type: text/plain; charset="\xff"\r\n',
        b"Auto-Submitted: =?utf-8?q?=ff?=\r\n",
        b"X-Failed-Recipients: a@b, c@d\r\n",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_no_mixture_of_the_parts_of_reports_is_too_much(pieces: list[bytes]) -> None:
    found = read_mail(b"".join(pieces))
    assert 1 <= len(found) <= RECIPIENTS
    assert conclude(found, lambda _: True).kind in KINDS


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000)),
        dsn(*[recipient_fields(f"a{n}@x.example") for n in range(3_000)]),
        b"Subject: " + b"x" * 900_000,
        b"A: b\r\n" * 150_000,
        plain("<" * 60_000),
        plain("Hi. This is the qmail-send program at x.\n" + "<a@b.example>:\n" * 4_000),
    ],
    ids=["nested mails", "nested parts", "many recipients", "a long header", "many headers", "brackets", "qmail"],
)
def test_what_is_made_to_be_dear_to_read_is_not(content: bytes) -> None:
    assert len(read_mail(content)) <= RECIPIENTS


def test_only_the_beginning_of_a_mail_is_read() -> None:
    report = dsn(recipient_fields())
    head, _, rest = report.partition(b"This is the mail system.\r\n")
    assert kind(head + b"x" * 40_000 + b"\r\n" + rest + b"y" * READ_OCTETS) == "hard"
    assert kind(head + b"x" * READ_OCTETS + b"\r\n" + rest) == "unclear"


@given(ABOUTS, st.booleans())
def test_an_envelope_sender_names_its_mail_whatever_its_case_and_is_short(one: About, upper: bool) -> None:
    made = PATH.of(one.thread_id, one.revision)
    assert PATH.read(made.upper() if upper else made) == one
    assert len(made.rpartition("@")[0]) <= LOCAL_OCTETS


@given(ABOUTS, st.integers(0, 200), st.sampled_from("0123456789abcdef"))
def test_an_envelope_sender_that_we_did_not_make_is_none(one: About, place: int, other: str) -> None:
    made = PATH.of(one.thread_id, one.revision)
    local, _, domain = made.partition("@")
    place = len("bounces+") + place % (len(local) - len("bounces+"))
    changed = local[:place] + other + local[place + 1 :] + "@" + domain
    assert changed == made or PATH.read(changed) is None
    assert ReturnPath("bounces@mail.league.example", ["another secret"]).read(made) is None
    assert ReturnPath("bounces@elsewhere.example", ["test-secret-key-of-some-length"]).read(made) is None


@given(ABOUTS)
def test_an_envelope_sender_of_an_older_secret_stays_good(one: About) -> None:
    made = ReturnPath("b@mail.example", ["old"]).of(one.thread_id, one.revision)
    assert ReturnPath("b@mail.example", ["new", "old"]).read(made) == one


@pytest.mark.parametrize("address", ["", "bounces", "b+c@x.example", "a" * (BEFORE_OCTETS + 1) + "@x.example", "a b@x"])
def test_a_bounce_address_that_cannot_have_names_added_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="CLARION_BOUNCE_ADDRESS"):
        ReturnPath(address, ["secret"])


@given(st.text(max_size=120))
def test_no_address_is_too_much(address: str) -> None:
    assert PATH.read(address) is None
    assert PATH.read(f"bounces+{address}@mail.league.example") is None


def test_a_status_is_taken_from_where_it_says_most() -> None:
    assert status_in("5.0.0", "smtp; 550-5.1.1 no 4.2.2") == "5.1.1"
    assert status_in("4.0.0", "smtp; 550 5.1.1") == "4.0.0"
    assert status_in("5.1.1 (bad)", "smtp; 550 5.7.1") == "5.1.1"
    assert status_in("", "host 10.5.1.1 said 452") == "4.0.0"


SES_MAIL = {
    "timestamp": "2027-04-02T16:30:00.000Z",
    "source": "bounces@mail.league.example",
    "messageId": "00000137860315fd-34208509-5b74-41f3-95c5-22c1edc3c924-000000",
    "destination": ["o1@city.example"],
    "headers": [
        {"name": "From", "value": "Calls <calls@league.example>"},
        {"name": "Clarion-Thread", "value": "0f8fad5bd9cb469fa165408f17a1a2b3"},
        {"name": "Clarion-Revision", "value": "2"},
    ],
}
MAIL_2 = about_named("0f8fad5bd9cb469fa165408f17a1a2b3.2")


def ses(**what: Any) -> bytes:
    return json.dumps({"mail": SES_MAIL, **what}).encode()


def ses_bounce(kind: str, subtype: str, **recipient: str) -> bytes:
    bounce = {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [{"emailAddress": "o1@city.example", **recipient}],
        "timestamp": "2027-04-02T16:30:05.000Z",
        "feedbackId": "00000137860315fd-869464a4-8680-4114-98d3-716fe35851f9-000000",
    }
    return ses(notificationType="Bounce", bounce=bounce)


def ses_complaint(feedback: str | None) -> bytes:
    complaint = {"complainedRecipients": [{"emailAddress": "o1@city.example"}], "complaintFeedbackType": feedback}
    return ses(eventType="Complaint", complaint=complaint)


def postmark(record: str, **more: Any) -> bytes:
    return json.dumps(
        {"RecordType": record, "Metadata": {"clarion": "0f8fad5bd9cb469fa165408f17a1a2b3.2"}} | more
    ).encode()


@pytest.mark.parametrize(
    ("read", "content", "expected"),
    [
        (read_ses, ses_bounce("Permanent", "General", status="5.1.1", action="failed"), "hard"),
        (read_ses, ses_bounce("Permanent", "OnAccountSuppressionList"), "hard"),
        (read_ses, ses_bounce("Transient", "MailboxFull"), "soft"),
        (read_ses, ses_bounce("Transient", "ContentRejected"), "blocked"),
        (read_ses, ses_bounce("Undetermined", "Undetermined", diagnosticCode="smtp; 550 5.1.1 no"), "hard"),
        (read_ses, ses_bounce("Undetermined", "Undetermined"), "soft"),
        (read_ses, ses_bounce("Permanent", "UnsubscribedRecipient"), "opt-out"),
        (read_ses, ses_complaint("abuse"), "complaint"),
        (read_ses, ses_complaint(None), "complaint"),
        (read_ses, ses_complaint("not-spam"), "not-spam"),
        (read_ses, ses_complaint("virus"), "unclear"),
        (read_ses, ses(notificationType="Delivery", delivery={"recipients": []}), "other"),
        (read_ses, ses(eventType="Rendering Failure"), "other"),
        (
            read_postmark,
            postmark("Bounce", Type="HardBounce", TypeCode=1, Email="o1@city.example", Inactive=True),
            "hard",
        ),
        (read_postmark, postmark("Bounce", Type="SoftBounce", TypeCode=4096, Email="o1@city.example"), "soft"),
        (read_postmark, postmark("Bounce", Type="Blocked", Email="o1@city.example"), "blocked"),
        (read_postmark, postmark("Bounce", Type="AutoResponder", Email="o1@city.example"), "auto-reply"),
        (read_postmark, postmark("Bounce", Type="ChallengeVerification", Email="o1@city.example"), "unclear"),
        (read_postmark, postmark("SpamComplaint", Type="SpamComplaint", Email="o1@city.example"), "complaint"),
        (read_postmark, postmark("Delivery", Recipient="o1@city.example"), "other"),
        *(
            (
                read_postmark,
                postmark(
                    "SubscriptionChange",
                    Recipient="o1@city.example",
                    SuppressSending=sending,
                    SuppressionReason=reason,
                    Origin=origin,
                ),
                expected,
            )
            for sending, reason, origin, expected in [
                (True, "HardBounce", "Recipient", "hard"),
                (True, "SpamComplaint", "Recipient", "complaint"),
                (True, "ManualSuppression", "Recipient", "opt-out"),
                (True, "ManualSuppression", "Customer", "other"),
                (False, None, "Customer", "other"),
            ]
        ),
    ],
)
def test_what_providers_document_is_understood(read: Any, content: bytes, expected: str) -> None:
    said: list[Said] = read(content)
    assert conclude(said, lambda address: address == "o1@city.example").kind == expected
    assert expected == "other" or said[0].about == MAIL_2


@pytest.mark.parametrize("read", [read_ses, read_postmark])
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"notificationType": "Bounce"}', b'{"RecordType": "Bounce"}']
)
def test_what_is_not_as_documented_is_said_by_the_names_of_fields_alone(read: Any, content: bytes) -> None:
    with pytest.raises(Malformed):
        read(content)
    secret = json.dumps({"RecordType": ["ada@city.example"], "notificationType": ["ada@city.example"]}).encode()
    with pytest.raises(Malformed) as refusal:
        read(secret)
    assert "ada@" not in str(refusal.value)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "RecordType",
                        "Type",
                        "Email",
                        "notificationType",
                        "bounce",
                        "mail",
                        "Metadata",
                        "bouncedRecipients",
                        "bounceType",
                        "emailAddress",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_no_json_is_too_much_for_a_provider(payload: Any) -> None:
    for read in (read_ses, read_postmark):
        try:
            assert read(json.dumps(payload).encode())
        except Malformed:
            continue
