"""Reads what mail providers report over HTTP, as they document it. Values in, values out.

Amazon SES: "Amazon SNS notification contents for Amazon SES" of its developer guide, and the same as published events.
Postmark: "Bounce", "Spam complaint" and "Subscription change" webhooks of its developer documentation.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError

from clarion.services.notifications.bounces.return_path import About, about_named
from clarion.services.notifications.bounces.said import Kind, Meaning, Said, status_in

Short = Annotated[str, BeforeValidator(lambda value: "" if value is None else value), Field(max_length=10_000)]
"""A text that may be missing or null."""
T = TypeVar("T", bound=BaseModel)


class Malformed(Exception):
    """What came is not what the provider documents."""


class Recipient(BaseModel):
    """One recipient of a mail, in a bounce or a complaint."""

    emailAddress: str = Field(max_length=1_000)  # noqa: N815 - Amazon's name
    status: Short = ""
    diagnosticCode: Short = ""  # noqa: N815


class Header(BaseModel):
    """A header of the mail as it was handed over."""

    name: str
    value: str


class SesMail(BaseModel):
    """The mail that a notification is about. Headers are there if the identity is set up to include them."""

    source: Short = ""
    headers: list[Header] = []

    def about(self) -> About | None:
        """The mail, as its own headers name it: Amazon puts a Message-ID of its own in their place on the way."""
        found = {header.name.lower(): header.value for header in self.headers}
        return about_named(f"{found.get('clarion-thread', '')}.{found.get('clarion-revision', '')}")


class SesBounce(BaseModel):
    """The `bounce` of a notification."""

    bounceType: str  # noqa: N815
    bounceSubType: Short = ""  # noqa: N815
    bouncedRecipients: list[Recipient] = Field(min_length=1, max_length=50)  # noqa: N815


class SesComplaint(BaseModel):
    """The `complaint` of a notification."""

    complainedRecipients: list[Recipient] = Field(min_length=1, max_length=50)  # noqa: N815
    complaintFeedbackType: Short = ""  # noqa: N815


class SesNotification(BaseModel):
    """A notification, or an event that was published."""

    kind: str = Field(validation_alias=AliasChoices("notificationType", "eventType"))
    mail: SesMail = SesMail()
    bounce: SesBounce | None = None
    complaint: SesComplaint | None = None


SES_KINDS: Mapping[tuple[str, str], Kind] = {
    ("Permanent", "General"): "hard",
    ("Permanent", "NoEmail"): "hard",
    ("Permanent", "Suppressed"): "hard",
    ("Permanent", "OnAccountSuppressionList"): "hard",
    ("Permanent", "UnsubscribedRecipient"): "opt-out",
    ("Transient", "MailboxFull"): "soft",
    ("Transient", "General"): "soft",
    ("Transient", "CustomTimeoutExceeded"): "soft",
    ("Transient", "MessageTooLarge"): "blocked",
    ("Transient", "ContentRejected"): "blocked",
    ("Transient", "AttachmentRejected"): "blocked",
}
"""By type and subtype. What is undetermined, or new, is judged by the status of the recipient's server."""
SES_FEEDBACK: Mapping[str, Meaning] = {"": "complaint", "abuse": "complaint", "not-spam": "not-spam"}


def read_ses(content: bytes) -> list[Said]:
    """What a notification of Amazon SES says. Raises Malformed."""
    told = parsed(SesNotification, content)
    about, quoted = told.mail.about(), [told.mail.source]
    match told.kind:
        case "Bounce" if told.bounce:
            return [bounced_at_ses(told.bounce, one, about, quoted) for one in told.bounce.bouncedRecipients]
        case "Complaint" if told.complaint:
            feedback = told.complaint.complaintFeedbackType.lower()
            meaning, why = SES_FEEDBACK.get(feedback, "unclear"), f"feedback of the kind {feedback[:40]!a}"
            return [
                Said(meaning, one.emailAddress, why=why, about=about, quoted=quoted)
                for one in told.complaint.complainedRecipients
            ]
        case "Bounce" | "Complaint":
            raise Malformed(f"{told.kind.lower()}: it is missing")
        case kind:
            return [Said("other", why=f"a notification of the kind {kind[:40]!a}")]


