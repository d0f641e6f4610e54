"""The field types every contract is made of.

PostgreSQL stores neither NUL nor lone surrogates, so they are refused at the border and not at the table.
"""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


def storable(text: str) -> str:
    """Return the text if PostgreSQL can keep it.

    Raises:
        ValueError: it holds a NUL or half of a surrogate pair.
    """
    if "\x00" in text:
        raise ValueError("a NUL character cannot be stored")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half of a surrogate pair cannot be stored")
    return text


Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(storable)]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True),
    AfterValidator(storable),
]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(storable),
]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A keyed hash of a case-folded address: 32 hexadecimal digits."""

Instant = AwareDatetime
"""A point in time with its offset."""


class Contract(BaseModel):
    """A body that crosses a border: immutable, and deaf to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
