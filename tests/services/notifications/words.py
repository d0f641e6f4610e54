"""What a reader sees of a mail's text and of its HTML, word by word and with where links lead."""

import re
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import unquote

HIDDEN = frozenset({"style", "title"})
INLINE = frozenset({"a", "span", "strong", "b", "em"})
Attributes = list[tuple[str, str | None]]


class Seen(HTMLParser):
    """All that is shown, with the numbers of numbered lists and what stands behind links."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.hidden = 0
        self.number: int | None = None
        self.link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.hidden += tag in HIDDEN
        self.text += "" if tag in INLINE else "\n"
        if tag == "ol":
            self.number = 0
        elif tag == "li" and self.number is not None:
            self.number += 1
            self.text += f"{self.number}. "
        elif tag == "a":
            self.link = dict(attrs).get("href") or "", len(self.text)

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN
        self.text += "" if tag in INLINE else "\n"
        if tag == "ol":
            self.number = None
        elif tag == "a" and self.link:
            leads_to, since = self.link
            shown = unquote(leads_to.removeprefix("mailto:").partition("?")[0]) if "mailto:" in leads_to else leads_to
            self.text += "" if self.text[since:].strip() == shown else f": {shown}"

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data


def seen(html: str) -> str:
    """The HTML as text."""
    parser = Seen()
    parser.feed(html)
    parser.close()
    return parser.text


def words(text: str) -> list[str]:
    """The words of a text, whatever stands between them."""
    return re.findall(r"\w+", text.casefold())


def texts(mail: EmailMessage) -> tuple[str, str]:
    """A mail's text and its HTML."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content().replace("\r\n", "\n"), html.get_content()


def assert_the_same_is_said(mail: EmailMessage) -> None:
    """Text and HTML say the same words in the same order, and lead to the same places."""
    plain, html = texts(mail)
    assert words(plain) == words(seen(html))
