"""API keys: scoped, bound to the source of the events they post, stored as hashes, revocable."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Connection, load_queries
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.web.problems import Refused

PREFIX = "clarion"
REALM = 'Bearer realm="clarion"'
KeyState: TypeAlias = Literal["good", "revoked", "expired"]
REFUSALS_TOLD_EVERY = timedelta(days=1)
SOURCE_CHARACTERS = 500
NAME_CHARACTERS = 200
SOURCE = re.compile(rf"[!-~]{{1,{SOURCE_CHARACTERS}}}")
"""A URI reference as CloudEvents has it, as far as characters go."""
SCOPES: Mapping[str, str] = {
    "updates": "post legislative updates and see what became of them",
    "campaigns": "read campaigns and whom they reached",
    "approvals": "see whom a division's calls ask, and approve, reject, pause, resume and stop them",
    "occasions": "count whom a campaign would ask, start one that is no hearing's, move and cancel it",
    "registrations": "register people for events and cancel",
}
"""What a key can be good for."""

BEARER = HTTPBearer(auto_error=False, scheme_name="apiKey", description="A key made by `clarion keys create`.")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who asks: the key's id and name, the source whose events it may post, and the address it is used from."""

    id: str
    name: str
    source: str
    place: str = ""

    @property
    def actor(self) -> Actor:
        """Who it is in the record of acts."""
        return Actor("key", self.id, self.name, self.place)


def digest(key: str) -> bytes:
    """What is kept of a key. A fast hash is enough for 256 random bits, which nobody can try through."""
    return hashlib.sha256(key.encode()).digest()


async def create_key(
    connection: Connection,
    name: str,
    scopes: Sequence[str],
    source: str | None = None,
    clock: Clock = system_clock,
    *,
    expires_at: datetime | None = None,
) -> tuple[str, str]:
    """Make a key and return its id and the key itself, which is kept nowhere.

    Without a source it speaks for `/integrations/<name>`, so that keys of one name speak for the same source.

    Raises:
        ValueError: a scope is unknown or none is given, or the name or the source cannot be one.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ValueError(f"unknown scope {', '.join(unknown) or '(none given)'}; known: {', '.join(SCOPES)}")
    if not 0 < len(name.strip()) <= NAME_CHARACTERS or not name.isprintable():
        raise ValueError(f"a name has 1 to {NAME_CHARACTERS} printable characters, such as daily-file")
    if source is not None and not SOURCE.fullmatch(source):
        raise ValueError(
            f"a source is an address of at most {SOURCE_CHARACTERS} characters, such as /integrations/tracker"
        )
    key_id = new_id()
    key = f"{PREFIX}_{key_id}_{new_secret()}"
    await load_queries(__package__).insert_api_key(
        connection,
        id=key_id,
        name=name,
        key_hash=digest(key),
        scopes=list(scopes),
        source=source or default_source(name),
        created_at=clock(),
        expires_at=expires_at,
    )
    return key_id, key


async def list_keys(connection: Connection, now: datetime | None = None) -> list[dict[str, Any]]:
    """All keys in order of creation, each with its `state`, without anything that would let one use them."""
    rows = load_queries(__package__).list_api_keys(connection)
    at = now or system_clock()
    return [dict(row) | {"source": source_of(row), "state": state_of(row, at)} async for row in rows]


async def find_key(connection: Connection, key_id: str) -> Mapping[str, Any] | None:
    """Name and revocation of a key, locked until the transaction ends."""
    row: Mapping[str, Any] | None = None
    if "\0" not in key_id:
        row = await load_queries(__package__).lock_api_key(connection, id=key_id)
    return row


async def revoke_key(connection: Connection, key_id: str, clock: Clock = system_clock) -> datetime | None:
    """Make a key useless from now on; says when it was revoked, which may be before, or None if there is none."""
    revoked_at: datetime | None = await load_queries(__package__).revoke_api_key(connection, id=key_id, now=clock())
    return revoked_at


def state_of(row: Mapping[str, Any], now: datetime) -> KeyState:
    """Whether a key still opens what its scopes name, and if not, why."""
    if row["revoked_at"] is not None:
        return "revoked"
    return "expired" if row["expires_at"] is not None and row["expires_at"] <= now else "good"


def source_of(row: Mapping[str, Any]) -> str:
    """The source for which a key speaks."""
    return row["source"] or default_source(row["name"])


def default_source(name: str) -> str:
    """The source of keys that were made without one."""
    return f"/integrations/{quote(name)}"


async def authenticate(connection: Connection, key: str, scope: str, now: datetime, place: str = "") -> ApiKey:
    """Whose key this is. One that is ours and is refused all the same is counted, so that its use is seen.

    `place` is the address of who asks.

    Raises:
        Refused: 401 if it is no key of ours, revoked or expired; 403 if it is not good for the scope.
    """
    queries = load_queries(__package__)
    parts = key.split("_", 2)
    known = parts[0] == PREFIX and len(parts) == 3 and key.isascii() and "\0" not in key
    row = await queries.find_api_key(connection, id=parts[1]) if known else None
    if row is None or not hmac.compare_digest(digest(key), row["key_hash"]):
        raise unauthorized("This API key is not one of ours.", "invalid_token")
    found = ApiKey(row["id"], row["name"], source_of(row), place)
    state = state_of(row, now)
    if state != "good":
        await count_refusal(connection, found, state, now)
        since = row["revoked_at"] if state == "revoked" else row["expires_at"]
        said = "was revoked" if state == "revoked" else "expired"
        raise unauthorized(
            f"This API key {said} on {since:%Y-%m-%d} at {since:%H:%M} UTC: use another.", "invalid_token"
        )
    if scope not in row["scopes"]:
        await count_refusal(connection, found, f"lacks the scope {scope}", now)
        challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
        raise Refused(403, f"This API key lacks the scope {scope!r}.", headers={"www-authenticate": challenge})
    await queries.touch_api_key(connection, id=row["id"], now=now)
    return found


async def count_refusal(connection: Connection, key: ApiKey, why: str, now: datetime) -> None:
    """Count that a key of ours was refused; the first time in a day it is an entry of the record of acts as well."""
    since = now - REFUSALS_TOLD_EVERY
    async with connection.transaction():
        if await load_queries(__package__).count_refused_key(connection, id=key.id, why=why, now=now, since=since):
            await record(connection, key.actor, "key.refused", f"key:{key.id}", at=now, details={"why": why})


async def count_other_sources(connection: Connection, key: ApiKey, events: int, now: datetime) -> None:
    """Count events that named another source than the key's, for which they were taken all the same."""
    await load_queries(__package__).count_other_source(connection, id=key.id, events=events, now=now)


def unauthorized(detail: str, error: str | None = None) -> Refused:
    """The answer to who is not known (RFC 6750)."""
    challenge = f'{REALM}, error="{error}"' if error else REALM
    return Refused(401, detail, headers={"www-authenticate": challenge})


def place_of(request: Request) -> str:
    """The address that a request came from."""
    return request.client.host if request.client is not None else ""


def require_scope(
    scope: str,
    connect: Callable[[], AbstractAsyncContextManager[Connection]],
    clock: Clock = system_clock,
) -> Callable[..., Awaitable[ApiKey]]:
    """A FastAPI dependency: the key of the request, which must be good for the scope.

    `connect` opens a database connection, such as `database.connection`.
    """

    async def api_key(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> ApiKey:
        if credentials is None:
            raise unauthorized("Send an API key as `Authorization: Bearer ...`; `clarion keys create` makes one.")
        async with connect() as connection:
            return await authenticate(connection, credentials.credentials, scope, clock(), place_of(request))

    return api_key
