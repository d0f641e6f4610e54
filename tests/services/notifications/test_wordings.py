"""A wording is refused unless it is known to be harmless, and makes the same mail as HTML and as text."""

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

import nh3
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from clarion.services.notifications.domain.telling import FRESH
from clarion.services.notifications.rendering.bodies import CONTENTS, body_of
from clarion.services.notifications.rendering.mail import ROOMS
from clarion.services.notifications.rendering.mime import one_line
from clarion.services.notifications.rendering.showing import content_of_batch
from clarion.services.notifications.wordings.faults import Faulty, Unusable
from clarion.services.notifications.wordings.limits import Allowance
from clarion.services.notifications.wordings.operations import start
from clarion.services.notifications.wordings.samples import HOSTILE, samples
from clarion.services.notifications.wordings.vocabulary import VOCABULARY, Many, Place, Shape, Thing
from clarion.services.notifications.wordings.wording import Compiled, Draft, examine
from clarion.services.notifications.wordings.written import ATTRIBUTES, TAGS

TEMPLATES = list(VOCABULARY)
NEEDED = (
    "{% for line in asked %}{{ line }}{% endfor %}{% for one in deadlines %}{{ one.text }}{% endfor %}"
    "\n\n\n{{ why }}\n\n"
)


def faults(body: str, *, template: str = "call", subject: str = "{{ subject }}", needed: str = NEEDED) -> list[str]:
    return [str(fault) for fault in examine(Draft(template, subject, needed + body))]


def context(template: str, sample: str = "sample") -> dict[str, Any]:
    """What a wording of the template is given for a sample."""
    batch = samples(template)[sample]
    body = body_of(content_of_batch(batch, 0), batch.recipients[0].asks, FRESH, ROOMS[0])
    return {**body.context, "subject": body.subject}


def written(body: str, given: Mapping[str, Any] | None = None, **limits: Any) -> tuple[str, str]:
    """HTML and text of a body for a call."""
    made = Compiled(Draft("call", "{{ subject }}", body)).write(
        {**context("call"), **(given or {})}, Allowance(**limits)
    )
    return made.html, made.text


