"""Kafka as the spine: subscribers, the outbox and its relay, the inbox, dead letters, topics and replay."""

from clarion.runtime.messaging.dead_letters import DeadLetters, Retry, UnknownLetter
from clarion.runtime.messaging.outbox import MessageTooLarge, Outgoing, enqueue
from clarion.runtime.messaging.received import Received
from clarion.runtime.messaging.replay import ReplayReport, Republish, replay_if_new_broker
from clarion.runtime.messaging.subscription import Handler, Rejected, Subscription
from clarion.runtime.messaging.topics import EnsuredTopics, TopicError, ensure_topics

__all__ = [
    "DeadLetters",
    "EnsuredTopics",
    "Handler",
    "MessageTooLarge",
    "Outgoing",
    "Received",
    "Rejected",
    "ReplayReport",
    "Republish",
    "Retry",
    "Subscription",
    "TopicError",
    "UnknownLetter",
    "enqueue",
    "ensure_topics",
    "replay_if_new_broker",
]
