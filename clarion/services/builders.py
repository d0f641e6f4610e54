"""The services by their names. A process reads the code of those alone that it builds."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from clarion.runtime.garbage import uncollected
from clarion.runtime.settings import Settings

if TYPE_CHECKING:
    from clarion.runtime.database import Transaction
    from clarion.runtime.messaging.replay import Republish
    from clarion.runtime.process import Service


async def legislation(settings: Settings) -> "Service":
    """Build it."""
    with uncollected():
        from clarion.services.legislation.app import build  # noqa: PLC0415 - see above
    return await build(settings)


async def directory(settings: Settings) -> "Service":
    """Build it."""
    with uncollected():
        from clarion.services.directory.app import build  # noqa: PLC0415 - see above
    return await build(settings)


async def campaigns(settings: Settings) -> "Service":
    """Build it."""
    with uncollected():
        from clarion.services.campaigns.app import build  # noqa: PLC0415 - see above
    return await build(settings)


async def notifications(settings: Settings) -> "Service":
    """Build it."""
    with uncollected():
        from clarion.services.notifications.app import build  # noqa: PLC0415 - see above
    return await build(settings)


async def registrations(settings: Settings) -> "Service":
    """Build it."""
    with uncollected():
        from clarion.services.registrations.app import build  # noqa: PLC0415 - see above
    return await build(settings)


async def republish_directory(tx: "Transaction") -> int:
    """Publish every entity again; how many events."""
    from clarion.services.directory.operations import republish  # noqa: PLC0415 - see above

    return await republish(tx)


BUILDERS: Mapping[str, "Callable[[Settings], Awaitable[Service]]"] = {
    "legislation": legislation,
    "directory": directory,
    "campaigns": campaigns,
    "notifications": notifications,
    "registrations": registrations,
}
REPUBLISH: Mapping[str, "Republish"] = {"directory": republish_directory}
"""Who has compacted topics, and how what they hold is enqueued."""
WEB = "web"
NAMES = (*BUILDERS, WEB)
NEEDED = ("database_url", "kafka_bootstrap", "smtp_url", "public_url", "secret_key", "mail_from")
"""The settings without which none of them serves."""
