"""What in a body is a recipient's own: a template's macros, of which what several recipients share is kept."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from jinja2 import Template
from jinja2.runtime import Macro
from markupsafe import escape

from clarion.services.notifications.domain.changes import Line, shown
from clarion.services.notifications.domain.reasons import reasons_shown
from clarion.services.notifications.rendering.mime import Gap, Parts, continued, quoted

GAP = "\x00"
TOKEN = Gap("token")
"""Where the token of the link stands that leaves a list, which needs no quoting."""
Key = TypeVar("Key")
KEPT = 1_024


def escaped(text: str) -> str:
    """The text as HTML; no Markup, which would escape all that is joined to it."""
    return str(escape(text))


def keep(found: OrderedDict[Key, bytes], key: Key, rendered: str) -> bytes:
    """What was rendered, for whoever shares it; as many as are likely to come again."""
    made = found[key] = quoted(rendered) if rendered else b""
    if len(found) > KEPT:
        found.popitem(last=False)
    return made


class Own:
    """What fills the gaps of one kind of body, text or HTML."""

    def __init__(self, template: Template, *, html: bool) -> None:
        macros = template.module
        self._greeting: Macro = macros.greeting  # type: ignore[attr-defined]
        self._changes: Macro = macros.changes  # type: ignore[attr-defined]
        self._why: Macro = macros.why  # type: ignore[attr-defined]
        self._leave: Macro = macros.leave  # type: ignore[attr-defined]
        self._escape: Callable[[str], str] = escaped if html else str
        self._before, self._after = str(self._greeting(GAP)).split(GAP)
        self._reasons: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._lines: OrderedDict[tuple[Line, ...], bytes] = OrderedDict()
        self._lists: dict[tuple[str, str], Parts] = {}

    @property
    def plain_greeting(self) -> tuple[str, str]:
        """What stands before and after names that need no quoting, as it travels."""
        return self._before, f"{self._after[:-1]}\r\n"

    def greeting(self, names: str) -> bytes:
        """To whom it is said, in quoted-printable as all that follows."""
        return quoted(f"{self._before}{self._escape(names)}{self._after}")

    def changed(self, changes: tuple[Line, ...]) -> bytes:
        """What changed of what was told; nothing for who was told nothing."""
        if not changes:
            return b""
        found = self._lines.get(changes)
        return keep(self._lines, changes, self._changes(shown(changes))) if found is None else found

    def told(self, reasons: tuple[str, ...]) -> bytes:
        """Why the reader is asked."""
        if not reasons:
            return b""
        found = self._reasons.get(reasons)
        return keep(self._reasons, reasons, self._why(reasons_shown(reasons))) if found is None else found

    def leaving(self, title: str, page: str) -> Parts:
        """How a list is left: its title as people know it, and the page to which the token leads."""
        found = self._lists.get((title, page))
        if found is None:
            before, after = str(self._leave(title, page + GAP)).split(GAP)
            found = [continued(before), TOKEN, quoted(after)]
            if len(self._lists) < KEPT:
                self._lists[title, page] = found
        return found
