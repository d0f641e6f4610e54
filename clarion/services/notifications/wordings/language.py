"""The language of wordings: a small part of Jinja2, in its sandbox, in which every name is known beforehand.

A loop goes through a list of the mail and nothing else; there are no calls, assignments, arithmetic or macros.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from clarion.services.notifications.wordings.faults import Fault
from clarion.services.notifications.wordings.limits import Allowance
from clarion.services.notifications.wordings.vocabulary import TEXTS, Flag, Many, Place, Shape, Text, Thing, known_names

FILTERS: Mapping[str, Callable[..., Any]] = {
    "upper": lambda text: str(text or "").upper(),
    "lower": lambda text: str(text or "").lower(),
    "capitalize": lambda text: str(text or "").capitalize(),
    "trim": lambda text: str(text or "").strip(),
    "length": lambda found: len(found or ()),
    "join": lambda texts, between=", ": between.join(str(text) for text in texts),
    "default": lambda text, otherwise="": text or otherwise,
}
"""A text that is not there is an empty one to all of them."""
TESTS = frozenset({"none", "defined"})
DEEPEST_LOOPS = 3
LOOP = Thing({"index": Text(), "first": Flag(), "last": Flag(), "length": Text()})
MARK = "vZq"
PAPER = "_paper"
"""The name under which a writing keeps its values and its allowance; no wording can name it."""
NAMES_SHOWN = 60
WORDS: Mapping[type[nodes.Node], str] = {
    nodes.Call: "a call, such as range() or cycler(),",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a macro",
    nodes.Include: "another template",
    nodes.Extends: "another template",
    nodes.Import: "another template",
    nodes.FromImport: "another template",
    nodes.Block: "a block",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.With: "with",
    nodes.FilterBlock: "a filter around a part",
    nodes.List: "a list of one's own",
    nodes.Tuple: "a list of one's own",
    nodes.Dict: "a list of one's own",
    nodes.Getitem: "a place in a list, such as [0],",
}
Part = Literal["subject", "body"]


def storable_source(source: str) -> bool:
    """Whether all its characters can stand in a mail and in the database."""
    return all(character in "\t\n\r" or character.isprintable() for character in source)


class Paper:
    """What one writing printed: each value apart from the wording's own words, which alone are markup."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.values: list[Any] = []

    def put(self, value: Any) -> str:
        """A word that stands for the value until the markup is read."""
        printed = "" if value is None else value if isinstance(value, PlaceHere) else str(value)
        if printed == "":
            self.allowance.spend()
            return ""
        self.allowance.spend(len(printed) if isinstance(printed, str) else 0)
        self.values.append(printed)
        mark = f"{MARK}{len(self.values) - 1}{MARK[::-1]}"
        return mark if isinstance(printed, str) else f"\n\n{mark}\n\n"


@dataclass(frozen=True, slots=True)
class PlaceHere:
    """The value of a place that each recipient fills."""

    name: str


@pass_context
def put(context: Context, value: Any) -> str:
    """What Jinja2 does with each value that is printed."""
    paper: Paper = context[PAPER]
    return paper.put(value)


@pass_context
def counted(context: Context, iterable: Any) -> Iterator[Any]:
    """The filter that is put around what every loop goes through."""
    paper: Paper = context[PAPER]
    return paper.allowance.counted(iterable)


def sandbox() -> SandboxedEnvironment:
    """Where wordings run: nothing is there but what is given to them."""
    made = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=put, cache_size=0
    )
    made.globals.clear()
    made.filters = {**FILTERS, "counted": counted}
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


@dataclass
class Reading:
    """One part of a wording, read: its tree, what is wrong with it, and what it names."""

    template: str
    part: Part
    tree: nodes.Template | None = None
    faults: list[Fault] = field(default_factory=list)
    named: set[str] = field(default_factory=set)

    def say(self, line: int | None, said: str, known: Sequence[str] = ()) -> None:
        """Note a fault, once."""
        fault = Fault(self.template, self.part, line, said, tuple(known))
        if fault not in self.faults:
            self.faults.append(fault)


def read_source(environment: SandboxedEnvironment, template: str, part: Part, source: str, scope: Thing) -> Reading:
    """Read a part of a wording of this template and look through all of it."""
    found = Reading(template, part)
    if MARK in source or not storable_source(source):
        found.say(None, "characters that no mail can hold, or a word that is kept for our own use, stand")
        return found
    try:
        found.tree = environment.parse(source)
    except TemplateSyntaxError as error:
        found.say(error.lineno, f"{(error.message or 'what cannot be read').rstrip('.')}:")
    except RecursionError:
        found.say(None, "nested too deep:")
    else:
        Walk(found, scope).go(found.tree)
    return found


