"""Blocks with their values as HTML and as text: the same words in the same order."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

import nh3
from markupsafe import escape

from clarion.services.notifications.rendering.mime import gap
from clarion.services.notifications.wordings.faults import Unusable
from clarion.services.notifications.wordings.language import PlaceHere
from clarion.services.notifications.wordings.markup import (
    Block,
    Blocks,
    Box,
    Break,
    Copied,
    Heading,
    Items,
    Link,
    Paragraph,
    Rule,
    Span,
    Spans,
    Strong,
    Word,
)

MARKED = re.compile(r"vZq([0-9]+)qZv")
"""What `Paper.put` puts in the place of a value."""
SAFE = ("https://", "http://", "mailto:")
RULE = "-" * 40
BOX = "background:#eef4ff;border-radius:8px;padding:16px;margin:0 0 20px"
BUTTON = (
    "display:inline-block;padding:12px 24px;border-radius:8px;background:#1d4ed8;color:#ffffff;"
    "font-weight:600;line-height:24px;text-decoration:none"
)
ATTRIBUTES = {"a": {"class", "href", "style"}, "div": {"class", "style"}, "ol": {"start"}}
TAGS = {"a", "br", "div", "em", "h1", "h2", "h3", "hr", "li", "ol", "p", "strong", "ul"}
CLEANER = nh3.Cleaner(tags=TAGS, attributes=ATTRIBUTES, url_schemes={"https", "http", "mailto"}, link_rel=None)
"""A second fence: nothing that the first lets through should be anything to it."""

Value = str | PlaceHere
Check = Callable[[], None]


class Written:
    """The blocks of one mail, with its values."""

    def __init__(self, values: Sequence[Value], check_time: Check) -> None:
        self._values = values
        self._check_time = check_time

    def html(self, blocks: Blocks) -> str:
        """As HTML: whole lines, each place of a recipient's own on one of its own."""
        return "".join([self._html_piece(block) for block in blocks])

    def text(self, blocks: Blocks) -> str:
        """As text: blocks with an empty line between them, the last one included."""
        return "".join([self._text_piece(block) for block in blocks])

    def places(self, blocks: Blocks) -> list[str]:
        """The places that stand on lines of their own, in their order.

        Raises:
            Unusable: one stands elsewhere.
        """
        found = [place.name for block in blocks if (place := self.place(block)) is not None]
        held = [value.name for value in self._values if isinstance(value, PlaceHere)]
        if sorted(found) != sorted(held):
            lost = next(name for name in held if held.count(name) > found.count(name))
            raise Unusable(f"{{{{ {lost} }}}} cannot stand in a list, a box or a text to copy")
        return found

    def place(self, block: Block) -> PlaceHere | None:
        """The place that a block is, if it is one."""
        match block:
            case Paragraph(spans=(Word(text),)) if (whole := MARKED.fullmatch(text)) is not None:
                value = self._value(int(whole[1]))
                return value if isinstance(value, PlaceHere) else None
            case _:
                return None

    def _html_piece(self, block: Block) -> str:
        place = self.place(block)
        return f"{gap(place.name)}\n" if place is not None else f"{CLEANER.clean(self._html(block))}\n"

    def _text_piece(self, block: Block) -> str:
        place = self.place(block)
        if place is not None:
            return f"{gap(place.name)}\n"
        lines = self._text(block)
        return f"{lines}\n\n" if lines else ""

    def _html(self, block: Block) -> str:
        self._check_time()
        match block:
            case Paragraph():
                shown = self._paragraph_html(block)
            case Heading(level, spans):
                shown = f"<h{level}>{self._spans_html(spans)}</h{level}>"
            case Items(items, first):
                kind, start = ("ul", "") if first is None else ("ol", f' start="{first}"' if first != 1 else "")
                listed = "\n".join([f"<li>{self._inner_html(item)}</li>" for item in items])
                shown = f"<{kind}{start}>\n{listed}\n</{kind}>"
            case Box(blocks):
                shown = f'<div class="box" style="{BOX}">\n{self._inner_html(blocks)}\n</div>'
            case Copied(text):
                shown = f'<div class="letter" style="white-space:pre-wrap">{self._escaped(text)}</div>'
            case Rule():
                shown = "<hr>"
        return shown

    def _paragraph_html(self, block: Paragraph) -> str:
        match block:
            case Paragraph((Link(url, spans),), False) if (target := self._target(url)) is not None:
                return f'<p><a class="go" href="{escape(target)}" style="{BUTTON}">{self._spans_html(spans)}</a></p>'
            case Paragraph(spans, tight):
                inner = self._spans_html(spans)
                return inner if tight else f"<p>{inner}</p>" if inner.strip() else ""

    def _inner_html(self, blocks: Blocks) -> str:
        return "\n".join([shown for block in blocks if (shown := self._html(block))])

    def _spans_html(self, spans: Spans) -> str:
        return "".join([self._span_html(span) for span in spans])

    def _span_html(self, span: Span) -> str:
        match span:
            case Word(text):
                return self._escaped(text).replace("\n", "<br>\n") if MARKED.search(text) else self._escaped(text)
            case Strong(spans, slight):
                tag = "em" if slight else "strong"
                return f"<{tag}>{self._spans_html(spans)}</{tag}>"
            case Link(url, spans):
                target = self._target(url)
                inner = self._spans_html(spans)
                return f'<a href="{escape(target)}">{inner}</a>' if target else f"{inner}: {self._escaped(url)}"
            case Break():
                return "<br>\n"

    def _text(self, block: Block) -> str:
        self._check_time()
        match block:
            case Paragraph(spans):
                shown = self._spans_text(spans).strip("\n")
            case Heading(spans=spans):
                shown = self._heading(spans)
            case Items(items, first):
                shown = "\n".join([self._item(item, first, place) for place, item in enumerate(items)])
            case Box(blocks):
                shown = self._inner_text(blocks)
            case Copied(text):
                shown = self._filled(text)
            case Rule():
                shown = RULE
        return shown

    def _heading(self, spans: Spans) -> str:
        """In capitals, unless it names something."""
        heading = self._spans_text(spans)
        return heading if any(isinstance(one, Word) and MARKED.search(one.text) for one in spans) else heading.upper()

    def _item(self, item: Blocks, first: int | None, place: int) -> str:
        sign = "- " if first is None else f"{first + place}. "
        tight = all(isinstance(block, Items) or (isinstance(block, Paragraph) and block.tight) for block in item)
        lines = self._inner_text(item, "\n" if tight else "\n\n").split("\n")
        return sign + f"\n{' ' * len(sign)}".join(lines)

    def _inner_text(self, blocks: Blocks, between: str = "\n\n") -> str:
        return between.join([shown for block in blocks if (shown := self._text(block))])

    def _spans_text(self, spans: Spans) -> str:
        return "".join([self._span_text(span) for span in spans])

    def _span_text(self, span: Span) -> str:
        match span:
            case Word(text):
                return self._filled(text)
            case Strong(spans):
                return self._spans_text(spans)
            case Link(url, spans):
                target, label = readable(self._target(url) or self._filled(url)), self._spans_text(spans)
                return label if label == target else f"{label}: {target}"
            case Break():
                return "\n"

    def _value(self, number: int) -> Value:
        return self._values[number] if number < len(self._values) else ""

    def _filled(self, text: str) -> str:
        return MARKED.sub(lambda found: str(self._value(int(found[1]))), text)

    def _escaped(self, text: str) -> str:
        return str(escape(self._filled(text)))

    def _target(self, url: str) -> str | None:
        """Where a link leads; a value is one whole address, or a part of one that cannot change the rest."""
        whole = MARKED.fullmatch(url)
        if whole is not None:
            target = str(self._value(int(whole[1])))
        else:
            target = MARKED.sub(lambda found: quote(str(self._value(int(found[1]))), safe=""), url)
        fine = target.startswith(SAFE) and target.isprintable() and " " not in target
        return target if fine else None


def readable(target: str) -> str:
    """A link as text shows it: of one that writes a mail the address."""
    return target.removeprefix("mailto:").partition("?")[0] if target.startswith("mailto:") else target
