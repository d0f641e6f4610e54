"""What the API takes and shows of approving."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from clarion.schemas.text import Line, Text, storable
from clarion.services.campaigns.approving.taking_up import TEXT_AT_MOST
from clarion.services.campaigns.approving.waves import LOOK, RecipientView

Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_AT_MOST, strip_whitespace=True),
    AfterValidator(storable),
]


class RecipientsPage(BaseModel):
    """Some of a wave's people by city; `next` is what to ask for `after` these, if there are more."""

    recipients: list[RecipientView]
    next: str | None


class Approval(BaseModel):
    """To let a wave go: the `look` of what was seen. Without it, whatever it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"look": LOOK}]})

    look: Text | None = None


class Verdict(Approval):
    """To reject or stop a wave: why, in a sentence. Whoever was told already reads why it was stopped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The author took our amendments."}]})

    reason: Reason


class Choice(BaseModel):
    """Somebody to leave out, or with `asks` to add: `letter` is whatever is to be written there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"official": "o-17", "reason": "Knows the author.", "asks": ["letter", "testimony"]}]
        }
    )

    official: Line
    reason: Reason
    asks: list[Literal["letter", "testimony"]] = Field(default_factory=list, max_length=2)


class Paragraph(BaseModel):
    """The division's own paragraph; an empty one takes it out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Three of our cities are named in the bill."}]})

    text: Annotated[str, StringConstraints(max_length=TEXT_AT_MOST, strip_whitespace=True), AfterValidator(storable)]
