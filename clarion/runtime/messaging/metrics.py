"""The instruments of one process; what is counted elsewhere is read when somebody asks."""

from prometheus_client import CollectorRegistry, Histogram

BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Meters:
    """A registry of this process's own, and what is measured at work."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(support_collectors_without_names=True)
        self.handler_seconds = Histogram(
            "clarion_handler_seconds",
            "How long a batch took, from its first record to its acknowledgement",
            ("service", "topic"),
            buckets=BATCH_SECONDS,
            registry=self.registry,
        )
