"""One trace from a request to the mails that come of it, across all services."""

import json
from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from clarion.runtime import traces
from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import MissingSetting, Settings
from clarion.runtime.tracing import provider_of, traced_by
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.installation import Installation, installed

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher, 150) as here:
        yield here


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


async def test_one_request_is_one_trace_through_all_services_to_each_mail(
    installation: Installation, exporter: InMemorySpanExporter, provider: TracerProvider, until: Until
) -> None:
    here = installation
    notice = {"type": "hearing.scheduled", "data": sample_notice(system_clock())}
    with traced_by(provider):
        here.site.headers["traceparent"] = CALLER
        await here.post(notice)
        await until(here.told_everyone, 60)
    spans = exporter.get_finished_spans()
    ours = [span for span in spans if span.context is not None and f"{span.context.trace_id:032x}" == TRACE]
    names = [span.name for span in ours]
    assert names[0] == "POST /api"
    assert set(names) >= {
        "legislation handles legislation.updates.v1",
        "campaigns handles legislation.alerts.v1",
        "campaigns fans out",
        "notifications handles campaigns.calls.v1",
        "smtp send",
    }
    mails = [span for span in ours if span.name == "smtp send"]
    assert len(mails) == len(here.addresses)
    assert {(span.attributes or {})["clarion.outcome"] for span in mails} == {"accepted"}
    told = json.dumps([[span.name, dict(span.attributes or {})] for span in spans])
    assert "@" not in told
    assert not [address for address in here.addresses if address in told]


async def test_without_a_tracer_nothing_is_kept_of_traces(installation: Installation, until: Until) -> None:
    here = installation
    await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
    await until(here.told_everyone, 60)
    for schema in ("campaigns", "notifications"):
        assert await here.rows(f"SELECT 1 FROM {schema}.traces") == []
        assert await here.rows(f"SELECT 1 FROM {schema}.outbox WHERE headers::text LIKE '%traceparent%'") == []


def test_a_span_is_current_only_within_its_block(provider: TracerProvider) -> None:
    with traced_by(provider):
        with traces.span("outer"):
            outer = traces.trace_id()
            with traces.span("inner"):
                assert traces.trace_id() == outer
        assert traces.trace_id() is None
    assert not traces.tracing()


def test_work_of_several_traces_is_linked_to_each_and_goes_on_in_its_own(
    exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    other = "00-11111111111111111111111111111111-2222222222222222-01"
    with traced_by(provider), traces.span("batch", [CALLER, other, "no traceparent"]):
        own = traces.trace_id()
    (span,) = exporter.get_finished_spans()
    assert own not in {TRACE, "1" * 32}
    assert {f"{link.context.trace_id:032x}" for link in span.links} == {TRACE, "1" * 32}


def test_a_failure_leaves_its_kind_in_the_span_and_none_of_its_words(
    exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    with pytest.raises(LookupError), traced_by(provider), traces.span("work"):
        raise LookupError("ada@cities.example")
    assert "ada@" not in exporter.get_finished_spans()[0].to_json()
    assert "LookupError" in exporter.get_finished_spans()[0].to_json()


def test_traces_go_to_the_collector_that_is_set() -> None:
    provider = provider_of("http://127.0.0.1:1/", 0.5)
    assert isinstance(provider, TracerProvider)
    provider.shutdown()


def test_a_collector_without_what_speaks_to_it_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(MissingSetting, match=r"clarion\[traces\]"):
        provider_of("http://127.0.0.1:1", 1.0)
