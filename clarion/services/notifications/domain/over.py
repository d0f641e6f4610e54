"""What is said when a call is over, shown by itself: to who looks at its wording."""

from pydantic import Field

from clarion.schemas.text import Contract, Line, Text


class OverContent(Contract):
    """The content of the template `over`, ready to be read."""

    subject: Line
    paragraphs: list[Text]
    about: list[Text] = Field(default_factory=list)
    contact: Text | None = None
