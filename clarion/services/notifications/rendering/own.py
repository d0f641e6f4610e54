"""What in a body is a recipient's own: a template's macros, of which what several recipients share is kept."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jinja2 import Template
from jinja2.runtime import Macro
from markupsafe import escape

from clarion.services.notifications.domain.changes import Line, shown
from clarion.services.notifications.domain.reasons import reasons_shown
from clarion.services.notifications.rendering.mime import continued, quoted, unquoted

GAP = "\x00"
Key = TypeVar("Key")
KEPT = 1_024


@dataclass(frozen=True, slots=True)
class Leaving:
    """The list that a mail belongs to, as people know it, and the link that leaves it: a page and a signed token."""

    title: str
    page: str
    token: str


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
    """Fills the gaps of one kind of body, text or HTML; the gaps' names begin with the `kind`."""

    def __init__(self, template: Template, kind: str, *, html: bool) -> None:
        macros = template.module
        self._greeting: Macro = macros.greeting  # type: ignore[attr-defined]
        self._changes: Macro = macros.changes  # type: ignore[attr-defined]
        self._why: Macro = macros.why  # type: ignore[attr-defined]
        self._leave: Macro = macros.leave  # type: ignore[attr-defined]
        self._escape: Callable[[str], str] = escaped if html else str
        self._before, self._after = str(self._greeting(GAP)).split(GAP)
        self._reasons: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._lines: OrderedDict[tuple[Line, ...], bytes] = OrderedDict()
        self._lists: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._gaps = [f"{kind}{name}" for name in ("greeting", "changes", "why", "leave")]

    def fill(
        self, names: str, reasons: tuple[str, ...], changes: Sequence[Line], leaving: Leaving | None
    ) -> Iterable[tuple[str, bytes]]:
        """What stands in each gap, in quoted-printable."""
        greeting = quoted(f"{self._before}{self._escape(names)}{self._after}")
        return zip(
            self._gaps,
            (
                greeting,
                self._changed(tuple(changes)) if changes else b"",
                self._told(reasons) if reasons else b"",
                self._left(leaving) if leaving else b"",
            ),
            strict=True,
        )

    def _changed(self, changes: tuple[Line, ...]) -> bytes:
        found = self._lines.get(changes)
        return keep(self._lines, changes, self._changes(shown(changes))) if found is None else found

    def _told(self, reasons: tuple[str, ...]) -> bytes:
        found = self._reasons.get(reasons)
        return keep(self._reasons, reasons, self._why(reasons_shown(reasons))) if found is None else found

    def _left(self, leaving: Leaving) -> bytes:
        """All but the token is shared."""
        key = (leaving.title, leaving.page)
        found = self._lists.get(key)
        if found is None:
            before, after = str(self._leave(leaving.title, leaving.page + GAP)).split(GAP)
            found = continued(before), quoted(after)
            if len(self._lists) < KEPT:
                self._lists[key] = found
        return b"%s%s%s" % (found[0], unquoted(leaving.token), found[1])
