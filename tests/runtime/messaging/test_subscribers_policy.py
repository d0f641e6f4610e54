"""Every subscriber that a service declares is built in the one way that loses nothing."""

from collections.abc import Sequence

import pytest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from clarion.runtime.database import Database
from clarion.runtime.messaging import Subscription
from clarion.runtime.messaging.consumer import DrainOnRevoke
from clarion.runtime.messaging.subscribers import Subscribers, leave_alone, parse_batch
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from tests.runtime.messaging.conftest import ECHO, WIDE, Ear


def check_broker(broker: KafkaBroker) -> None:
    """Fail on any subscriber of the broker that does not follow the policy."""
    assert broker.config.broker_config.graceful_timeout, "handlers in work would be cut off at the end"
    for subscriber in broker.subscribers:
        name = ", ".join(subscriber.topic_names)
        assert isinstance(subscriber, BatchSubscriber), f"{name}: no batches"
        assert subscriber.ack_policy is AckPolicy.MANUAL, f"{name}: {subscriber.ack_policy}"
        assert subscriber._call_options.parser is parse_batch, f"{name}: a bad header would lose its batch"
        assert subscriber._call_options.decoder is leave_alone, f"{name}: a bad body would lose its batch"
        assert isinstance(subscriber._listener, DrainOnRevoke), f"{name}: a rebalance would repeat work"
        assert subscriber.group_id, f"{name}: no group"
        assert subscriber._connection_args["enable_auto_commit"] is False, f"{name}: commits by itself"
        assert subscriber._connection_args["auto_offset_reset"] == "earliest", f"{name}: skips what is there"


def check_services(settings: Settings, services: Sequence[Service]) -> None:
    """Fail if a subscriber of these services is built in another way, or two read one topic in one group."""
    for service in services:
        subscribers = Subscribers(settings, service.database, service.subscriptions)
        check_broker(subscribers.broker)
        groups = [subscriber.group_id for subscriber in subscribers.made]
        assert len(groups) == len(set(groups)) == len(service.subscriptions)
        for group, subscription in zip(groups, service.subscriptions, strict=True):
            assert group == f"{settings.kafka_prefix}clarion.{service.name}.{subscription.topic.name}"


async def test_the_factory_follows_the_policy(settings: Settings, listener: Database, ear: Ear) -> None:
    services = [Service("listener", listener, [Subscription(ECHO, ear), Subscription(WIDE, ear)])]
    check_services(settings, services)


@pytest.mark.parametrize("policy", [AckPolicy.ACK_FIRST, AckPolicy.ACK, AckPolicy.NACK_ON_ERROR])
def test_another_policy_is_noticed(policy: AckPolicy) -> None:
    broker = KafkaBroker("localhost:1", graceful_timeout=1, logger=None)
    broker.subscriber("topic", group_id="group", batch=True, ack_policy=policy)
    with pytest.raises(AssertionError, match="topic: AckPolicy"):
        check_broker(broker)


async def test_what_may_be_gathered_is_answered_by_the_broker_once_there_is_enough(
    settings: Settings, listener: Database, ear: Ear
) -> None:
    subscribers = Subscribers(
        settings, listener, [Subscription(ECHO, ear), Subscription(WIDE, ear, gather_seconds=0.2)]
    )
    at_once, gathered = (made._connection_args for made in subscribers.made)
    assert (at_once["fetch_min_bytes"], gathered["fetch_max_wait_ms"]) == (1, 200)
    assert gathered["fetch_min_bytes"] > 100_000
