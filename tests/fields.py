"""What a site's parameters may be is worked out once in a process, though each test has a site of its own."""

from typing import Any

from fastapi._compat.v2 import ModelField, asdict
from pydantic import TypeAdapter

MOST = 4_000
"""Bodies made of several parameters are types of one site: it is no use to keep all of them."""


def read_once() -> None:
    """From now on, in every router: fields that say the same have one validator."""
    made: Any = ModelField.__post_init__
    kept: dict[object, TypeAdapter[Any]] = {}

    def once(field: ModelField) -> None:
        said = asdict(field.field_info)
        key = (said["annotation"], repr(said["metadata"]), repr(said["attributes"]), repr(field.config))
        if key not in kept:
            made(field)
            if len(kept) == MOST:
                kept.clear()
            kept[key] = field._type_adapter
        field._type_adapter = kept[key]

    ModelField.__post_init__ = once  # type: ignore[method-assign]
