"""HTTP in: what mail providers report. Each answer says what is to be done: 2xx it is kept, 4xx it never will be."""

import asyncio
import hmac
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import ValidationError
from starlette.responses import JSONResponse

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.problems import Refused
from clarion.services.notifications.bounces import operations
from clarion.services.notifications.bounces.providers import Malformed
from clarion.services.notifications.bounces.sns import (
    CannotTell,
    Certificates,
    Fetch,
    NotFromAmazon,
    SnsMessage,
    of_amazon,
    verify,
)

log = structlog.get_logger(__name__)

REALM = {"www-authenticate": 'Basic realm="clarion"'}
BASIC = HTTPBasic(auto_error=False)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is needed to take reports of providers; what is not set is not taken."""

    ses_topic_arn: str | None = None
    postmark_login: str | None = None


class Reception:
    """Keeps what providers report. What is of no concern, such as each delivery, is only `counted`, by way and kind."""

    def __init__(self, database: Database, clock: Clock, counted: Counter[tuple[str, str]]) -> None:
        self.database = database
        self.clock = clock
        self.counted = counted

    async def take(self, way: str, content: bytes, *, digest: str | None = None) -> JSONResponse:
        """Keep it until it is handled, whatever becomes of the one who told it.

        Raises:
            Refused: 422 it is not what the provider documents, with the fields that are wrong.
        """
        try:
            said = operations.READERS[way](content)
        except Malformed as error:
            raise Refused(422, f"That is not what the provider documents: {error}.") from None
        if all(one.meaning == "other" for one in said):
            self.counted[way, "other"] += 1
            return JSONResponse({"kept": False})
        return JSONResponse({"kept": True, "new": await asyncio.shield(self._keep(way, content, digest))})

    async def _keep(self, way: str, content: bytes, digest: str | None) -> bool:
        async with self.database.transaction() as tx:
            return await operations.keep(tx, way, content, self.clock(), digest=digest)


def hooks_router(reception: Reception, hooks: Hooks, fetch: Fetch) -> APIRouter:
    """`/hooks/ses` and `/hooks/postmark`, for those that are set up."""
    router = APIRouter(include_in_schema=False)
    if hooks.ses_topic_arn:
        router.include_router(ses_router(reception, hooks.ses_topic_arn, fetch))
    if hooks.postmark_login:
        router.include_router(postmark_router(reception, hooks.postmark_login))
    return router


def ses_router(reception: Reception, topic_arn: str, fetch: Fetch) -> APIRouter:
    """What Amazon SES reports through a topic of Amazon SNS; nothing of any other topic is believed or confirmed."""
    router = APIRouter(include_in_schema=False)
    certificates = Certificates(fetch, reception.clock)

    @router.post("/hooks/ses")
    async def on_ses(request: Request) -> JSONResponse:
        message = await sns_message(request, topic_arn, certificates)
        if message.Type == "SubscriptionConfirmation":
            return await confirmed(message, fetch)
        if message.Type == "UnsubscribeConfirmation":
            log.warning("hooks.ses_unsubscribed", message=message.MessageId)
            return JSONResponse({"kept": False, "said": "the subscription of the topic has ended"})
        return await reception.take("ses", message.Message.encode(), digest=message.MessageId)

    return router


async def sns_message(request: Request, topic_arn: str, certificates: Certificates) -> SnsMessage:
    """A message of Amazon SNS for our topic.

    Raises:
        Refused: 422 it is none, 403 it is another topic's or not from Amazon, 503 that cannot be told now.
    """
    try:
        message = SnsMessage.model_validate_json(await request.body())
    except ValidationError as error:
        raise Refused(422, "That is no message of Amazon SNS; leave raw message delivery off.") from error
    if message.TopicArn != topic_arn:
        raise Refused(403, "That topic is not the one of CLARION_SES_TOPIC_ARN.")
    try:
        await verify(message, certificates)
    except NotFromAmazon as error:
        raise Refused(403, f"That is not from Amazon SNS: {error}.") from error
    except CannotTell as error:
        raise Refused(503, f"{error}.".capitalize(), headers={"retry-after": "30"}) from error
    return message


async def confirmed(message: SnsMessage, fetch: Fetch) -> JSONResponse:
    """Confirm the subscription to our topic, at an address of Amazon's alone. Raises Refused."""
    url = message.SubscribeURL or ""
    if not of_amazon(url):
        raise Refused(403, "The address to confirm at is none of Amazon SNS.")
    try:
        await fetch(url)
    except OSError as error:
        raise Refused(503, "Amazon SNS cannot be reached to confirm it.", headers={"retry-after": "30"}) from error
    log.info("hooks.ses_confirmed", message=message.MessageId)
    return JSONResponse({"confirmed": True})


def postmark_router(reception: Reception, login: str) -> APIRouter:
    """What Postmark reports, to who knows the login that stands in the webhook's address."""
    router = APIRouter(include_in_schema=False)
    expected = login.encode()

    @router.post("/hooks/postmark")
    async def on_postmark(
        request: Request, given: Annotated[HTTPBasicCredentials | None, Depends(BASIC)]
    ) -> JSONResponse:
        told = f"{given.username}:{given.password}".encode() if given else b""
        if not hmac.compare_digest(told, expected):
            raise Refused(401, "User and password are those of CLARION_POSTMARK_LOGIN.", headers=REALM)
        return await reception.take("postmark", await request.body())

    return router
