"""Where code says what belongs to which trace (W3C trace context). Without a tracer these do next to nothing."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

TRACEPARENT = "traceparent"


class Tracer(Protocol):
    """Makes spans; `parents` are traceparents of what a span goes back to."""

    def span(self, name: str, parents: Sequence[str], attributes: dict[str, Any]) -> AbstractContextManager[Any]:
        """A span that is the current one until the end of the block."""

    def begin(self, name: str, parent: str | None, attributes: dict[str, Any]) -> Callable[[str], None]:
        """A span that is over when what this gives is called, with a word on what came of it."""

    def traceparent(self) -> str | None:
        """The current span, as it stands in a header."""


class _Place:
    tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Trace with this from now on, in the whole process; None ends it."""
    _Place.tracer = tracer


def tracing() -> bool:
    """Whether there is a tracer."""
    return _Place.tracer is not None


def span(name: str, parents: Iterable[str] = (), **attributes: Any) -> AbstractContextManager[Any]:
    """A span around a piece of work. What is enqueued within it belongs to its trace."""
    if _Place.tracer is None:
        return nullcontext()
    return _Place.tracer.span(name, list(dict.fromkeys(parents)), attributes)


def begin(name: str, parent: str | None, **attributes: Any) -> Callable[[str], None] | None:
    """A span that others go on beside; None without a tracer."""
    return _Place.tracer.begin(name, parent, attributes) if _Place.tracer is not None else None


def traceparent() -> str | None:
    """The current span, for a header; None outside of one."""
    return _Place.tracer.traceparent() if _Place.tracer is not None else None


def trace_id() -> str | None:
    """The current trace, for a line of the log."""
    found = traceparent()
    return found.split("-")[1] if found else None
