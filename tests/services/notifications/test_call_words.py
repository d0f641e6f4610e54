"""A call says for each kind of occasion and ask what is to be done, and has one button where somebody answers."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.messages import Ask, CallContent, Contact
from clarion.services.notifications.domain.asking import asked, button, deadlines, how, too_late
from clarion.services.notifications.domain.call import salutation
from clarion.services.notifications.domain.messages import Addressed
from clarion.services.notifications.domain.room import cost, isolated, listed_within, shortened
from tests.services.notifications.conftest import CONTENT
from tests.services.notifications.kinds_of_mail import KINDS, MANAGER, read, renderer
from tests.services.notifications.test_rendering import MAYOR
from tests.services.notifications.words import texts

ASKING = [
    name
    for name in KINDS
    if name.startswith(("call", "moved", "reinstated", "thirty", "hostile")) and KINDS[name]().asks
]
PLAIN_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffd"), min_size=1, max_size=400)


def call(kind: str = "hearing", **changes: object) -> CallContent:
    decider = None if kind == "hearing" else changes.pop("decider", "Department of Sample Recycling")
    return CallContent.model_validate({**CONTENT, "kind": kind, "decider": decider, **changes})


def asks(*kinds: str) -> list[Ask]:
    return [Ask(kind=kind, bill="SB 79") for kind in kinds]


def steps(content: CallContent, *kinds: str, reply_to: Contact | None = MANAGER) -> str:
    return " ".join(how(content, asks(*kinds), reply_to, []))


@pytest.mark.parametrize("name", ASKING)
def test_every_call_says_what_then_when_then_why_then_how_then_what_if_late(name: str) -> None:
    plain, _ = texts(read(KINDS[name]().write(renderer())))
    heads = ["WHAT WE ASK", "BY WHEN", "WHY YOU", "HOW", "IF IT IS TOO LATE"]
    places = [plain.index(f"\n{head}\n") for head in heads]
    assert places == sorted(places)
    if "WHAT CHANGED" in plain:
        assert plain.index("WHAT CHANGED") < places[0]


@pytest.mark.parametrize("name", KINDS)
def test_no_mail_fetches_anything_or_has_more_than_one_button(name: str) -> None:
    _, html = texts(read(KINDS[name]().write(renderer())))
    assert not re.search(r"<(img|link|script|iframe|video|form|input|object)|url\(|@import|@font-face|src=", html)
    assert len(re.findall(r'<a class="go"', html)) <= 1
    assert set(re.findall(r'href="(\w+):', html)) <= {"https", "mailto"}


@pytest.mark.parametrize("name", KINDS)
def test_only_mail_of_a_list_says_so_and_how_to_leave_it(name: str) -> None:
    kind = KINDS[name]()
    mail = read(kind.write(renderer()))
    named = {header for header in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post") if mail[header]}
    if kind.subscription is None:
        assert named == set()
    else:
        # RFC 2919, 2: a label and the domain of whoever runs the list, in angle brackets, at most 255 characters.
        assert re.fullmatch(r"<[a-z0-9-]+(\.[a-z0-9-]+)+>", mail["List-Id"])
        assert re.fullmatch(r"<https://[^<>]+>", mail["List-Unsubscribe"])
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("name", KINDS)
def test_every_mail_ends_with_the_postal_address_and_the_filings(name: str) -> None:
    plain, _ = texts(read(KINDS[name]().write(renderer())))
    foot = plain.rpartition("----")[2]
    assert "1 Main Street\nAlder, CA 90000" in foot
    assert "(Government Code 84222.5): https://league.example/filings" in foot


@pytest.mark.parametrize(
    ("kind", "said", "late"),
    [
        ("hearing", "send it to the committee (Senate Housing)", "or testify at the hearing"),
        ("floor-vote", "send it to your member", "call your member's office: that counts until the vote"),
        ("governor", "send it to the Governor", "call the office of the Governor: that counts until the decision"),
        ("comment-period", "send it to the Department of Sample Recycling", "Ask Rae Pym how your city can still"),
        ("programme", "send it to North Bay Division", "Ask Rae Pym how your city can still"),
        ("threat", "send it to the Legislature", "call your member's office"),
        ("something-new", "send it to Somebody", "Ask Rae Pym"),
    ],
)
def test_a_letter_goes_to_whoever_decides_and_after_that_something_else_helps(kind: str, said: str, late: str) -> None:
    deciders = {"governor": "Governor", "threat": "Legislature", "programme": "North Bay Division"}
    decider = deciders.get(kind, "Somebody" if kind == "something-new" else "Department of Sample Recycling")
    content = call(kind, decider=decider)
    assert said in steps(content, "letter")
    assert late in too_late(content, asks("letter"), MANAGER)


def test_who_is_asked_to_phone_reads_whom_to_call_what_to_say_and_until_when_it_counts() -> None:
    content = call("floor-vote", letters_open=False)
    assert asked(content, asks("phone"), 9_000) == ["Call your member's office about SB 79: vote no on SB 79"]
    assert "Call your member's office. Say who you are, which city you speak for, and what we ask" in steps(
        content, "phone"
    )
    assert "A call counts until the vote." in too_late(content, asks("phone"), MANAGER)
    assert asked(call("governor", decider="Governor"), asks("phone"), 9_000)[0].startswith("Call the office of the Gov")


def test_a_comment_letter_goes_to_the_agency_by_its_own_deadline() -> None:
    content = call("comment-period", committee="Department of Sample Recycling", when="Monday", letters_due="Friday")
    said = [(item.label, item.text) for item in deadlines(content, asks("comment-letter"))]
    assert said[:3] == [
        ("Comment letter", "Friday"),
        ("Open until", "Monday"),
        ("Agency", "Department of Sample Recycling"),
    ]
    once = deadlines(content.model_copy(update={"letters_due": "Monday"}), asks("comment-letter"))
    assert [item.label for item in once][:2] == ["Open until", "Agency"]


def test_who_volunteers_reads_whom_to_tell() -> None:
    content = call("volunteer", decider="Board")
    assert "Tell Rae Pym that you would like to" in steps(content, "volunteer")
    assert too_late(content, asks("volunteer"), MANAGER) == "Ask Rae Pym whether there is still a place."


@pytest.mark.parametrize(
    ("kinds", "label", "promise"),
    [
        (("letter",), "I will write the letter", "I will write a letter on SB 79."),
        (("comment-letter",), "I will comment", "I will write a comment letter on SB 79."),
        (("phone",), "I will call", "I will call about SB 79."),
        (("volunteer",), "I volunteer", "I volunteer for SB 79."),
        (("testimony",), "I will testify", "I will testify on SB 79."),
        (
            ("letter", "testimony"),
            "Say what you will do",
            "I will write a letter on SB 79.\r\nI will testify on SB 79.",
        ),
    ],
)
def test_the_button_answers_the_manager_with_what_one_will_do(kinds: tuple[str, ...], label: str, promise: str) -> None:
    found = button(asks(*kinds), MANAGER, "Letter on SB 79: Senate Housing")
    assert found is not None
    fields = parse_qs(urlsplit(found.url).query)
    assert found.label == label
    assert promise in fields["body"][0]
    assert fields["subject"] == ["Re: Letter on SB 79: Senate Housing"]


@pytest.mark.parametrize(
    "reply_to",
    [None, Contact(name="Rae"), Contact(name="Rae", address="nobody"), Contact(name="R", address="a@b\r\nBcc: x@y")],
)
def test_where_nobody_can_be_written_to_there_is_no_button(reply_to: Contact | None) -> None:
    assert button(asks("letter"), reply_to, "Letter") is None
    assert "write as follows" not in steps(call(), "letter", "testimony", "volunteer", reply_to=reply_to)


@pytest.mark.parametrize("address", ["rae@x.example", '"rae, b?&"@x.example', "a&b=d#e%f/g?h@x.example", "josé@x.org"])
@given(subject=ANY, bill=ANY.filter(str.strip))
def test_whatever_stands_in_it_the_answers_link_goes_to_one_address_and_is_short(
    address: str, subject: str, bill: str
) -> None:
    found = button([Ask(kind="letter", bill=bill)], Contact(name="Rae", address=address), subject)
    assert found is not None
    assert PLAIN_URI.fullmatch(found.url)
    assert len(found.url) < 2_000
    to, _, fields = found.url.removeprefix("mailto:").partition("?")
    assert unquote(to) == address
    assert "," not in to
    assert set(parse_qs(fields, strict_parsing=True)) == {"subject", "body"}
    assert "\ufffd" not in unquote(fields)


def test_a_name_from_right_to_left_stands_by_itself_and_none_turns_what_follows() -> None:
    to = Addressed("a@x.example", (MAYOR._replace(name="עדה לוי", roles=()), MAYOR._replace(name="\u202eBo\u2066")))
    assert salutation(to) == "\u2068עדה לוי\u2069 and Mayor Bo"
    assert isolated("Zoë  O'Hara\n") == "Zoë O'Hara"


@given(text=ANY, most=st.integers(20, 400))
def test_a_shortened_text_begins_as_it_was_and_takes_no_more_than_it_may(text: str, most: int) -> None:
    found = shortened(text, most)
    assert found == text or (cost(found) <= most and text.startswith(found[:-1]) and found.endswith("…"))


@given(names=st.lists(ANY, min_size=1, max_size=60), most=st.integers(120, 900))
def test_names_that_do_not_fit_are_counted(names: list[str], most: int) -> None:
    found = listed_within(names, most)
    counted = re.search(r" and (\d+) more$", found)
    assert counted is None or int(counted[1]) < len(names)
    assert cost(found) <= most + 100
