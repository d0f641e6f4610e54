"""The words of each kind of occasion: what its moment is called, who decides, and what still helps when it is late."""

from collections.abc import Mapping
from dataclasses import dataclass

from clarion.schemas.messages import CallContent

NOT_HELD = "It does not take place as announced, so there is nothing more to do."


@dataclass(frozen=True, slots=True)
class Occasion:
    """`moment` stands before who decides and when; `office` is whom to call, and counts `until` then.

    `late` is what becomes of a letter that comes late; `callable` says whether a call helps in its place.
    """

    moment: str
    office: str
    until: str
    late: str = "a letter may stay unread"
    callable: bool = True
    not_held: str = NOT_HELD


MEMBER = "your member's office"
OCCASIONS: Mapping[str, Occasion] = {
    "hearing": Occasion(
        "Hearing",
        MEMBER,
        "until the hearing begins",
        "a letter no longer reaches the committee's analysis",
        not_held="The hearing is not held as announced, so there is nothing to write and nowhere to go.",
    ),
    "floor-vote": Occasion("Floor vote", MEMBER, "until the vote"),
    "governor": Occasion("Decision", "the office of {decider}", "until the decision"),
    "comment-period": Occasion(
        "Comments close", "{decider}", "until comments close", "a comment need not be considered", callable=False
    ),
    "programme": Occasion("Ends", "{decider}", "until it ends", callable=False),
    "volunteer": Occasion("Answer by", "{decider}", "until then", callable=False),
    "threat": Occasion("Last moment", MEMBER, "until then"),
}
OTHER = Occasion("When", "{decider}", "until then", callable=False)


def occasion_of(content: CallContent) -> Occasion:
    """The words for the occasion of a call."""
    return OCCASIONS.get(content.kind, OTHER)


def decider(content: CallContent) -> str:
    """Whoever decides: to whom a letter goes."""
    if content.kind == "hearing":
        return f"the committee ({content.committee})"
    return content.decider or content.committee


def office(content: CallContent) -> str:
    """Whom a phone call goes to."""
    return occasion_of(content).office.replace("{decider}", decider(content))
