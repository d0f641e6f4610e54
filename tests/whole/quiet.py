"""Whether an installation has nothing left to do."""

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from clarion.runtime.settings import Settings
from clarion.services.builders import BUILDERS

WORK_LEFT = """
SELECT (SELECT count(*) FROM legislation.withdrawals) + (SELECT count(*) FROM legislation.held)
     + (SELECT count(*) FROM registrations.tellings)
     + (SELECT count(*) FROM campaigns.fanout_jobs WHERE done_at IS NULL)
     + (SELECT count(*) FROM campaigns.campaigns WHERE reconsider)
     + (SELECT count(*) FROM notifications.ledger
        WHERE state IN ('queued', 'claimed', 'sending', 'deferred', 'uncertain'))
"""


PROGRESS = """
SELECT (SELECT coalesce(max(id), 0) FROM legislation.outbox), (SELECT coalesce(max(id), 0) FROM directory.outbox),
       (SELECT coalesce(max(id), 0) FROM campaigns.outbox), (SELECT coalesce(max(id), 0) FROM notifications.outbox),
       (SELECT coalesce(max(id), 0) FROM registrations.outbox), (SELECT max(state_at) FROM notifications.ledger)
"""


async def is_quiet(settings: Settings) -> bool:
    """No work is left, every outbox is published, every group has read to the end, and nothing moved meanwhile."""
    connection = await asyncpg.connect(settings.database_url, timeout=5)
    try:
        before = await connection.fetchrow(PROGRESS)
        if await is_busy(connection) or not await all_is_read(settings) or await is_busy(connection):
            return False
        return await all_is_read(settings) and before == await connection.fetchrow(PROGRESS)
    finally:
        await connection.close()


async def is_busy(connection: asyncpg.Connection) -> bool:
    """Whether the database alone shows that work is left; that is quicker to see than what Kafka says."""
    if await connection.fetchval(WORK_LEFT):
        return True
    unpublished = [f"SELECT 1 FROM {service}.outbox WHERE published_at IS NULL" for service in BUILDERS]
    return bool(await connection.fetchval(" UNION ALL ".join(unpublished) + " LIMIT 1"))


async def all_is_read(settings: Settings) -> bool:
    """Whether every group of this installation has read to the end of its topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    await consumer.start()
    try:
        groups = [name for name, _ in await admin.list_consumer_groups() if name.startswith(settings.kafka_prefix)]
        read: dict[TopicPartition, int] = {}
        for group in groups:
            offsets = await admin.list_consumer_group_offsets(group)
            read |= {partition: found.offset for partition, found in offsets.items()}
        ends = await consumer.end_offsets(list(read))
        return bool(read) and all(read[partition] >= end for partition, end in ends.items())
    finally:
        await consumer.stop()
        await admin.close()
