"""The field types every contract is made of.

PostgreSQL stores neither NUL nor lone surrogates, so they are refused at the border and not at the table.
"""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

SURROGATE = re.compile("[\ud800-\udfff]")
ISO_DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}")


def storable(text: str) -> str:
    """Return the text if PostgreSQL can keep it.

    Raises:
        ValueError: it holds a NUL or half of a surrogate pair.
    """
    if text.isascii() and "\x00" not in text:
        return text
    if "\x00" in text:
        raise ValueError("a NUL character cannot be stored")
    if SURROGATE.search(text):
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


def iso_text(value: Any) -> Any:
    """Let only ISO 8601 pass; pydantic alone would read a number, or digits as text, as seconds since 1970."""
    # As a tuple of types: a union is made anew each time.
    if not (ISO_DATE.match(value) if isinstance(value, str) else not isinstance(value, (int, float))):
        raise ValueError("a time is a text of ISO 8601, such as 2027-04-21T13:30:00-07:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(iso_text)]
"""A point in time with its offset."""


class Contract(BaseModel):
    """A body that crosses a border: immutable, and deaf to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def of_valid(cls, **values: Any) -> Self:
        """A body of values that were validated before, all of its fields and private ones: nothing is looked at.

        `model_construct` looks up each field's alias and default, which takes ten times as long; and to make empty
        lists it looks for the parameters of `list`, which leaves 50 kB in a cycle.
        """
        private = {name: values.pop(name) for name in cls.__private_attributes__}
        made = cls.__new__(cls)
        put = object.__setattr__
        put(made, "__dict__", values)
        put(made, "__pydantic_fields_set__", set(values))
        put(made, "__pydantic_extra__", None)
        put(made, "__pydantic_private__", private or None)
        return made
