"""What a wording may name: for each template its placeholders, and what each of them holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from clarion.schemas.messages import CallContent, NoticeContent, RegistrationContent
from clarion.services.notifications.domain.agenda import BillText
from clarion.services.notifications.domain.asking import Button, Item


@dataclass(frozen=True, slots=True)
class Text:
    """Something that can be printed; or is not there, which prints nothing."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no, for conditions."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that each recipient's mail fills with their own: alone on its line, once, whatever the conditions."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list, to be gone through."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with parts, each printed by its own name."""

    parts: "Mapping[str, Shape]"


Shape = Text | Flag | Place | Many | Thing

HIDDEN: Mapping[type, frozenset[str]] = {CallContent: frozenset({"bills"}), BillText: frozenset({"left_out"})}
"""Parts that stand under a better name: `bills` are cut so that they fit into a mail, `left_out` of all is in words."""


def shape_of(hint: Any) -> Shape:
    """The shape of what a type holds."""
    if get_origin(hint) is Literal:
        return Text()
    inner = [one for one in get_args(hint) if one is not NoneType and isinstance(one, type | type(list[str]))]
    if get_origin(hint) in {list, tuple}:
        return Many(shape_of(inner[0]))
    if get_args(hint):
        return shape_of(inner[0])
    if hint is bool:
        return Flag()
    return Thing(dict(parts_of(hint))) if has_parts(hint) else Text()


def has_parts(hint: Any) -> bool:
    """Whether a type has parts that can be named."""
    return isinstance(hint, type) and (issubclass(hint, BaseModel) or is_dataclass(hint))


def parts_of(model: Any) -> Iterator[tuple[str, Shape]]:
    """The parts of a model or dataclass, and what it works out of them."""
    names = [one.name for one in fields(model)] if is_dataclass(model) else list(model.model_fields)
    worked_out = {
        name: get_type_hints(found.fget)["return"]
        for name, found in vars(model).items()
        if isinstance(found, property) and found.fget is not None and is_dataclass(model)
    }
    hints = get_type_hints(model) | worked_out
    for name in [*names, *worked_out]:
        if name not in HIDDEN.get(model, ()):
            yield name, shape_of(hints[name])


TEXTS = Many(Text())
VOCABULARY: Mapping[str, Thing] = {
    "call": Thing(
        {
            "subject": Text(),
            "asked": TEXTS,
            "deadlines": Many(shape_of(Item)),
            "how": TEXTS,
            "button": shape_of(Button),
            "too_late": Text(),
            "contact": Text(),
            "person": Text(),
            "notice_link": Text(),
            "bills": Many(shape_of(BillText)),
            "left_out": Text(),
            "call": shape_of(CallContent),
            "why": Place(),
        }
    ),
    "over": Thing({"subject": Text(), "paragraphs": TEXTS, "about": TEXTS, "contact": Text()}),
    "registration": Thing(
        {
            "subject": Text(),
            "opening": TEXTS,
            "over": Flag(),
            "partners": Text(),
            "presenters": TEXTS,
            "contact": Text(),
            "enquiries": Text(),
            "seat": shape_of(RegistrationContent),
        }
    ),
    "notice": Thing({"subject": Text(), "notice": shape_of(NoticeContent)}),
}
"""The templates that may be worded, and their placeholders. Greeting, changes and foot stand in every mail anyway."""

DEMANDED: Mapping[str, tuple[str, ...]] = {
    "call": ("asked", "deadlines", "why"),
    "over": ("paragraphs",),
    "registration": ("opening", "seat.status_url"),
    "notice": ("notice.paragraphs", "notice.url"),
}
"""What each body has to name."""
DEMANDED_IN_SUBJECT: Mapping[str, tuple[str, ...]] = {
    "registration": ("subject",),
    "notice": ("subject",),
    "over": ("subject",),
}
"""Where the mails of one template say very different things, their subject has to hold the one that says which."""
PLACES = frozenset({"why"})

USES: Mapping[str, str] = {
    "call": "calls for action",
    "over": "what is said when a call is over",
    "registration": "answers to registrations",
    "notice": "notices to staff and officials",
}
"""What each template is for, as staff know it."""


def told_names(template: str) -> list[str]:
    """All that a wording of the template may name, with the parts of what its lists hold: "bills (each: ask, why)"."""
    found = []
    for name in known_names(VOCABULARY[template].parts):
        match VOCABULARY[template].parts.get(name):
            case Many(Thing(parts)):
                found.append(f"{name} (each: {', '.join(known_names(parts))})")
            case _:
                found.append(name)
    return found


def known_names(scope: Mapping[str, Shape]) -> list[str]:
    """All that may be named, with the parts of things."""
    found = []
    for name, shape in scope.items():
        found += [f"{name}.{part}" for part in known_names(shape.parts)] if isinstance(shape, Thing) else [name]
    return sorted(found)
