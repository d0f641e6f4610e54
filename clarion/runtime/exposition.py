"""What Prometheus reads of a process: read at the moment it asks, so that nothing is counted twice or kept in step."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clarion.runtime.messaging import depths
from clarion.runtime.process import RunningService
from clarion.runtime.readings import Family, Reading
from clarion.runtime.watch import Watch

BUILD = Family("clarion_build_info", "Always 1, with the version", ("version",))
DATABASE_UP = Family("clarion_database_up", "Whether the database answers this process")
KAFKA_UP = Family("clarion_kafka_up", "Whether the broker answers this process")
MIGRATIONS_MISSING = Family("clarion_migrations_missing", "Migrations of this version that the database lacks")
ALIVE = Family("clarion_service_alive", "Whether consumers, relay and workers make progress", ("service",))
READY = Family("clarion_service_ready", "Whether the service takes part", ("service",))
TASK_FAILURES = Family("clarion_task_failures_total", "How often a task failed and began anew", ("task",), "counter")
TASK_SILENT = Family("clarion_task_silent_seconds", "How long the quietest part of a task has been silent", ("task",))
LAG = Family("clarion_consumer_lag_records", "Records that a service's group has not handled", ("service", "topic"))
ASSIGNED = Family("clarion_consumer_partitions", "Partitions that this process reads", ("service", "topic"))
HANDLED = Family("clarion_records_handled_total", "Records dealt with", ("service", "topic"), "counter")
FAILED = Family(
    "clarion_batches_failed_total",
    "Batches whose handler failed, to be done one by one",
    ("service", "topic"),
    "counter",
)
DEAD = Family("clarion_records_dead_total", "Records that became dead letters", ("service", "topic"), "counter")
RELAY_LEADS = Family("clarion_outbox_relay_leads", "Whether this process publishes the service's outbox", ("service",))
PUBLISHED = Family("clarion_outbox_published_total", "Messages published from the outbox", ("service",), "counter")
POOL = Family("clarion_database_pool_connections", "Connections of a service's pool", ("service", "state"))

FAMILIES = (
    *(BUILD, DATABASE_UP, KAFKA_UP, MIGRATIONS_MISSING, ALIVE, READY, TASK_FAILURES, TASK_SILENT, LAG, ASSIGNED),
    *(HANDLED, FAILED, DEAD, RELAY_LEADS, PUBLISHED, POOL, *depths.FAMILIES),
)


class Exposition(Collector):
    """The figures of one process and of what its watch found last."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterable[Metric]:
        """All figures, by family."""
        found: dict[Family, list[Reading]] = defaultdict(list)
        for reading in self._readings():
            found[reading.family].append(reading)
        for family, readings in found.items():
            made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = made(family.name, family.help, labels=family.labels)
            for reading in readings:
                metric.add_metric(reading.labels, reading.value)
            yield metric

    def _readings(self) -> Iterator[Reading]:
        watch = self._watch
        yield Reading(BUILD, 1, (version("clarion"),))
        yield Reading(DATABASE_UP, watch.database is None)
        yield Reading(KAFKA_UP, watch.kafka is None)
        yield Reading(MIGRATIONS_MISSING, len(watch.missing or ()))
        for (service, topic), standing in watch.standings.items():
            yield Reading(LAG, standing.lag, (service, topic))
        for one, health in zip(watch.running.services, watch.running.health(), strict=True):
            yield Reading(ALIVE, health.alive, (health.service,))
            yield Reading(READY, health.ready, (health.service,))
            yield from self._of_running(one)
        for built in watch.services:
            usage = built.database.usage
            for state, count in (("busy", usage.busy), ("idle", usage.idle), ("most", usage.most)):
                yield Reading(POOL, count, (built.name, state))
        yield from watch.readings

    def _of_running(self, one: RunningService) -> Iterator[Reading]:
        name = one.service.name
        yield Reading(RELAY_LEADS, one.relay.leads, (name,))
        yield Reading(PUBLISHED, one.relay.published, (name,))
        for life in one.lives:
            yield Reading(TASK_FAILURES, life.failures, (life.name,))
            silent = life.silent(self._watch.running.outage_at)
            if silent:
                yield Reading(TASK_SILENT, max(silent.values()), (life.name,))
        if one.subscribers is None:
            return
        for topic, tally in one.subscribers.tallies.items():
            yield Reading(ASSIGNED, one.subscribers.pulses[topic].assigned, (name, topic))
            yield Reading(HANDLED, tally.handled, (name, topic))
            yield Reading(FAILED, tally.failed_batches, (name, topic))
            yield Reading(DEAD, tally.dead, (name, topic))


def expose(watch: Watch) -> CollectorRegistry:
    """The registry of the process under this watch, with all its figures; made once."""
    if watch.exposed is None:
        watch.exposed = watch.running.meters.registry
        watch.exposed.register(Exposition(watch))
        ProcessCollector(registry=watch.exposed)
    return watch.exposed
