"""What operators' commands print with `--json`, for the programs that read it; additive only, like events."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from clarion.schemas.deadlines import (
    DeadlineSet,
    HolidayChanged,
    HolidayLine,
    HolidayYearSet,
    RuleChanged,
    RuleConcern,
    RuleLine,
)
from clarion.schemas.outcomes import CampaignOutcome
from clarion.schemas.people import PersonKept
from clarion.schemas.positions import (
    PositionChanged,
    PositionLine,
    PositionStory,
    PriorityListed,
    PrioritySet,
    PriorityShown,
)

LetterState = Literal["open", "retried", "discarded"]


class Printed(BaseModel):
    """Something printed; nothing more than is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LetterLine(Printed):
    """One dead letter in `clarion dead-letters list`."""

    id: str = Field(description="service and number, such as legislation-12")
    service: str
    topic: str
    type: str | None
    reason: str
    event_id: str | None
    source: str | None
    partition: int
    offset: int
    seen: int = Field(description="how often the same record came")
    first_seen_at: datetime
    last_seen_at: datetime
    state: LetterState
    resolved_at: datetime | None = Field(description="when it was retried or discarded")


class LetterNote(Printed):
    """One entry of a letter's history."""

    at: datetime
    what: Literal["failed", "failed again", "retried", "discarded", "taken back"]
    who: str | None
    why: str | None


class LetterShown(LetterLine):
    """`clarion dead-letters show`: everything about one letter; content that is no text has backslash escapes."""

    received_at: datetime
    key: str | None
    headers: list[tuple[str, str | None]]
    body: str | None
    detail: str | None = Field(description="where in the code it failed")
    claimed: bool = Field(description="whether its event counts as seen, so that a redelivery does nothing")
    history: list[LetterNote]


class LetterOutcome(Printed):
    """What became of one letter in `clarion dead-letters retry` or `discard`."""

    id: str
    state: LetterState
    reason: str | None = Field(description="why it is still open, or as it was")


class ReplayedTopic(Printed):
    """What one service's log has of one topic."""

    service: str
    topic: str
    messages: int
    first_at: datetime
    last_at: datetime


class ReplayPrinted(Printed):
    """`clarion replay`: what was published again, or with `--dry-run` would be."""

    dry_run: bool
    resumed: bool = Field(description="whether an earlier replay, which was killed, was gone on with")
    topics: list[ReplayedTopic] = Field(description="what the logs have of what is asked")
    whole: list[str] = Field(description="compacted topics, published whole from the tables by the relays")
    messages: int = Field(description="messages of the logs, those sent before a kill included")
    entities: int | None = Field(description="what was enqueued for compacted topics; nobody knows in a dry run")


class RestoredPrinted(Printed):
    """`clarion restored`: what became of the mail that the dump took for unsent."""

    sent: int = Field(description="messages that a relay's log names")
    unknown: dict[str, int] = Field(description="by matter, messages of which nobody knows whether they were sent")
    waiting: dict[str, int] = Field(description="by matter, messages that will be sent")


class Finding(Printed):
    """One thing that `clarion doctor` looked at. A problem makes its exit code 1."""

    area: Literal["settings", "machine", "database", "broker", "mail", "dns", "work"]
    level: Literal["ok", "warning", "problem"]
    what: str
    todo: str | None = Field(description="what to do about it; nothing where all is well")


class KeyMade(Printed):
    """`clarion keys create`: the key, this once."""

    id: str
    key: str = Field(description="sent as `Authorization: Bearer ...`; it is kept nowhere")
    name: str
    scopes: list[str]
    source: str = Field(description="of all events posted with it")
    expires_at: datetime | None


class KeyLine(Printed):
    """One key in `clarion keys list`, without what would let one use it."""

    id: str
    name: str
    scopes: list[str]
    source: str
    state: Literal["good", "revoked", "expired"]
    created_at: datetime
    last_used_at: datetime | None = Field(description="to the minute")
    expires_at: datetime | None
    revoked_at: datetime | None
    refused_count: int = Field(description="how often somebody used it in vain")
    refused_at: datetime | None
    refused_why: str | None = Field(description="revoked, expired, or the scope that it lacks")
    other_source_count: int = Field(description="events that named another source, taken for the key's")
    other_source_at: datetime | None


class KeyRevoked(Printed):
    """`clarion keys revoke`."""

    id: str
    revoked: Literal[True]
    revoked_at: datetime = Field(description="earlier than now if it had been revoked before")


class AuditEntry(Printed):
    """One act in `clarion audit list`."""

    id: int
    at: datetime
    actor_kind: Literal["staff", "key", "command", "person", "system"]
    actor_id: str
    actor_name: str
    place: str = Field(description="a client's address, or the host of a terminal")
    act: str = Field(description="what was done, such as wave.approved")
    subject: str = Field(description="to what, such as campaign:<id>")
    details: dict[str, JsonValue]
    divisions: list[str] = Field(description="the divisions that it concerns")


class StaffLine(Printed):
    """One account, in `clarion staff list` and as `add`, `change`, `remove` and `restore` leave it."""

    id: str
    email: str
    name: str
    role: Literal["admin", "state", "manager", "viewer"]
    divisions: list[str] = Field(description="those that a manager manages")
    deputy_in: list[str] = Field(description="those in which a manager stands in")
    added_at: datetime
    removed_at: datetime | None


class RejectedLine(Printed):
    """A line of a file that could not be taken."""

    line: int
    reason: str


