"""Reads YAML files document by document, as hostile as they may be."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from clarion.services.directory.domain.report import Document, Line, Rejection

MAX_DEPTH = 20
MAX_BYTES = 50_000_000
"""A document is built in memory whole."""


def read_documents(path: Path) -> Iterator[Line | Rejection]:
    """The documents of one file. What is no document is rejected; after a fault of syntax the rest of the file is."""
    name = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            yield Rejection(name, 1, f"larger than {MAX_BYTES:,} bytes; part it into several files")
            return
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        yield Rejection(name, 1, f"cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError as error:
        yield Rejection(name, error.object.count(b"\n", 0, error.start) + 1, "not UTF-8; save it in UTF-8")
        return
    yield from _documents(name, text)


def _documents(name: str, text: str) -> Iterator[Line | Rejection]:
    try:
        loader = yaml.CSafeLoader(text)
        if not loader.check_node():
            yield Rejection(name, 1, "the file is empty")
        while loader.check_node():
            yield _document(name, loader, loader.get_node())
    except (yaml.YAMLError, RecursionError) as error:
        yield Rejection(name, _line_of(error), f"not YAML from here on: {_problem(error)}")


def _document(name: str, loader: yaml.CSafeLoader, node: yaml.Node | None) -> Line | Rejection:
    if not isinstance(node, yaml.MappingNode):
        return Rejection(name, 1 if node is None else node.start_mark.line + 1, "the document is no mapping")
    line = node.start_mark.line + 1
    if fault := _danger(node):
        return Rejection(name, line, fault)
    try:
        values = loader.construct_document(node)
    except yaml.YAMLError as error:
        return Rejection(name, _line_of(error), _problem(error))
    except ValueError as error:
        return Rejection(name, line, str(error))
    return Document(name, line, {key: value for key, value in values.items() if value not in (None, "")}, _places(node))


def _danger(root: yaml.Node) -> str | None:
    """Aliases let a few lines stand for millions of values, and no such file needs one."""
    seen: set[int] = set()
    todo = [(root, 0)]
    while todo:
        node, depth = todo.pop()
        if id(node) in seen:
            return f"aliases (*name) are not taken; one stands for line {node.start_mark.line + 1}"
        if depth > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH} levels in line {node.start_mark.line + 1}"
        seen.add(id(node))
        todo += [(child, depth + 1) for child in _children(node)]
    return None


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _places(root: yaml.MappingNode) -> dict[str, list[int]]:
    return {
        key.value: [item.start_mark.line + 1 for item in value.value]
        for key, value in root.value
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.SequenceNode)
    }


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None)
    return 1 if mark is None else mark.line + 1


def _problem(error: Exception) -> str:
    return getattr(error, "problem", None) or str(error).splitlines()[0]
