"""PostgreSQL, Apache Kafka and a mail catcher on one machine, without Docker, on loopback only."""

from clarion.runtime.embedded.errors import DataDirInUse, EmbeddedError, PortTaken
from clarion.runtime.embedded.jars import ensure_jars
from clarion.runtime.embedded.kafka import KafkaServer
from clarion.runtime.embedded.mailcatcher import HangUp, MailCatcher
from clarion.runtime.embedded.mailstore import CaughtMail, MailStore
from clarion.runtime.embedded.postgres import PostgresServer
from clarion.runtime.embedded.stack import EmbeddedStack

__all__ = [
    "CaughtMail",
    "DataDirInUse",
    "EmbeddedError",
    "EmbeddedStack",
    "HangUp",
    "KafkaServer",
    "MailCatcher",
    "MailStore",
    "PortTaken",
    "PostgresServer",
    "ensure_jars",
]