def bounced_at_ses(bounce: SesBounce, one: Recipient, about: About | None, quoted: Sequence[str]) -> Said:
    """One recipient of a bounce."""
    kind = SES_KINDS.get((bounce.bounceType, bounce.bounceSubType))
    status = status_in(one.status, one.diagnosticCode)
    why = f"{bounce.bounceType} {bounce.bounceSubType} {status}".strip()[:80]
    meaning: Meaning = "opt-out" if kind == "opt-out" else "failed"
    return Said(meaning, one.emailAddress, status=status, why=why, verdict=kind, about=about, quoted=quoted)


class PostmarkEvent(BaseModel):
    """What all webhooks of Postmark have, and what those of interest have beside it."""

    RecordType: str
    Type: Short = ""
    Email: Short = ""
    Recipient: Short = ""
    Details: Short = ""
    SuppressSending: bool = False
    SuppressionReason: Short = ""
    Origin: Short = ""
    Metadata: dict[str, Any] | None = None

    def about(self) -> About | None:
        """The mail, as we named it to Postmark when it was handed over."""
        return about_named(str((self.Metadata or {}).get("clarion", "")))


POSTMARK_TYPES: Mapping[str, tuple[Meaning, Kind | None]] = {
    "HardBounce": ("failed", "hard"),
    "BadEmailAddress": ("failed", "hard"),
    "SoftBounce": ("failed", "soft"),
    "DnsError": ("failed", "soft"),
    "Transient": ("delayed", None),
    "Blocked": ("failed", "blocked"),
    "SpamNotification": ("failed", "blocked"),
    "DMARCPolicy": ("failed", "blocked"),
    "VirusNotification": ("failed", "blocked"),
    "SpamComplaint": ("complaint", None),
    "Unsubscribe": ("opt-out", None),
    "AutoResponder": ("auto-reply", None),
}
"""By `Type`. The others (Unknown, ChallengeVerification, AddressChange and so on) are for people to read."""
POSTMARK_SUPPRESSIONS: Mapping[tuple[str, str], tuple[Meaning, Kind | None]] = {
    ("HardBounce", "Recipient"): ("failed", "hard"),
    ("SpamComplaint", "Recipient"): ("complaint", None),
    ("ManualSuppression", "Recipient"): ("opt-out", None),
}
"""By reason and origin; what somebody did to the list at Postmark by hand is no word of the recipient's."""


def read_postmark(content: bytes) -> list[Said]:
    """What a webhook of Postmark says. Raises Malformed."""
    told = parsed(PostmarkEvent, content)
    match told.RecordType:
        case "Bounce" | "SpamComplaint":
            meaning, kind = POSTMARK_TYPES.get(told.Type or told.RecordType, ("unclear", None))
            address = told.Email
        case "SubscriptionChange" if told.SuppressSending:
            meaning, kind = POSTMARK_SUPPRESSIONS.get((told.SuppressionReason, told.Origin), ("other", None))
            address = told.Recipient
        case record:
            return [Said("other", why=f"a webhook of the kind {record[:40]!a}")]
    if not address:
        raise Malformed("Email, or Recipient: it is missing")
    why = f"{told.RecordType} {told.Type or told.SuppressionReason}".strip()[:80]
    return [Said(meaning, address, status=status_in("", told.Details), why=why, verdict=kind, about=told.about())]


def parsed(model: type[T], content: bytes) -> T:
    """A payload as it is documented.

    Raises:
        Malformed: names the fields that are wrong, and none of their values.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        wrong = {".".join(str(part) for part in one["loc"]) or "it is no JSON object" for one in error.errors()}
        raise Malformed("; ".join(sorted(wrong)[:5])) from None
