"""PostgreSQL, Apache Kafka and a mail catcher on one machine, without Docker, on loopback only."""

from clarion.runtime.embedded.errors import DataDirInUse, EmbeddedError, PortTaken
from clarion.runtime.embedded.jars import ensure_jars
from clarion.runtime.embedded.kafka import KafkaServer
from clarion.runtime.embedded.postgres import PostgresServer

__all__ = [
    "DataDirInUse",
    "EmbeddedError",
    "KafkaServer",
    "PortTaken",
    "PostgresServer",
    "ensure_jars",
]
