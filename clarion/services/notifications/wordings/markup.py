"""From a wording's Markdown to blocks: paragraphs, headings, lists, boxes, texts to copy. No HTML, no images.

What stands for a value is a word like any other here, so that no value is ever read as markup.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

DEEPEST = 8
READ_KEPT = 256


@dataclass(frozen=True, slots=True)
class Word:
    """Text, in which marks stand for values."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """What is printed bold; or, if `slight`, in italics."""

    spans: "Spans"
    slight: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What leads somewhere."""

    url: str
    spans: "Spans"


@dataclass(frozen=True, slots=True)
class Break:
    """A new line in the same paragraph."""


Span = Word | Strong | Link | Break
Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text of its own. A link alone in it is a button. `tight`: it follows the last without space, in a list."""

    spans: Spans
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 3."""

    level: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Items:
    """A list; numbered from `first`, or with bullets."""

    items: "tuple[Blocks, ...]"
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """What stands out (in Markdown a quotation)."""

    blocks: "Blocks"


@dataclass(frozen=True, slots=True)
class Copied:
    """A text to copy, whose lines stay as they are (in Markdown between fences)."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


Block = Paragraph | Heading | Items | Box | Copied | Rule
Blocks = tuple[Block, ...]


def parser() -> MarkdownIt:
    """CommonMark with what a mail needs and nothing that surprises whoever writes one."""
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    return made.disable(["html_block", "html_inline", "image", "code", "backticks", "lheading", "reference"])


PARSER = parser()


@lru_cache(maxsize=READ_KEPT)
def read_blocks(source: str) -> Blocks:
    """The blocks of a source; the same for all mails whose values alone differ."""
    return blocks_of(SyntaxTreeNode(PARSER.parse(source)).children)


def blocks_of(nodes: Sequence[SyntaxTreeNode]) -> Blocks:
    """The blocks of a part of the tree."""
    return tuple(found for node in nodes for found in block_of(node))


def block_of(node: SyntaxTreeNode) -> Iterator[Block]:
    """One block."""
    match node.type:
        case "paragraph":
            yield Paragraph(inline(node), tight=node.hidden)
        case "heading":
            yield Heading(min(int(node.tag[1:]), 3), inline(node))
        case "bullet_list":
            yield Items(tuple(blocks_of(item.children) for item in node.children))
        case "ordered_list":
            first = int(node.attrs.get("start", 1))
            yield Items(tuple(blocks_of(item.children) for item in node.children), first)
        case "blockquote":
            yield Box(blocks_of(node.children))
        case "fence":
            yield Copied(node.content.rstrip("\n"))
        case "hr":
            yield Rule()


def inline(node: SyntaxTreeNode) -> Spans:
    """What stands in a paragraph or heading."""
    return tuple(span for part in node.children for one in part.children for span in span_of(one))


def span_of(node: SyntaxTreeNode) -> Iterator[Span]:
    """One piece of it."""
    match node.type:
        case "text" | "text_special":
            if node.content:
                yield Word(node.content)
        case "softbreak":
            yield Word("\n")
        case "hardbreak":
            yield Break()
        case "strong" | "em":
            yield Strong(tuple(span for one in node.children for span in span_of(one)), slight=node.type == "em")
        case "link":
            yield Link(str(node.attrs.get("href", "")), tuple(span for one in node.children for span in span_of(one)))
