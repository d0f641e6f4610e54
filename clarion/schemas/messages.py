"""What a service asks notifications to tell people: one batch of recipients of one revision of one matter."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from clarion.schemas.legislation import Start
from clarion.schemas.text import Contract, Identifier, Instant, Line, Mailbox, Text, storable

Lane = Literal["sign-in", "registration", "call", "bulk"]
Wave = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(storable)]
"""A part of a matter that can be paused by itself, such as a campaign's division; '' is the part without a name."""


class Contact(Contract):
    """A person to ask, to whom answers go."""

    name: Line
    address: Line | None = None
    phone: Line | None = None


class Fact(Contract):
    """One thing that the message states. A change of a `material` one is told again."""

    key: Identifier
    label: Text
    text: Text
    material: bool = True


class Reason(Contract):
    """Why this recipient is asked: `kind` is committee, author, statewide or a later one; `text` a sentence."""

    kind: Identifier
    text: Text


class Ask(Contract):
    """What is asked: `kind` is letter, comment-letter, phone, volunteer or testimony (others later), about one bill."""

    kind: Identifier
    bill: Line


class InCommon(Contract):
    """What several recipients of a batch are told and asked alike, such as those of one city."""

    reasons: list[Reason] = Field(default_factory=list)
    asks: list[Ask] = Field(default_factory=list)


class Recipient(Contract):
    """One mailbox and the officials who read it; or, for people who are no officials, an address.

    `told_elsewhere` are keys of facts whose change another matter tells this mailbox: no difference for it. `in_common`
    is which of the batch's `in_common` is theirs too, after their own; once a batch was read it stands with their own.
    """

    mailbox: Mailbox
    officials: list[Identifier] = Field(default_factory=list)
    address: Line | None = None
    name: Line | None = None
    reasons: list[Reason] = Field(default_factory=list)
    asks: list[Ask] = Field(default_factory=list)
    told_elsewhere: list[Identifier] = Field(default_factory=list)
    in_common: Annotated[int, Field(ge=0)] | None = None


class CalendarEntry(Contract):
    """The entry that goes with a message (RFC 5545, RFC 5546): the same `uid` for the matter's life.

    The sender keeps the SEQUENCE per thread. A date alone is an all-day entry; `method` CANCEL takes it back.
    """

    uid: Identifier
    method: Literal["REQUEST", "CANCEL"] = "REQUEST"
    summary: Line
    starts_at: Start
    ends_at: Start | None = None
    zone: Identifier
    location: Text | None = None
    description: Text | None = None
    url: Text | None = None


class MessageBatch(Contract):
    """`messages.requested`: the state of a matter at a revision, and who is to know it.

    `matter` names a thing with one thread per mailbox, such as "campaign:<id>"; `revision` is its own counter.
    `content` is what `template` needs besides the facts. No mail starts after `not_after`. Within a revision a mailbox
    gets one mail: whoever joins it once that has begun is asked for at a later one.
    """

    matter: Identifier
    revision: Annotated[int, Field(ge=1)]
    template: Identifier
    subscription: Identifier | None = None
    lane: Lane
    reply_to: Contact | None = None
    not_after: Instant | None = None
    facts: list[Fact]
    content: dict[str, JsonValue] = Field(default_factory=dict)
    calendar: CalendarEntry | None = None
    wave: Wave = ""
    in_common: list[InCommon] = Field(default_factory=list)
    recipients: Annotated[list[Recipient], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _each_with_what_it_shares(self) -> Self:
        """Nobody has seen these recipients yet, so each takes in what it shares where it stands."""
        for each in self.recipients:
            if each.in_common is not None:
                _take_in(each.__dict__, self.in_common)
        self.__dict__["in_common"] = []
        return self


def _take_in(recipient: dict[str, Any], in_common: Sequence[InCommon]) -> None:
    place, recipient["in_common"] = recipient["in_common"], None
    if place >= len(in_common):
        raise ValueError(f"in_common {place} is not there: the batch has {len(in_common)}")
    common = in_common[place]
    recipient["reasons"] = [*recipient["reasons"], *common.reasons]
    recipient["asks"] = [*recipient["asks"], *common.asks]


class Withdrawal(Contract):
    """`messages.withdrawn`: these mailboxes need not be told; who was told already is told that it ended.

    `told_elsewhere`: another matter tells them, so only what is unsent ends.
    """

    matter: Identifier
    revision: Annotated[int, Field(ge=1)]
    mailboxes: list[Mailbox]
    reason: Text | None = None
    calendar: CalendarEntry | None = None
    told_elsewhere: bool = False


class Pause(Contract):
    """`messages.paused` and `messages.resumed`: whether a wave of a matter is paused; without a wave, the whole matter.

    The newest `revision` of each wave holds, and of the whole: a message goes out while neither is paused.
    """

    matter: Identifier
    wave: Wave | None = None
    revision: Annotated[int, Field(ge=1)]
    paused: bool


class CallBill(Contract):
    """A bill of a call, with our position on it; the stance `request` asks for something on which none was taken.

    `version` says what is new about it to who was asked about it before.
    """

    bill: Line
    title: Text | None = None
    author: Text | None = None
    stance: Identifier
    ask: Text
    why: Text
    points: Text | None = None
    letter: Text | None = None
    version: Text | None = None


class CallContent(Contract):
    """The content of the template `call`: times are ready to be read, in the jurisdiction's zone.

    `kind` is hearing, floor-vote, governor, comment-period, programme, volunteer or threat; `decider` whoever decides,
    where that is no committee. `paragraph` is the division's own, `urgent_note` a sentence on why there is little time.
    """

    kind: Identifier = "hearing"
    decider: Line | None = None
    paragraph: Text | None = None
    urgent_note: Text | None = None
    division: Line | None = None
    committee: Line
    when: Line
    where: Text | None = None
    letters_due: Text
    letters_open: bool = True
    notice_url: Text | None = None
    bills: list[CallBill]


class Presenter(Contract):
    """Someone who speaks at an event: `role` is moderator, presenter or a later one."""

    name: Line
    title: Line | None = None
    role: Identifier = "presenter"


class RegistrationContent(Contract):
    """The content of the template `registration`: one person's registration for one event, ready to be read.

    `place` counts the waiting list from 1 and stands there while `status` is waitlisted; `reason` says why it was
    declined or cancelled. `join_url` is there once confirmed, `cancel_url` while there is something to cancel;
    `register_url` is the event's page, where one may register (again).
    """

    title: Line
    status: Literal["confirmed", "waitlisted", "declined", "cancelled"]
    place: Annotated[int, Field(ge=1)] | None = None
    reason: Text | None = None
    when: Line
    where: Text | None = None
    join_url: Text | None = None
    cancel_url: Text | None = None
    status_url: Text
    register_url: Text | None = None
    host: Line | None = None
    contact: Contact | None = None
    enquiries: Contact | None = None
    policy_url: Text | None = None
    presenters: list[Presenter] = Field(default_factory=list)
    partners: list[Line] = Field(default_factory=list)


class SignInContent(Contract):
    """The content of the template `sign-in`: a link by which one person signs in once, ready to be read.

    `site` is where it leads, `good_for` how long it can be used, `asked_from` the browser that asked for it, and where.
    """

    url: Text
    site: Line
    good_for: Line
    asked_from: Line


class NoticeContent(Contract):
    """The content of the template `notice`: a few words and one link, about something that a person has to look at."""

    subject: Line
    paragraphs: list[Text]
    url: Text
    button: Line