class Seen(HTMLParser):
    """What a reader of the HTML sees, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.links, self.tags = "", list[str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        if tag in {"p", "li", "div", "h1", "h2", "h3", "br"}:
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_an_unknown_placeholder_is_refused_with_its_line_and_the_known_ones() -> None:
    said = [str(fault) for fault in examine(Draft("notice", "{{ subject }}", "{{ notice.url }}\n\n{{ frist_name }}"))]
    known = "notice.button, notice.paragraphs, notice.subject, notice.url, subject"
    assert said[0] == f'unknown placeholder {{{{ frist_name }}}} in "notice", line 3; known: {known}'


def test_an_unknown_part_of_a_known_thing_is_refused_with_the_parts_that_there_are() -> None:
    (said,) = faults("{% for bill in bills %}{{ bill.tile }}{% endfor %}")
    assert "{{ bill.tile }}" in said
    assert "known: bill.ask, bill.author, bill.bill" in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% for n in range(1000000000) %}x{% endfor %}", "range()"),
        ("{{ 'x' * 100000000 }}", "arithmetic"),
        ("{{ 10 ** 10 ** 10 }}", "arithmetic"),
        ("{{ subject ~ subject }}", "concat"),
        ("{{ subject | center(100000000) }}", "|center"),
        ("{{ subject | indent(100000000) }}", "|indent"),
        ("{{ subject | format(1) }}", "|format"),
        ("{{ subject | replace('', subject) }}", "|replace"),
        ("{{ subject | wordwrap(1) }}", "|wordwrap"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "a macro"),
        ("{% set x = subject %}", "set"),
        ("{% set x %}{{ subject }}{% endset %}", "set"),
        ("{% for x in asked recursive %}{{ loop(asked) }}{% endfor %}", "without more"),
        ("{% for x in asked if x %}{% endfor %}", "without more"),
        ("{% for x in [1, 2] %}{% endfor %}", "a list of one's own"),
        ("{% include 'mail.html.j2' %}", "another template"),
        ("{% extends 'mail.html.j2' %}", "another template"),
        ("{% import 'own.html.j2' as own %}", "another template"),
        ("{% filter upper %}x{% endfilter %}", "a filter around"),
        ("{{ call.__class__ }}", "unknown placeholder"),
        ("{{ call.model_dump }}", "unknown placeholder"),
        ("{{ subject.format }}", "unknown placeholder"),
        ("{{ call['__class__'] }}", "a place in a list"),
        ("{{ asked[0] }}", "a place in a list"),
        ("{{ self }}", "unknown placeholder"),
        ("{{ cycler }}", "unknown placeholder"),
        ("{{ _paper }}", "unknown placeholder"),
        ("{{ asked }}", "is a list"),
        ("{{ call }}", "has parts"),
        ("{{ call.letters_open }}", "yes or no"),
        ("{{ asked is iterable }}", "is iterable"),
        ("{% for x in subject %}{% endfor %}", "no list"),
        ("{% if true %}{{ why }}{% endif %}", "outside of conditions"),
        ("{% autoescape false %}{% endautoescape %}", "cannot be used"),
        ("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}", "nested too deep"),
        ("{% for", "unexpected"),
        ("a\x00b", "no mail can hold"),
        ("vZq0qZv", "our own use"),
        ("x" * 30_000, "at most 20,000"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_refused(source: str, said: str) -> None:
    assert any(said in fault for fault in faults(source)), faults(source)


def test_loops_stand_in_loops_only_so_deep() -> None:
    deep = "{% for a in asked %}" * 4 + "{% endfor %}" * 4
    assert any("at most 3 deep" in fault for fault in faults(deep))


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_every_mail_needs_is_demanded(template: str) -> None:
    said = faults("Nothing.", template=template, needed="")
    assert len(said) == 1
    assert "has to stand" in said[0]


def test_the_subject_of_mails_that_say_very_different_things_says_which() -> None:
    said = [str(fault) for fault in examine(Draft("registration", "Your webinar", start("registration").body))]
    assert said == ['{{ subject }} has to stand in "registration", subject']


def parts(shape: Shape) -> Mapping[str, Shape]:
    return shape.parts if isinstance(shape, Thing) else {}


def held(value: Any, shape: Shape) -> bool:
    """Whether a value has the shape that the vocabulary says, as far down as there is something."""
    match shape:
        case _ if value is None:
            return True
        case Many(of):
            return not isinstance(value, str) and all(held(one, of) for one in value)
        case Thing():
            return all(held(getattr(value, name), part) for name, part in shape.parts.items())
        case _:
            return isinstance(value, str | int)


@pytest.mark.parametrize("template", TEMPLATES)
def test_all_that_may_be_named_is_there(template: str) -> None:
    for sample in samples(template):
        given = context(template, sample)
        for name, shape in VOCABULARY[template].parts.items():
            assert isinstance(shape, Place) or held(given[name], shape), name


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_one_may_begin_with_is_a_wording_and_its_content_one_that_can_be_asked_for(template: str) -> None:
    assert examine(start(template)) == []
    for batch in samples(template).values():
        CONTENTS[template].model_validate(batch.content)


def test_a_mail_is_stopped_while_it_becomes_too_long() -> None:
    with pytest.raises(Unusable, match="more than 300 characters"):
        written(NEEDED + "{% for bill in bills %}{{ bill.why }}{% endfor %}" * 20, characters=300)


def test_loops_are_stopped_also_where_they_print_nothing() -> None:
    nothing = "{% for a in asked %}{% for b in asked %}{% for c in asked %}{% endfor %}{% endfor %}{% endfor %}"
    with pytest.raises(Unusable, match="more than 1,000 turns"):
        written(NEEDED + nothing, {"asked": ["x"] * 100}, steps=1_000)


def test_what_takes_too_long_is_stopped() -> None:
    ticks = iter(range(100_000))
    with pytest.raises(Unusable, match="longer than 50 seconds"):
        written(start("call").body, seconds=50, monotonic=lambda: next(ticks))


def test_a_value_that_is_not_there_prints_nothing() -> None:
    html, text = written(NEEDED + "[{{ call.where | upper }}{{ call.where }}]", {"call": WITHOUT_PLACE})
    assert "[]" in text
    assert "none" not in (html + text).casefold()


WITHOUT_PLACE = context("call", "next to nothing")["call"]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("sample", ["sample", "next to nothing", "markup in every text"])
def test_html_and_text_say_the_same(template: str, sample: str) -> None:
    made = Compiled(start(template)).write(context(template, sample))
    seen = Seen(made.html.replace("\x00", " "))
    told = words(re.sub(r"^\d+\. ", "", made.text.replace("\x00", " "), flags=re.MULTILINE))
    shown = words(seen.text)
    linked = {word for link in seen.links for word in words(link)}
    assert [word for word in told if word not in linked] == [word for word in shown if word not in linked]


anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
MARKUP = ("**x**", "# x", "- x", "1. x", "> x", "```\nx\n```", "[x](https://x.example)", "<b>x</b>", "&lt;", "    x")
MARKS = (
    "vZq0qZv",
    "vZq999qZv",
    "{{ call }}",
    "{% for a in b %}",
    "x\n\n# y\n\n- z",
    "\\",
    "`",
    "---",
    "![x](y)",
    "_x_",
)
markup = st.sampled_from([HOSTILE, *MARKUP, *MARKS])
SOURCE = (
    NEEDED + "# {{ subject }}\n\n**{{ contact }}** _{{ person }}_ {{ too_late }}\n\n- {{ call.where }}\n\n"
    "> {{ call.when }}\n\n```\n{{ call.letters_due }}\n```\n\n[{{ call.division }}]({{ notice_link }})\n"
)


@settings(max_examples=200, deadline=None)
@given(anything | markup, anything | markup)
@example(HOSTILE, "javascript:alert(1)")
@example('"onmouseover="x', 'https://x.example/"><script>')
def test_texts_of_people_are_never_markup(value: str, link: str) -> None:
    assume(one_line(value))
    call = context("call")["call"].model_copy(update=dict.fromkeys(("where", "when", "letters_due", "division"), value))
    plain = dict.fromkeys(("subject", "contact", "person", "too_late"), "PLAIN")
    shaped = {"call": call.model_copy(update=dict.fromkeys(("where", "when", "letters_due", "division"), "PLAIN"))}
    html, text = written(SOURCE, {**dict.fromkeys(plain, value), "call": call, "notice_link": link})
    usual, _ = written(SOURCE, {**plain, **shaped, "notice_link": "https://x.example"})
    structure = [tag for tag in Seen(html).tags if tag != "br"]
    expected = [tag for tag in Seen(usual).tags if tag != "br"]
    linkless = [tag for tag in expected if tag != "a"]
    assert structure in (expected, linkless)
    assert all(one.startswith(("https://", "http://", "mailto:")) for one in Seen(html).links)
    assert value in text.replace("\n  ", "\n")
    for line in filter(None, re.split(r"[\r\n]+", value)):
        assert line.replace("\r", "\n") in unescape(html)


@settings(max_examples=150, deadline=None)
@given(st.lists(markup | anything.map(lambda text: "".join(one for one in text if one.isprintable())), max_size=8))
def test_whatever_staff_write_is_refused_or_is_a_mail_of_known_tags(pieces: list[str]) -> None:
    body = NEEDED + "\n\n".join(pieces)
    try:
        made = Compiled(Draft("call", "{{ subject }}", body))
        worded = made.write(context("call"))
    except (Faulty, Unusable):
        return
    assert set(Seen(worded.html).tags) <= TAGS
    again = nh3.clean(worded.html.replace("\x00", ""), tags=TAGS, attributes=ATTRIBUTES, link_rel=None)
    assert Seen(again).tags == Seen(worded.html).tags


def test_a_link_of_their_own_leads_to_the_web_or_to_a_mail_and_nowhere_else() -> None:
    html, _ = written(NEEDED + "[a](javascript:alert(1)) [b](//x.example) [c](https://x.example) <img src=x> ![d](e)")
    assert Seen(html).links == ["https://x.example"]
    assert "img" not in Seen(html).tags


def test_a_part_of_a_link_cannot_change_the_rest_of_it() -> None:
    html, _ = written(NEEDED + "[a](https://x.example/?q={{ contact }})", {"contact": "1&b=2#c/../d"})
    assert Seen(html).links == ["https://x.example/?q=1%26b%3D2%23c%2F..%2Fd"]


def test_a_link_alone_is_a_button_and_as_text_its_address_stands_beside_it() -> None:
    html, text = written(NEEDED + "[Sign here](https://x.example/sign)\n")
    assert '<a class="go" href="https://x.example/sign"' in html
    assert "Sign here: https://x.example/sign\n" in text


def test_why_the_reader_is_asked_stands_there_once_between_the_paragraphs() -> None:
    html, text = written(NEEDED.replace("{{ why }}", "Here: {{ why }} it was."))
    assert "<p>Here:</p>\n\x00why\x00\n<p>it was.</p>" in html
    assert "Here:\n\n\x00why\x00\nit was.\n" in text
    with pytest.raises(Unusable, match="cannot stand in a list"):
        written(NEEDED.replace("{{ why }}", "```\n{{ why }}\n```"))
    with pytest.raises(Unusable, match="once"):
        written(NEEDED + "{{ why }}\n")
