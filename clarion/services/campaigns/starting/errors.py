"""Why a campaign is not started, moved or cancelled; each says what to do."""

from collections.abc import Sequence

from clarion.runtime.web.fields import FieldError


class NotToBeStarted(Exception):
    """It cannot be done; the message says why."""


class Unfit(NotToBeStarted):
    """A draft that is wrong somewhere; `errors` name each field as the draft has it."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)

    @classmethod
    def at(cls, field: str, message: str) -> "Unfit":
        """One thing that is wrong."""
        return cls([FieldError(field=field, message=message)])


class NotYours(NotToBeStarted):
    """Somebody whose right ends at the own divisions would reach beyond them."""


class Unknown(NotToBeStarted):
    """There is no such campaign."""


class Taken(NotToBeStarted):
    """Another campaign was started from a draft of this id."""


class Overtaken(NotToBeStarted):
    """It is other than what was looked at; `changes` says in which way, as sentences."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__(f"it changed since you looked: {'. '.join(changes)}. Look at it again, then decide")
        self.changes = tuple(changes)
