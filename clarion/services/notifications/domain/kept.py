"""The mail with the link to what is kept about a mailbox."""

from clarion.schemas.text import Contract, Line, Text

SUBJECT = "What is kept about you"


class KeptContent(Contract):
    """The content of the template `kept`: a link, and until when it is good, ready to be read."""

    url: Text
    until: Line
