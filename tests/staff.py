"""Somebody of staff for tests: an account and a session, without the way through the mail."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import httpx

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.database.pool import connect
from clarion.runtime.settings import Settings
from clarion.runtime.staff.accounts import save_account
from clarion.runtime.staff.rights import Role, Staff
from clarion.runtime.staff.sessions import form_token, open_session
from clarion.runtime.web.staff import SessionCookie

FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in; `form` is the field that every form of theirs carries."""

    staff: Staff
    session_id: str
    token: str

    @property
    def form(self) -> dict[str, str]:
        return {"form_token": form_token(self.token)}


def somebody(
    role: str | Role = Role.ADMIN,
    divisions: Iterable[str] = (),
    deputy_in: Iterable[str] = (),
    name: str = "Sam Sample",
) -> Staff:
    """Fictional, with an address of their own."""
    key = uuid.uuid4().hex
    return Staff(
        id=key,
        name=name,
        email=f"{key[:12]}@cities.example",
        role=Role(role),
        divisions=frozenset(divisions),
        deputy_in=frozenset(deputy_in),
    )


async def signed_in(
    client: httpx.AsyncClient,
    where: Database | Settings | str,
    role: str | Role = Role.ADMIN,
    divisions: Iterable[str] = (),
    deputy_in: Iterable[str] = (),
    *,
    name: str = "Sam Sample",
    now: datetime | None = None,
) -> SignedIn:
    """Make an account of this role and have the client be signed in with it; `where` names the database."""
    return await sign_in_as(client, where, somebody(role, divisions, deputy_in, name), now=now)


async def sign_in_as(
    client: httpx.AsyncClient, where: Database | Settings | str, staff: Staff, *, now: datetime | None = None
) -> SignedIn:
    """The same for somebody who is given; an account that is there is brought to this state."""
    url = where if isinstance(where, str) else where.url if isinstance(where, Database) else str(where.database_url)
    at = now or system_clock()
    connection = await connect(url, "directory")
    try:
        await save_account(connection, staff, at)
        session_id, token = await open_session(
            connection, staff.id, at, address="192.0.2.7", agent="tests", method="test"
        )
    finally:
        await connection.close()
    client.cookies.set(SessionCookie(str(client.base_url)).name, token)
    return SignedIn(staff, session_id, token)


def form_token_in(page: str) -> str:
    """The token that the forms of a page carry."""
    found = FORM_TOKEN.search(page)
    assert found, "no form on this page"
    return found[1]


async def forget_everybody(database_url: str) -> None:
    """No accounts, sessions, links, counts, acts and mail any more, where tests share a database."""
    connection = await asyncpg.connect(database_url)
    try:
        for table in ("clarion.staff", "clarion.sign_in_counts", "clarion.audit", "directory.outbox"):
            await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()
