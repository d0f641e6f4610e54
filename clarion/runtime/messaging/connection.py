"""How to reach Kafka, and what names look like there."""

import ssl
from typing import Any

from clarion.runtime.settings import Settings
from clarion.schemas.topics import Topic


def kafka_options(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client of this installation is built with. Raises MissingSetting, OSError for the CA file."""
    settings.need("kafka_bootstrap")
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": protocol,
        "client_id": "clarion",
    }
    if protocol in {"SSL", "SASL_SSL"}:
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_sasl_mechanism is not None:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password
    return options


def topic_name(settings: Settings, topic: Topic) -> str:
    """The topic's name on the cluster."""
    return f"{settings.kafka_prefix}{topic.name}"


def group_name(settings: Settings, service: str, topic: Topic) -> str:
    """The consumer group of a service on one topic."""
    return f"{settings.kafka_prefix}clarion.{service}.{topic.name}"
