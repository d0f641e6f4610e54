"""Fenced blocks of the Markdown documents, and `clarion` commands quoted in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.conftest import REPOSITORY

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(clarion\s[^`]+)`")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "docs/integrators.md", "docs/operators.md", "docs/backup.md")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else its first line says, and where it is."""

    document: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.document}:{self.line}"


def read(document: str) -> str:
    return (REPOSITORY / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    """All fenced blocks of a document, in their order."""
    text = read(document)
    found = []
    for match in FENCE.finditer(text):
        language, _, mark = match["info"].partition(" ")
        found.append(Block(document, text.count("\n", 0, match.start()) + 1, language, mark, match["text"]))
    return found


def joined_lines(text: str) -> Iterator[str]:
    """The lines of a script, with those that a backslash continues in one."""
    yield from text.replace("\\\n", " ").splitlines()


def commands(document: str) -> list[tuple[str, str]]:
    """Every `clarion` command that a document quotes, with where: in blocks and between backticks."""
    found = []
    for block in blocks(document):
        if block.language in ("", "bash"):
            for line in joined_lines(block.text):
                command = re.search(r"(?:^|[\s(/|])clarion (.*)$", line.partition(" #")[0])
                if command:
                    found.append((block.name, command[1]))
    inline = INLINE.finditer(FENCE.sub("", read(document)))
    return found + [(document, " ".join(match[1].split()[1:])) for match in inline]


def exists(document: str) -> bool:
    return (REPOSITORY / document).is_file()
