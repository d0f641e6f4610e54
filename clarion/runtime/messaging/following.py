"""Keeping a trace for work that is done later by another: a fan-out, a mail. Without a tracer nothing is asked."""

from collections.abc import Collection, Iterable

from clarion.runtime import traces
from clarion.runtime.database import Connection, load_queries


async def keep_trace(connection: Connection, subjects: Collection[str]) -> None:
    """Whoever does what belongs to these goes on with the current trace."""
    current = traces.traceparent()
    if current is not None and subjects:
        queries = load_queries("clarion.runtime.messaging")
        await queries.save_traces(connection, subjects=sorted(subjects), traceparent=current)


async def kept_traces(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """The traces to go on with, by subject."""
    if not traces.tracing():
        return {}
    rows = load_queries("clarion.runtime.messaging").find_traces(connection, subjects=list(set(subjects)))
    return {row["subject"]: row["traceparent"] async for row in rows}
