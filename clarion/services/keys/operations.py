"""What is done with API keys; each act is recorded in the transaction that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import JsonValue

from clarion.runtime.database import Connection
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.web.keys import create_key, default_source, find_key, revoke_key
from clarion.schemas.commands import KeyMade

MOST_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Wish:
    """A key that is wanted: who uses it, for what, for which source, and until when."""

    name: str
    scopes: Sequence[str]
    source: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of it: `before` says that it had been revoked already, which changes nothing."""

    at: datetime
    before: bool


def expiry(text: str, now: datetime) -> datetime:
    """When a key expires that is to last so many days (`90`), or to the end of a day (`2027-12-31`), UTC.

    Raises:
        ValueError: it is neither, lies behind, or more than ten years ahead.
    """
    if text.isascii() and text.isdigit():
        if not 0 < int(text[:9]) <= MOST_DAYS:
            raise ValueError(f"a key lasts 1 to {MOST_DAYS:,} days")
        return now + timedelta(days=int(text))
    try:
        day = date.fromisoformat(text)
        ends_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is neither a number of days nor a date such as 2027-12-31") from error
    if not now < ends_at <= now + timedelta(days=MOST_DAYS):
        raise ValueError(f"{text} is over already, or more than {MOST_DAYS:,} days ahead")
    return ends_at


async def make(connection: Connection, actor: Actor, wish: Wish, now: datetime) -> KeyMade:
    """Make a key, which is kept nowhere.

    Raises:
        ValueError: no key can be made of this wish.
    """
    name, source = wish.name.strip(), (wish.source or "").strip() or default_source(wish.name.strip())
    key_id, key = await create_key(connection, name, wish.scopes, source, lambda: now, expires_at=wish.expires_at)
    until = None if wish.expires_at is None else wish.expires_at.isoformat()
    details: dict[str, JsonValue] = {"name": name, "scopes": list(wish.scopes), "expires_at": until}
    await record(connection, actor, "key.created", f"key:{key_id}", at=now, details=details)
    return KeyMade(id=key_id, key=key, name=name, scopes=list(wish.scopes), source=source, expires_at=wish.expires_at)


async def revoke(connection: Connection, actor: Actor, key_id: str, now: datetime) -> Revocation | None:
    """Make a key useless from now on; None if there is none of this id."""
    known = await find_key(connection, key_id)
    at = await revoke_key(connection, key_id, lambda: now) if known else None
    if known is None or at is None:
        return None
    if known["revoked_at"] is not None:
        return Revocation(at, before=True)
    await record(connection, actor, "key.revoked", f"key:{key_id}", at=now, details={"name": known["name"]})
    return Revocation(at, before=False)
