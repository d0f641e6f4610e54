"""How often one client may ask: token buckets in this process, in bounded memory."""

import hashlib
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clarion.runtime.web.clients import subscriber
from clarion.runtime.web.fences import SAFE_METHODS, Fence
from clarion.runtime.web.hosts import PROBES

log = structlog.get_logger(__name__)

RATES: Mapping[str, float] = {"read": 50, "write": 10, "keyed": 200, "hooks": 200}
"""Requests a second of one client: pages and documents, forms, requests with an API key, what mail programs post."""
BURST_SECONDS = 30
MOST_CLIENTS = 50_000
UNKNOWN_KEY_COSTS = 20
HOOKS = re.compile(r"/u/[^/]+|/hooks/.*")
"""A provider of mail posts here for all its people from a few addresses."""
ONE_RATE = re.compile(r"\s*(\w+)\s*=\s*(\d+(?:\.\d+)?)\s*/\s*s\s*")


def read_rates(text: str) -> dict[str, float]:
    """The rates with what the setting says over them, such as `read=100/s, write=20/s`.

    Raises:
        ValueError: it says something else.
    """
    rates = dict(RATES)
    for part in filter(str.strip, text.split(",")):
        found = ONE_RATE.fullmatch(part)
        if found is None or found[1] not in RATES or float(found[2]) <= 0:
            known = ", ".join(RATES)
            raise ValueError(f"CLARION_REQUEST_LIMITS: {part.strip()!r} is not like write=20/s; known: {known}")
        rates[found[1]] = float(found[2])
    return rates


@dataclass(slots=True)
class Bucket:
    """What one client has left, as of when; `empty` once it was refused."""

    tokens: float
    at: float
    empty: bool = False


class Buckets:
    """The clients of one class of requests; who has not been seen for longest is forgotten first."""

    def __init__(self, rate: float, most: int = MOST_CLIENTS) -> None:
        self.rate = rate
        self.burst = max(1.0, rate * BURST_SECONDS)
        self.most = most
        self.buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        """How many clients are known."""
        return len(self.buckets)

    def of(self, client: str, now: float) -> Bucket:
        """A client's bucket as of now."""
        bucket = self.buckets.pop(client, None) or Bucket(self.burst, now)
        bucket.tokens = min(self.burst, bucket.tokens + max(0.0, now - bucket.at) * self.rate)
        bucket.at = now
        self.buckets[client] = bucket
        if len(self.buckets) > self.most:
            del self.buckets[next(iter(self.buckets))]
        return bucket

    def take(self, client: str, now: float) -> float:
        """Seconds to wait until a request may pass; 0 for one that passes."""
        bucket = self.of(client, now)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            bucket.empty = False
            return 0.0
        if not bucket.empty:
            bucket.empty = True
            log.warning("a client asks too often", rate=self.rate)
        return (1 - bucket.tokens) / self.rate

    def fine(self, client: str, now: float, cost: float) -> None:
        """Take more than a request costs, as far as a full bucket below nothing."""
        bucket = self.of(client, now)
        bucket.tokens = max(-self.burst, bucket.tokens - cost)


def class_of(request: Request) -> str:
    """Which rate holds for a request."""
    path = request.url.path
    if request.method in SAFE_METHODS:
        return "keyed" if credentials(request) else "read"
    if HOOKS.fullmatch(path):
        return "hooks"
    return "keyed" if credentials(request) else "write"


def credentials(request: Request) -> str:
    """The API key of a request for the API, as it was sent."""
    return request.headers.get("authorization", "") if request.url.path.startswith("/api/") else ""


class Rates(Fence):
    """429 with Retry-After for who asks too often: by client and class, with an API key by the key as well.

    What must hold over replicas, such as sign-in, is counted in the database by whom it concerns.
    """

    def __init__(
        self, app: ASGIApp, rates: Mapping[str, float] = RATES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(app)
        self.clients = {name: Buckets(rate) for name, rate in rates.items()}
        self.keys = Buckets(rates["keyed"])
        self.monotonic = monotonic

    def refusal(self, request: Request) -> HTTPException | None:
        """429 if the client or the key has nothing left."""
        if request.url.path in PROBES:
            return None
        now, kind = self.monotonic(), class_of(request)
        wait = self.clients[kind].take(client_of(request), now)
        if kind == "keyed" and not wait:
            wait = self.keys.take(hashlib.sha256(credentials(request).encode()).hexdigest(), now)
        if not wait:
            return None
        seconds = math.ceil(wait)
        detail = f"Too many requests came from there: try again in {seconds} second{'' if seconds == 1 else 's'}."
        return HTTPException(429, detail, {"retry-after": str(seconds)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or answer it; to be told that a key is unknown costs more."""

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self.clients["keyed"].fine(client_of(Request(scope)), self.monotonic(), UNKNOWN_KEY_COSTS)
            await send(message)

        await super().__call__(scope, receive, watched)


def client_of(request: Request) -> str:
    """What counts as one client."""
    return subscriber(request.client.host if request.client else None)
