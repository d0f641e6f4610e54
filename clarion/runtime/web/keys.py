"""API keys: scoped, bound to the source of the events they post, stored as hashes, revocable."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Connection, load_queries
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.web.problems import Refused

PREFIX = "clarion"
REALM = 'Bearer realm="clarion"'
SCOPES: Mapping[str, str] = {
    "updates": "post legislative updates and see what became of them",
    "campaigns": "read campaigns and whom they reached",
    "registrations": "register people for events and cancel",
}
"""What a key can be good for."""

BEARER = HTTPBearer(auto_error=False, scheme_name="apiKey", description="A key made by `clarion keys create`.")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who asks: the key's id, and the source whose events it may post."""

    id: str
    source: str


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
        ValueError: a scope is unknown or none is given.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ValueError(f"unknown scope {', '.join(unknown) or '(none given)'}; known: {', '.join(SCOPES)}")
    key_id = new_id()
    key = f"{PREFIX}_{key_id}_{new_secret()}"
    await load_queries(__package__).insert_api_key(
        connection,
        id=key_id,
        name=name,
        key_hash=digest(key),
        scopes=list(scopes),
        source=source or f"/integrations/{quote(name)}",
        created_at=clock(),
        expires_at=expires_at,
    )
    return key_id, key


async def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """All keys in order of creation, without anything that would let one use them."""
    return [dict(row) async for row in load_queries(__package__).list_api_keys(connection)]


async def revoke_key(connection: Connection, key_id: str, clock: Clock = system_clock) -> bool:
    """Make a key useless from now on; False if there is none of this id."""
    return await load_queries(__package__).revoke_api_key(connection, id=key_id, now=clock()) is not None


async def authenticate(connection: Connection, key: str, scope: str, now: datetime) -> ApiKey:
    """Whose key this is.

    Raises:
        Refused: 401 if it is no key of ours, revoked or expired; 403 if it is not good for the scope.
    """
    queries = load_queries(__package__)
    parts = key.split("_", 2)
    known = parts[0] == PREFIX and len(parts) == 3 and key.isascii() and "\0" not in key
    row = await queries.find_api_key(connection, id=parts[1]) if known else None
    if row is None or not hmac.compare_digest(digest(key), row["key_hash"]):
        raise unauthorized("This API key is not one of ours.", "invalid_token")
    if row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now):
        raise unauthorized("This API key was revoked or has expired.", "invalid_token")
    if scope not in row["scopes"]:
        challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
        raise Refused(403, f"This API key lacks the scope {scope!r}.", headers={"www-authenticate": challenge})
    await queries.touch_api_key(connection, id=row["id"], now=now)
    return ApiKey(row["id"], row["source"] or f"/integrations/{quote(row['name'])}")


def unauthorized(detail: str, error: str | None = None) -> Refused:
    """The answer to who is not known (RFC 6750)."""
    challenge = f'{REALM}, error="{error}"' if error else REALM
    return Refused(401, detail, headers={"www-authenticate": challenge})


def require_scope(
    scope: str,
    connect: Callable[[], AbstractAsyncContextManager[Connection]],
    clock: Clock = system_clock,
) -> Callable[..., Awaitable[ApiKey]]:
    """A FastAPI dependency: the key of the request, which must be good for the scope.

    `connect` opens a database connection, such as `database.connection`.
    """

    async def api_key(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> ApiKey:
        if credentials is None:
            raise unauthorized("Send an API key as `Authorization: Bearer ...`; `clarion keys create` makes one.")
        async with connect() as connection:
            return await authenticate(connection, credentials.credentials, scope, clock())

    return api_key
