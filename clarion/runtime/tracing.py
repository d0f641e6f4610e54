"""OpenTelemetry behind our own places for spans: by OTLP to a collector, where an endpoint is set."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TracerProvider, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from clarion.runtime import traces
from clarion.runtime.settings import MissingSetting, Settings

MOST_LINKS = 100
HEADERS = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Spans of a provider. Work that goes back to one trace goes on in it; to several, it is linked to them."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("clarion")

    @contextlib.contextmanager
    def span(self, name: str, parents: Sequence[str], attributes: dict[str, Any]) -> Iterator[Span]:
        """A span that is the current one until the end of the block; an error leaves its kind there, not its words."""
        found = [context for context in map(context_of, parents) if context is not None]
        one_trace = len({context.trace_id for context in found}) == 1
        parent = HEADERS.extract({traces.TRACEPARENT: parents[0]}, Context()) if one_trace else None
        links = [Link(context) for context in found[one_trace:][:MOST_LINKS]]
        with self._tracer.start_as_current_span(
            name,
            parent,
            SpanKind.CONSUMER if parents else SpanKind.INTERNAL,
            attributes,
            links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise

    def begin(self, name: str, parent: str | None, attributes: dict[str, Any]) -> Callable[[str], None]:
        """A span that ends when what this gives is called, with a word on what came of it."""
        context = HEADERS.extract({traces.TRACEPARENT: parent}, Context()) if parent else Context()
        span = self._tracer.start_span(name, context, SpanKind.CLIENT, attributes)

        def end(outcome: str) -> None:
            span.set_attribute("clarion.outcome", outcome)
            span.end()

        return end

    def traceparent(self) -> str | None:
        """The current span, as it stands in a header."""
        carrier: dict[str, str] = {}
        HEADERS.inject(carrier)
        return carrier.get(traces.TRACEPARENT)


def context_of(traceparent: str) -> SpanContext | None:
    """The span that a header names, or None where it names none."""
    context = get_current_span(HEADERS.extract({traces.TRACEPARENT: traceparent}, Context())).get_span_context()
    return context if context.is_valid else None


@contextlib.contextmanager
def traced_by(provider: TracerProvider) -> Iterator[None]:
    """Trace until the end of the block."""
    traces.use(OpenTelemetryTracer(provider))
    try:
        yield
    finally:
        traces.use(None)


@contextlib.contextmanager
def exporting_traces(settings: Settings) -> Iterator[None]:
    """Send traces to the collector that is set until the end of the block; do nothing where none is.

    Raises:
        MissingSetting: a collector is set, and the packages that speak to it are not installed.
    """
    if not settings.traces_endpoint:
        yield
        return
    provider = provider_of(settings.traces_endpoint, settings.traces_share)
    try:
        with traced_by(provider):
            yield
    finally:
        provider.shutdown()


def provider_of(endpoint: str, share: float) -> Any:
    """A provider that sends a share of all traces, in batches and beside the work."""
    try:
        sdk = import_module("opentelemetry.sdk.trace")
        export = import_module("opentelemetry.sdk.trace.export")
        sampling = import_module("opentelemetry.sdk.trace.sampling")
        resources = import_module("opentelemetry.sdk.resources")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise MissingSetting(
            "CLARION_TRACES_ENDPOINT is set, but what speaks to it is not installed: pip install 'clarion[traces]'"
        ) from error
    provider = sdk.TracerProvider(
        sampler=sampling.ParentBasedTraceIdRatio(share),
        resource=resources.Resource.create({"service.name": "clarion"}),
        shutdown_on_exit=False,
    )
    exporter = otlp.OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider
