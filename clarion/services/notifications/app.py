"""Builds the service of notifications from the settings."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, upkeep
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.pages import Imprint
from clarion.services.notifications.bounces.return_path import ReturnPath
from clarion.services.notifications.bounces.seeing import look_at_returns, together
from clarion.services.notifications.bounces.server import BounceServer, read_listeners
from clarion.services.notifications.bounces.sns import fetch
from clarion.services.notifications.bounces.web import Hooks, Reception, hooks_router
from clarion.services.notifications.bounces.worker import ReturnsWorker
from clarion.services.notifications.caretaker import Caretaker
from clarion.services.notifications.channels.relays import get_ready, read_relays
from clarion.services.notifications.domain.rates import read_rates
from clarion.services.notifications.handlers import subscriptions
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.seeing import look_at
from clarion.services.notifications.sender import Sender
from clarion.services.notifications.settings import STEADY_PLANS, SendingSettings
from clarion.services.notifications.upkeep import purges
from clarion.services.notifications.web import preferences_router

NAME = "notifications"


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The service, with its pool open.

    Raises:
        MissingSetting: database, relay, secret, sender or public address are not named.
        ValueError: the relay's URL or the sender's address cannot be read.
    """
    settings.need("database_url", "smtp_url", "secret_key", "mail_from", "public_url")
    lease = timedelta(seconds=settings.sender_lease_seconds)
    relays = read_relays(str(settings.smtp_url), settings.smtp_ca_file)
    await asyncio.to_thread(get_ready, relays)
    rates = read_rates(settings.smtp_limits, [relay.name for relay in relays])
    sending = SendingSettings(connections=settings.smtp_connections, lease=lease, rates=rates)
    links = SignedLinks(settings.secret_key, clock)
    return_path = ReturnPath(settings.bounce_address, settings.secret_key) if settings.bounce_address else None
    listeners = read_listeners(settings.bounce_listen) if return_path else []
    renderer = Renderer(
        links,
        mail_from=str(settings.mail_from),
        public_url=str(settings.public_url),
        postal_address=settings.postal_address,
        filings_url=settings.filings_url,
        return_path=return_path,
        postmark=settings.postmark_login is not None,
    )
    database = await Database.connect(str(settings.database_url), NAME, clock=clock)
    ledger = await Database.connect(str(settings.database_url), NAME, clock=clock, session=STEADY_PLANS)
    sender = Sender(ledger, renderer, relays, sending, clock)
    returns = ReturnsWorker(database, return_path, clock)
    doors = [BounceServer(database, return_path, listeners, clock)] if return_path and listeners else []
    refused = doors[0].refused if doors else {}
    router = APIRouter()
    router.include_router(preferences_router(database, links, clock, str(settings.public_url), Imprint.of(settings)))
    reception = Reception(database, clock, returns.counted)
    router.include_router(hooks_router(reception, Hooks(settings.ses_topic_arn, settings.postmark_login), fetch))
    return Service(
        name=NAME,
        database=database,
        subscriptions=subscriptions(clock),
        workers=[
            sender,
            Caretaker(database, sending.lease, clock),
            returns,
            *doors,
            Timers(database, [*upkeep(settings), *purges(settings.ledger_days, settings.returns_days)]),
        ],
        router=router,
        look=together(look_at(sender.sendings, ledger, clock), look_at_returns(returns.counted, refused)),
        opened=[ledger.close],
    )
