"""Sessions of staff: random tokens, kept as hashes, looked up together with the account at every request."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clarion.runtime.database import Connection
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.staff.accounts import queries, staff_of
from clarion.runtime.staff.rights import Staff

IDLE = timedelta(hours=2)
"""How long a session lasts without a request."""
LONGEST = timedelta(hours=12)
"""How long a session lasts at most."""
TOUCHED_EVERY = timedelta(minutes=1)
"""Every request would make a session a hot row."""
AGENT_KEPT = 300
TOKEN_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner is shown it."""

    id: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str
    agent: str
    method: str


def digest(token: str) -> bytes:
    """What is kept of a token. A fast hash is enough for 256 random bits, which nobody can try through."""
    return hashlib.sha256(token.encode()).digest()


def form_token(token: str) -> str:
    """What the forms of one session carry: made from its token, so that no other session's forms have it."""
    return hmac.digest(token.encode(), b"clarion:form", "sha256").hex()


def is_token(token: str) -> bool:
    """Whether it can be a token of ours at all."""
    return 0 < len(token) <= TOKEN_AT_MOST and token.isascii() and token.isprintable()


async def open_session(
    connection: Connection, staff_id: str, now: datetime, *, address: str, agent: str, method: str
) -> tuple[str, str]:
    """Begin a session and return its id and its token, which is kept nowhere; `method` is how they signed in."""
    session_id, token = new_id(), new_secret()
    await queries().insert_session(
        connection,
        id=session_id,
        token_hash=digest(token),
        staff_id=staff_id,
        now=now,
        ends_at=now + LONGEST,
        address=address,
        agent=agent.replace("\x00", "")[:AGENT_KEPT],
        method=method,
    )
    return session_id, token


async def find_session(connection: Connection, token: str, now: datetime) -> tuple[str, Staff] | None:
    """The session of a token and who it is, by the account as it is now; None if it has ended or never was."""
    if not is_token(token):
        return None
    row = await queries().find_session(connection, token_hash=digest(token), now=now, idle_since=now - IDLE)
    if row is None:
        return None
    if row["seen_at"] <= now - TOUCHED_EVERY:
        await queries().touch_session(connection, id=row["session_id"], now=now)
    return row["session_id"], staff_of(row)


async def list_sessions(connection: Connection, staff_id: str, now: datetime) -> list[OpenSession]:
    """Somebody's open sessions, the one last used first."""
    rows = queries().list_sessions(connection, staff_id=staff_id, now=now, idle_since=now - IDLE)
    return [OpenSession(**dict(row)) async for row in rows]


async def end_session(connection: Connection, staff_id: str, session_id: str) -> bool:
    """End one of somebody's own sessions; False if there is none of this id."""
    return await queries().end_session(connection, staff_id=staff_id, id=session_id) is not None


async def end_session_of(connection: Connection, token: str) -> None:
    """End the session of a token, if there is one."""
    if is_token(token):
        await queries().end_session_of_token(connection, token_hash=digest(token))


async def end_sessions(connection: Connection, staff_id: str, *, keep: str | None = None) -> int:
    """End all sessions of somebody, but `keep`; gives their number."""
    rows: Any = queries().end_sessions(connection, staff_id=staff_id, except_id=keep)
    return len([row async for row in rows])


async def end_all(connection: Connection) -> None:
    """End everybody's sessions and links, on a connection of the login itself."""
    await queries().end_all(connection)
