"""Kafka as the spine: subscribers, the outbox and its relay, the inbox, dead letters, topics and replay.

Named here is what needs no client of the broker, so that commands start without it.
"""

from clarion.runtime.messaging.dead_letters import DeadLetters, Retry, UnknownLetter
from clarion.runtime.messaging.outbox import MessageTooLarge, Outgoing, enqueue
from clarion.runtime.messaging.received import Received
from clarion.runtime.messaging.subscription import Handler, Rejected, Subscription

__all__ = [
    "DeadLetters",
    "Handler",
    "MessageTooLarge",
    "Outgoing",
    "Received",
    "Rejected",
    "Retry",
    "Subscription",
    "UnknownLetter",
    "enqueue",
]