class Walk:
    """Goes through a tree: whatever is not known to be harmless is a fault."""

    def __init__(self, found: Reading, scope: Thing) -> None:
        self._found = found
        self._scope = scope

    def go(self, tree: nodes.Template) -> None:
        """Look at everything."""
        try:
            self._statements(tree.body, dict(self._scope.parts), depth=0, inside=False)
        except RecursionError:
            self._found.say(None, "nested too deep:")

    def _say(self, node: nodes.Node, said: str) -> None:
        self._found.say(node.lineno, said)

    def _statements(self, body: Sequence[nodes.Node], scope: dict[str, Shape], *, depth: int, inside: bool) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for one in node.nodes:
                        self._printed(one, scope, inside=inside)
                case nodes.If():
                    self._value(node.test, scope)
                    self._statements([*node.body, *node.elif_, *node.else_], scope, depth=depth, inside=True)
                case nodes.For():
                    self._loop(node, scope, depth)
                case _:
                    self._refuse(node)

    def _loop(self, node: nodes.For, scope: dict[str, Shape], depth: int) -> None:
        shape = self._value(node.iter, scope)
        if node.recursive or node.test is not None or not isinstance(node.target, nodes.Name):
            self._say(node, "a loop is written {% for one in list %}, without more")
        if shape is not None and not isinstance(shape, Many):
            self._say(node, f"{{{{ {dotted(node.iter)} }}}} is no list, so a loop cannot go through it")
        if depth >= DEEPEST_LOOPS:
            self._say(node, f"loops stand within loops at most {DEEPEST_LOOPS} deep")
            return
        name = node.target.name if isinstance(node.target, nodes.Name) else "one"
        inner = {**scope, name: shape.of if isinstance(shape, Many) else Thing({}), "loop": LOOP}
        self._statements(node.body, inner, depth=depth + 1, inside=True)
        self._statements(node.else_, scope, depth=depth, inside=True)
        node.iter = nodes.Filter(node.iter, "counted", [], [], None, None, lineno=node.lineno)

    def _printed(self, node: nodes.Node, scope: dict[str, Shape], *, inside: bool) -> None:
        if isinstance(node, nodes.TemplateData):
            return
        shape = self._value(node, scope)
        if isinstance(shape, Place) and (inside or self._found.part == "subject"):
            self._say(node, f"{{{{ {dotted(node)} }}}} stands in the body, outside of conditions and loops")
        elif isinstance(shape, Many):
            self._say(node, f"{{{{ {dotted(node)} }}}} is a list: {{% for one in {dotted(node)} %}} goes through it")
        elif isinstance(shape, Flag):
            self._say(node, f"{{{{ {dotted(node)} }}}} is yes or no: {{% if {dotted(node)} %}} asks for it")
        elif isinstance(shape, Thing):
            parts = ", ".join(f"{dotted(node)}.{name}" for name in shape.parts)
            self._say(node, f"{{{{ {dotted(node)} }}}} has parts, each printed by itself: {parts}")

    def _value(self, node: nodes.Node, scope: dict[str, Shape]) -> Shape | None:
        """The shape of an expression; None where a fault was found."""
        shape: Shape | None = Flag()
        match node:
            case nodes.Const():
                shape = Text()
            case nodes.Name():
                shape = self._name(node, scope)
            case nodes.Getattr():
                shape = self._attribute(node, scope)
            case nodes.Filter(node=nodes.Node() as filtered, name=name) if name in FILTERS:
                shape = self._filtered(node, filtered, scope)
            case nodes.Test() if node.name in TESTS:
                self._all([node.node, *node.args], scope)
            case nodes.Compare():
                self._all([node.expr, *(operand.expr for operand in node.ops)], scope)
            case nodes.And() | nodes.Or():
                self._all([node.left, node.right], scope)
            case nodes.Not():
                self._all([node.node], scope)
            case _:
                self._refuse(node)
                shape = None
        return shape

    def _all(self, found: list[Any], scope: dict[str, Shape]) -> None:
        for node in found:
            self._value(node, scope)

    def _filtered(self, node: nodes.Filter, filtered: nodes.Node, scope: dict[str, Shape]) -> Shape:
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse(node)
        shape = self._value(filtered, scope)
        self._all(node.args, scope)
        wanted: tuple[Shape, ...] = {"join": (TEXTS,), "length": (TEXTS, Text())}.get(node.name, (Text(),))
        many = node.name == "length" and isinstance(shape, Many)
        if shape is not None and shape not in wanted and not many:
            self._say(node, f"|{node.name} on what is {'no list of texts' if TEXTS in wanted else 'no text'}")
        return Text()

    def _name(self, node: nodes.Name, scope: dict[str, Shape]) -> Shape | None:
        if node.name not in scope:
            self._unknown(node, node.name, known_names(scope))
            return None
        self._found.named.add(node.name)
        return scope[node.name]

    def _attribute(self, node: nodes.Getattr, scope: dict[str, Shape]) -> Shape | None:
        whole = self._value(node.node, scope)
        if whole is None:
            return None
        name = dotted(node)
        if not isinstance(whole, Thing) or node.attr not in whole.parts:
            parts = known_names(whole.parts) if isinstance(whole, Thing) else []
            of = dotted(node.node)
            self._unknown(node, name, [f"{of}.{part}" for part in parts] or known_names(scope))
            return None
        self._found.named.add(name)
        return whole.parts[node.attr]

    def _unknown(self, node: nodes.Node, name: str, known: list[str]) -> None:
        self._found.say(node.lineno, f"unknown placeholder {{{{ {name} }}}}", known[:NAMES_SHOWN])

    def _refuse(self, node: nodes.Node) -> None:
        match node:
            case nodes.Filter():
                said = f"the filter |{node.name}" if node.name not in FILTERS else f"|{node.name} with named arguments"
            case nodes.Test():
                said = f"the test `is {node.name}`"
            case nodes.BinExpr() | nodes.UnaryExpr():
                said = "arithmetic"
            case _:
                said = WORDS.get(type(node), type(node).__name__.lower())
        self._say(node, f"{said} cannot be used")


def dotted(node: nodes.Node) -> str:
    """An expression as it was written, if it is a name."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{dotted(node.node)}.{node.attr}"
        case nodes.Filter() if node.node is not None:
            return dotted(node.node)
        case _:
            return "it"
