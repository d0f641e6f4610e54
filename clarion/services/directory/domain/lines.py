"""What understanding a line comes to: an entity, or why not."""

from collections.abc import Callable, Iterable, Iterator

from pydantic import ValidationError

from clarion.services.directory.domain.references import References, Unmatched
from clarion.services.directory.domain.report import Line, Note, Record, Rejection
from clarion.services.directory.domain.rows import Keyed, faults

Read = Line | Rejection | Note
Understood = Record | Rejection | Note
One = Callable[[Line, References], Record]


def each(one: One, key: str | None) -> Callable[[Iterable[Read], References], Iterator[Understood]]:
    """Line by line; `key` is the column that names the entity, so that a rejected line says whom it is about."""

    def understand(lines: Iterable[Read], references: References) -> Iterator[Understood]:
        for line in lines:
            yield _attempt(one, key, line, references) if isinstance(line, Line) else line

    return understand


def _attempt(one: One, key: str | None, line: Line, references: References) -> Record | Rejection:
    try:
        return one(line, references)
    except (ValidationError, Unmatched) as error:
        return rejection(line, error, named(line, key, error))


def rejection(line: Line | Record, error: ValidationError | Unmatched, names: str | None) -> Rejection:
    """A line, or a part of it, that cannot be taken."""
    reason = faults(error) if isinstance(error, ValidationError) else str(error)
    return Rejection(line.file, line.line, reason, names)


def named(line: Line, key: str | None, error: ValidationError | Unmatched) -> str | None:
    """The id that a rejected line states, if it can be read and is not what is wrong with it."""
    if key is None or (
        isinstance(error, ValidationError) and any(fault["loc"][:1] == (key,) for fault in error.errors())
    ):
        return None
    try:
        return Keyed.model_validate({"id": line.values.get(key)}).id
    except ValidationError:
        return None
