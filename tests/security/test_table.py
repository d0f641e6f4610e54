"""docs/security.md says of every requirement of levels 1 and 2 how it stands, and names tests that exist."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sources import tree_of

DOCUMENT = REPOSITORY / "docs" / "security.md"
# OWASP ASVS 5.0.0 puts a section's requirements of levels 1 and 2 before those of level 3: so many each section has.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3
8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1
12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4
16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
REQUIREMENTS = [
    f"{section}.{number}"
    for section, most in (each.split(":") for each in SECTIONS.split())
    for number in range(1, int(most) + 1)
]
LINE = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (yes|operators|no|-) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`?([\w/]+\.py)::(\w+)`?")
LINK = re.compile(r"\[[^\]]+\]\(([^)#]*)#([\w-]+)\)")
LINES = LINE.findall(DOCUMENT.read_text(encoding="utf-8"))


@cache
def names_in(path: Path) -> set[str]:
    """The tests of a file."""
    found = ast.walk(tree_of(path))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@cache
def anchors_of(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_requirement_of_the_level_stands_there_once() -> None:
    assert len(REQUIREMENTS) == 253
    assert Counter(number for number, *_ in LINES) == Counter(REQUIREMENTS)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_a_line_names_what_shows_it_or_why_not(line: tuple[str, str, str, str]) -> None:
    number, words, state, shown = line
    tests, links = TEST.findall(shown), LINK.findall(shown)
    for file, name in tests:
        assert name in names_in(REPOSITORY / "tests" / file), (file, name)
    for page, anchor in links:
        assert anchor in anchors_of((DOCUMENT.parent / page).resolve() if page else DOCUMENT), (page, anchor)
    assert words.strip()
    if state == "yes":
        assert tests or links, number
    else:
        assert len(shown) > 10 or tests, number


def test_every_test_of_this_folder_that_a_reader_should_know_of_is_named_or_stands_for_itself() -> None:
    named = {file for *_, shown in LINES for file, _ in TEST.findall(shown)}
    here = {f"security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert here - named <= {"security/test_table.py"}
