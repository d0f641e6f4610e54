"""The words of each kind of occasion: what its moment is called, who decides, and what still helps when it is late."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clarion.schemas.messages import CallContent

NOT_HELD = "It does not take place as announced, so there is nothing more to do."
MEMBER = "your member's office"
BODIES = re.compile(
    r"(Governor|Legislature|Senate|Assembly)$|(Department|Board|Office|Commission|Committee|Secretary) of\b"
)
"""Names of deciders that a sentence gives an article."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """`when` and `who` stand before its time and before who decides.

    A letter goes `to`, a call to the `office`, which counts `until` then if it is `callable`; `late` is what becomes of
    a letter that comes late. `{decider}` stands for who decides.
    """

    when: str
    who: str
    until: str
    to: str = "{decider}"
    office: str = "{decider}"
    late: str = "a letter may stay unread"
    callable: bool = False
    not_held: str = NOT_HELD


OCCASIONS: Mapping[str, Occasion] = {
    "hearing": Occasion(
        "Hearing",
        "Committee",
        "until the hearing begins",
        to="the committee ({committee})",
        office=MEMBER,
        late="a letter no longer reaches the committee's analysis",
        callable=True,
        not_held="The hearing is not held as announced, so there is nothing to write and nowhere to go.",
    ),
    "floor-vote": Occasion("Vote", "Who votes", "until the vote", to="your member", office=MEMBER, callable=True),
    "governor": Occasion(
        "Decision by", "Who decides", "until the decision", office="the office of {decider}", callable=True
    ),
    "comment-period": Occasion(
        "Open until", "Agency", "until then", late="the agency need not consider a comment letter"
    ),
    "programme": Occasion("Open until", "Who runs it", "until then"),
    "volunteer": Occasion("Open until", "Who chooses", "until then"),
    "threat": Occasion("Decided", "Who decides", "until then", office=MEMBER, callable=True),
}
OTHER = Occasion("When", "Who decides", "until then")


def occasion_of(content: CallContent) -> Occasion:
    """The words for the occasion of a call."""
    return OCCASIONS.get(content.kind, OTHER)


def decider(content: CallContent) -> str:
    """Whoever decides, within a sentence: "the Governor"."""
    name = content.decider or content.committee
    return f"the {name}" if BODIES.match(name) else name


def addressee(content: CallContent) -> str:
    """To whom a letter goes."""
    return _named(occasion_of(content).to, content)


def office(content: CallContent) -> str:
    """Whom a phone call goes to."""
    return _named(occasion_of(content).office, content)


def _named(text: str, content: CallContent) -> str:
    return text.replace("{committee}", content.committee).replace("{decider}", decider(content))
