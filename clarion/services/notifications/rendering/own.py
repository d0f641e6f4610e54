"""What in a body is a recipient's own: a template's macros, of which what several recipients share is kept."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jinja2 import Template
from jinja2.runtime import Macro
from markupsafe import escape

from clarion.services.notifications.domain.changes import Line
from clarion.services.notifications.rendering.mime import quoted

GAP = "\x00"
KEPT = 1_024


@dataclass(frozen=True, slots=True)
class Leaving:
    """The list that a mail belongs to, as people know it, and the link that leaves it."""

    title: str
    link: str


def escaped(text: str) -> str:
    """The text as HTML; no Markup, which would escape all that is joined to it."""
    return str(escape(text))


class Own:
    """Fills the gaps of one kind of body, text or HTML."""

    def __init__(self, template: Template, *, html: bool) -> None:
        macros = template.module
        self._greeting: Macro = macros.greeting  # type: ignore[attr-defined]
        self._changes: Macro = macros.changes  # type: ignore[attr-defined]
        self._why: Macro = macros.why  # type: ignore[attr-defined]
        self._leave: Macro = macros.leave  # type: ignore[attr-defined]
        self._escape: Callable[[str], str] = escaped if html else str
        self._before, self._after = str(self._greeting(GAP)).split(GAP)
        self._reasons: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._lists: dict[str, list[str]] = {}

    def fill(
        self, names: str, reasons: tuple[str, ...], changes: Sequence[Line], leaving: Leaving | None
    ) -> dict[str, bytes]:
        """What stands in each gap, in quoted-printable."""
        return {
            "greeting": quoted(f"{self._before}{self._escape(names)}{self._after}"),
            "changes": quoted(str(self._changes(changes))) if changes else b"",
            "why": self._told(reasons),
            "leave": self._left(leaving) if leaving else b"",
        }

    def _told(self, reasons: tuple[str, ...]) -> bytes:
        found = self._reasons.get(reasons)
        if found is None:
            rendered = str(self._why(reasons))
            found = self._reasons[reasons] = quoted(rendered) if rendered else b""
            if len(self._reasons) > KEPT:
                self._reasons.popitem(last=False)
        return found

    def _left(self, leaving: Leaving) -> bytes:
        pieces = self._lists.get(leaving.title)
        if pieces is None:
            pieces = str(self._leave(leaving.title, GAP)).split(GAP)
            if len(self._lists) < KEPT:
                self._lists[leaving.title] = pieces
        return quoted(self._escape(leaving.link).join(pieces))
