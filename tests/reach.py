"""What a function can come to, read from its code: for tests that hold all commands and routes to a rule.

It says too much rather than too little: of a class that a function names, every method whose name it names as well.
"""

import functools
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, get_args

ROOT = Path(str(files("clarion")))
WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\b")
QUERY = re.compile(r"^-- name: *([\w-]+)", re.MULTILINE)
COPIES = {"copy_records_to_table", "copy_to_table"}


def statements() -> Mapping[str, str]:
    """All named statements, by their names; those of one name together."""
    found: dict[str, str] = {}
    for path in ROOT.rglob("sql/*.sql"):
        parts = QUERY.split(path.read_text("utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            plain = re.sub(r"--.*|FOR (NO KEY )?UPDATE|DO UPDATE", "", text)
            found[name.replace("-", "_")] = found.get(name, "") + plain
    return found


WRITING = {name for name, text in statements().items() if WRITES.search(text)} | COPIES


def names_in(code: CodeType) -> set[str]:
    """All names that a function's code uses, with those of the functions inside it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*(names_in(one) for one in inner)) if inner else set(code.co_names)


def ours(thing: object) -> bool:
    """Whether it is of this project."""
    return str(getattr(thing, "__module__", "") or getattr(thing, "__name__", "")).startswith("clarion")


@dataclass
class Reach:
    """Everything that was come to."""

    functions: set[FunctionType] = field(default_factory=set)
    statements: set[str] = field(default_factory=set)

    def visit(self, function: FunctionType, owner: type | None = None) -> None:
        """Follow a function."""
        if function in self.functions:
            return
        self.functions.add(function)
        names = names_in(function.__code__)
        self.statements |= (names - elsewhere(function, names)) & statements_known()
        for thing in self.named(function, names, owner):
            self.follow(thing, names)

    def named(self, function: FunctionType, names: set[str], owner: type | None) -> Iterator[Any]:
        """What the names mean, what parameters are, and what is around the function."""
        yield from (function.__globals__[name] for name in names if name in function.__globals__)
        yield from (cell.cell_contents for cell in function.__closure__ or ())
        yield from hinted(function.__annotations__.values())
        yield from (importlib.import_module(name) for name in names if name.startswith("clarion."))
        for base in owner.__mro__ if owner is not None else ():
            if ours(base):
                yield base
                yield from hinted(getattr(base, "__annotations__", {}).values())
                yield from hinted(getattr(vars(base).get("__init__"), "__annotations__", {}).values())

    def follow(self, thing: Any, names: set[str]) -> None:
        """Go on to what it can do under these names."""
        match thing:
            case FunctionType() if ours(thing):
                self.visit(thing)
            case MethodType():
                self.visit(thing.__func__, type(thing.__self__))
            case functools.partial():
                self.follow_all((thing.func, *thing.args, *thing.keywords.values()), names)
            case ModuleType() if ours(thing):
                found = [vars(thing).get(name) for name in names]
                self.follow_all([one for one in found if not isinstance(one, ModuleType)], names)
            case type():
                self.methods(thing, names | {"__init__", "__post_init__", "__call__", "__aenter__"})
            case dict() | list() | tuple():
                parts = thing.values() if isinstance(thing, dict) else thing
                self.follow_all([one for one in parts if isinstance(one, FunctionType | MethodType | type)], names)
            case _:
                self.methods(type(thing), names | {"__call__"})

    def follow_all(self, things: Iterable[Any], names: set[str]) -> None:
        """Each of them."""
        for thing in things:
            self.follow(thing, names)

    def methods(self, owner: type, names: Iterable[str]) -> None:
        """The methods of a class that have one of these names."""
        for base in owner.__mro__ if ours(owner) else ():
            for name, found in list(vars(base).items()):
                if name not in names:
                    continue
                method = inspect.unwrap(getattr(found, "__func__", getattr(found, "fget", None) or found))
                if isinstance(method, FunctionType) and ours(method):
                    self.visit(method, owner)

    @property
    def writes(self) -> set[str]:
        """The statements that change something."""
        return self.statements & WRITING


def elsewhere(function: FunctionType, names: set[str]) -> set[str]:
    """The names that mean something else than a statement: a global, or what another project's module has."""
    known = function.__globals__
    modules = [known[name] for name in names if isinstance(known.get(name), ModuleType) and not ours(known[name])]
    return set(known).union(*(dir(module) for module in modules))


@functools.cache
def statements_known() -> frozenset[str]:
    return frozenset(statements()) | COPIES


def hinted(hints: Iterable[Any]) -> Iterator[Any]:
    """The classes of this project that type hints name."""
    for hint in hints:
        if isinstance(hint, type) and ours(hint):
            yield hint
        yield from hinted(get_args(hint))


def reach_of(function: Any) -> Reach:
    """What a command or a route can come to."""
    found = Reach()
    found.follow(inspect.unwrap(function), set())
    return found
