"""What people look at of what holds mail back: suppressed mailboxes, relays and their breakers."""

from collections.abc import Sequence
from typing import Any

from clarion.runtime.database import Connection
from clarion.services.notifications.repository import queries

BREAKER = ("domain", "reason", "opened_at", "until", "tries")


async def list_suppressions(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Mailboxes that get nothing more, oldest first."""
    return [dict(row) async for row in queries.list_suppressions(connection, room=limit)]


async def list_relays(connection: Connection, names: Sequence[str]) -> list[dict[str, Any]]:
    """These relays, with what senders last heard of them and the breakers that are not closed."""
    heard = {row["name"]: row async for row in queries.list_relays(connection)}
    breakers = [dict(row) async for row in queries.list_breakers(connection)]
    rows = []
    for name in names:
        blocked = [one for one in breakers if one["relay"] == name]
        whole = next((one for one in blocked if not one["domain"]), None)
        known = heard.get(name)
        rows.append(
            {
                "relay": name,
                "state": "refuses us" if whole else known["state"] if known else "unknown",
                "said": whole["reason"] if whole else known["said"] if known else None,
                "said_at": known["said_at"] if known else None,
                "refused_until": whole["until"] if whole else None,
                "blocked": [{key: one[key] for key in BREAKER} for one in blocked if one["domain"]],
            }
        )
    return rows
