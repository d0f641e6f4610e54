"""What is wrong with an input, field by field: over HTTP, in a file and in a form."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel


class FieldError(BaseModel):
    """One thing wrong with a request: `field` as in `data.agenda[0].bill`, `index` its place in an array."""

    field: str
    message: str
    index: int | None = None


def field_path(location: Sequence[str | int]) -> str:
    """A pydantic location as people write it: `agenda[0].bill`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def field_errors(
    errors: Sequence[Mapping[str, Any]],
    value: Any,
    *,
    prefix: tuple[str, ...] = (),
    index: int | None = None,
) -> list[FieldError]:
    """Pydantic's errors on `value`, one for each field, without the names of union members in their paths."""
    found: dict[str, FieldError] = {}
    for error in errors:
        path = field_path((*prefix, *existing(error["loc"], value, missing=error["type"] == "missing")))
        message = str(error["msg"]).removeprefix("Value error, ")
        found.setdefault(path, FieldError(field=path or "(body)", message=message, index=index))
    return list(found.values())


def existing(location: Sequence[str | int], value: Any, *, missing: bool) -> tuple[str | int, ...]:
    """The part of a location that leads somewhere in the value (or to what is missing from it)."""
    path: list[str | int] = []
    for part in location:
        inside = (isinstance(value, Mapping) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if not inside:
            return (*path, part) if missing else tuple(path)
        path.append(part)
        value = value[part]
    return tuple(path)
