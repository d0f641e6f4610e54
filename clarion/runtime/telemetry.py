"""Logs: one line an event, in JSON for machines or plain for a terminal, on standard error, with ids only."""

import logging
import sys

import structlog
from structlog.typing import EventDict

from clarion.runtime import traces

NOISY = ("aiokafka", "faststream", "mail.log", "asyncio", "uvicorn")


def with_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The line with the trace to which it belongs, if to any."""
    found = traces.trace_id()
    if found is not None:
        event["trace_id"] = found
    return event


SHARED = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    with_trace,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure_logs(level: str = "INFO", *, as_json: bool) -> None:
    """Send every log of this process, libraries' included, to standard error.

    For machines, libraries speak from WARNING on. On a terminal they are silent: Kafka's client calls each passing
    retry an error, and what lasts our own code says.
    """
    libraries = logging.WARNING if as_json else logging.CRITICAL
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(libraries, logging.getLogger().level))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