class SuppressionsImported(Printed):
    """`clarion suppressions import`; with `--dry-run` what it would do."""

    dry_run: bool
    added: int
    known: int = Field(description="suppressed before; they stay as they are")
    left_out: int = Field(description="lines of people who are not blocked where the file comes from")
    rejected_count: int
    rejected: list[RejectedLine] = Field(description="the first hundred")


class SuppressionsExported(Printed):
    """`clarion suppressions export`."""

    written: int


class ReturnLine(Printed):
    """One bounce or complaint in `clarion bounces list`."""

    id: int
    received_at: datetime
    way: Literal["mail", "ses", "postmark"] = Field(description="how it came")
    kind: str | None = Field(description="what it was, such as hard or complaint; unclear is for people to read")
    said: str | None = Field(description="why, in words that name nobody")
    did: str | None = Field(description="what it did")
    message: str | None = Field(description="the mail it is about, as `clarion deliveries show` takes it")
    mailbox: str | None


class ReturnShown(ReturnLine):
    """`clarion bounces show`."""

    content: str | None = Field(description="all of it, as long as nobody has understood it")


class TopicUntil(Printed):
    """A topic that may still say something of a person, and until when at the latest."""

    topic: str
    until: datetime


class PersonErased(Printed):
    """`clarion people erase`."""

    id: str = Field(description="of the erasure, which stands in the audit log")
    counts: dict[str, dict[str, int]] = Field(description="by service, how much of what was taken away")
    held: list[TopicUntil]


class PersonReadmitted(Printed):
    """`clarion people readmit`."""

    readmitted: Literal[True]


class TemplateLine(Printed):
    """A template in `clarion templates list`: what is in force of it."""

    template: str
    use: str = Field(description="for which mail it is")
    version: int = Field(description="0: the project's own, nobody wrote another")
    own: bool = Field(description="whether mail is in words of staff, and not in the project's")
    made_by: str | None
    made_at: datetime | None
    fallbacks: int = Field(description="contents of which it made no mail, so that they went in the project's")


class TemplateVersion(Printed):
    """A version of a wording."""

    version: int
    made_by: str
    made_at: datetime
    note: str
    fallbacks: int


class TemplateShown(TemplateLine):
    """`clarion templates show`: a wording's source; where it is the project's own, what one may begin with."""

    subject: str
    body: str
    placeholders: list[str]
    demanded: list[str] = Field(description="what a body has to name")
    versions: list[TemplateVersion]


class TemplateSaved(Printed):
    """`clarion templates save` and `restore`."""

    template: str
    version: int
    new: bool = Field(description="false: the words were those of this version already")


class TemplatePreview(Printed):
    """`clarion templates preview`: one mail."""

    subject: str
    text: str
    html: str
    bytes: int = Field(description="of the whole mail on its way")


class TemplateTried(Printed):
    """`clarion templates test-send`."""

    id: str = Field(description="of the mail, as `clarion deliveries show` takes it")


PRINTED: Mapping[str, type[BaseModel]] = {
    "dead-letters.list": LetterLine,
    "dead-letters.show": LetterShown,
    "dead-letters.retry": LetterOutcome,
    "dead-letters.discard": LetterOutcome,
    "replay": ReplayPrinted,
    "doctor": Finding,
    "restored": RestoredPrinted,
    "keys.create": KeyMade,
    "keys.list": KeyLine,
    "keys.revoke": KeyRevoked,
    "audit.list": AuditEntry,
    "staff.list": StaffLine,
    "staff.add": StaffLine,
    "staff.change": StaffLine,
    "staff.remove": StaffLine,
    "staff.restore": StaffLine,
    "suppressions.import": SuppressionsImported,
    "suppressions.export": SuppressionsExported,
    "bounces.list": ReturnLine,
    "bounces.show": ReturnShown,
    "people.export": PersonKept,
    "people.erase": PersonErased,
    "people.readmit": PersonReadmitted,
    "templates.list": TemplateLine,
    "templates.show": TemplateShown,
    "templates.save": TemplateSaved,
    "templates.restore": TemplateSaved,
    "templates.preview": TemplatePreview,
    "templates.test-send": TemplateTried,
    "committees.rules.list": RuleLine,
    "committees.rules.show": RuleLine,
    "committees.rules.set": RuleChanged,
    "committees.rules.restore": RuleChanged,
    "committees.rules.check": RuleConcern,
    "committees.holidays.list": HolidayLine,
    "committees.holidays.add": HolidayChanged,
    "committees.holidays.remove": HolidayChanged,
    "committees.holidays.year": HolidayYearSet,
    "campaigns.deadline": DeadlineSet,
    "campaigns.outcome": CampaignOutcome,
    "positions.list": PositionLine,
    "positions.show": PositionStory,
    "positions.adopt": PositionChanged,
    "positions.withdraw": PositionChanged,
    "agenda.list": PriorityListed,
    "agenda.show": PriorityShown,
    "agenda.set": PrioritySet,
    "agenda.end": PrioritySet,
}
"""What each command prints: this thing, or an array of them where it prints a list."""


def printed_schemas() -> Iterator[tuple[str, str]]:
    """Each document's file name, such as `dead-letters.list.json`, and its text."""
    for command, model in PRINTED.items():
        schema: dict[str, Any] = model.model_json_schema(mode="serialization")
        document = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"clarion {command.replace('.', ' ')} --json",
        } | {name: value for name, value in schema.items() if name != "title"}
        yield f"{command}.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n"
