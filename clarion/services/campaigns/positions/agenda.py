"""The dated Action Agenda: priorities are adopted, changed and ended; every change is a version that stays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from pydantic import JsonValue

from clarion.runtime.database import Connection, Transaction, load_queries
from clarion.runtime.staff.audit import Actor, record
from clarion.services.campaigns.positions.priorities import (
    AgendaItem,
    Priority,
    Unfit,
    differing,
    priority_of,
    today_at,
)

QUERIES = load_queries("clarion.services.campaigns")


class UnknownPriority(Exception):
    """There is no priority of this slug; the message says how to see which there are."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"no priority {slug!r} on the agenda: `clarion agenda list` shows them")


class ChangedMeanwhile(Exception):
    """Somebody made another version of what a form had been filled in for; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The priority as it now stands; `is_new` is False if it stood there so before."""

    item: AgendaItem
    is_new: bool


async def set_priority(tx: Transaction, actor: Actor, priority: Priority, *, based_on: int | None = None) -> Setting:
    """`put_priority`, and write down who did it."""
    setting = await put_priority(tx, priority, based_on=based_on)
    if setting.is_new:
        details: dict[str, JsonValue] = {"version": setting.item.version}
        await record(tx.connection, actor, "priority.set", f"priority:{priority.slug}", at=tx.clock(), details=details)
    return setting


async def put_priority(tx: Transaction, priority: Priority, *, based_on: int | None = None) -> Setting:
    """Put a priority on the agenda, or bring the one of its slug to this state; the same again changes nothing.

    `based_on` is the version that whoever changes it has seen (0: none).

    Raises:
        ChangedMeanwhile: there is a later one.
    """
    await QUERIES.lock_agenda(tx.connection)
    known = next(iter(await versions_of(tx.connection, priority.slug)), None)
    seen = known.version if known else 0
    if known is not None and known.priority == priority:
        return Setting(known, is_new=False)
    if based_on is not None and based_on != seen:
        raise ChangedMeanwhile(f"version {seen} of it was made meanwhile: look at that first. Nothing was changed.")
    item = AgendaItem(seen + 1, tx.clock(), priority)
    await QUERIES.insert_priority(tx.connection, version=item.version, changed_at=item.changed_at, **asdict(priority))
    return Setting(item, is_new=True)


async def change_priority(tx: Transaction, actor: Actor, slug: str, changes: Mapping[str, Any]) -> Setting:
    """Change some fields of a priority, or put a new one on the agenda, which begins today unless said.

    Raises:
        Unfit: a field cannot be so, or a new one lacks its title or text.
    """
    await QUERIES.lock_agenda(tx.connection)
    known = next(iter(await versions_of(tx.connection, slug)), None)
    if known is not None:
        return await set_priority(tx, actor, replace(known.priority, **changes))
    given = {"slug": slug, "place": 1, "from_day": today_at(tx.clock()), **changes}
    if missing := [name for name in ("title", "body") if name not in given]:
        raise Unfit(f"{slug} is new: give its {' and '.join('text' if one == 'body' else one for one in missing)}")
    return await set_priority(tx, actor, Priority(**given))


async def end_priority(tx: Transaction, actor: Actor, slug: str, last_day: date) -> Setting:
    """Have a priority hold to the end of a day and no longer. What refers to it stays.

    Raises:
        UnknownPriority: there is none.
        Unfit: it begins after that day.
    """
    await QUERIES.lock_agenda(tx.connection)
    versions = await versions_of(tx.connection, slug)
    if not versions:
        raise UnknownPriority(slug)
    return await set_priority(tx, actor, replace(versions[0].priority, until_day=last_day))


async def versions_of(connection: Connection, slug: str) -> list[AgendaItem]:
    """Every version of a priority, newest first."""
    return [_item(row) async for row in QUERIES.priority_versions(connection, slug=slug)]


async def list_agenda(connection: Connection, today: date, *, ended: bool = True) -> list[dict[str, Any]]:
    """The priorities in their order, each with its `state` on that day and how many `positions` refer to it."""
    rows = [(_item(row), row["positions"]) async for row in QUERIES.list_priorities(connection)]
    shown = [line(item, today) | {"positions": positions} for item, positions in rows]
    return [each for each in shown if ended or each["state"] != "over"]


async def show_priority(connection: Connection, slug: str, today: date) -> dict[str, Any] | None:
    """A priority with its `versions`, newest first, each with what it changed; None if there is none."""
    found = await versions_of(connection, slug)
    if not found:
        return None
    versions = [
        {"version": each.version, "changed_at": each.changed_at, "changed": differing(stated(before), stated(each))}
        for each, before in zip(found, [*found[1:], found[-1]], strict=True)
    ]
    return line(found[0], today) | {"versions": versions}


def line(item: AgendaItem, today: date) -> dict[str, Any]:
    """A priority as people and machines read it."""
    return stated(item) | {
        "state": str(item.priority.standing(today)),
        "version": item.version,
        "changed_at": item.changed_at,
    }


def stated(item: AgendaItem) -> dict[str, Any]:
    """What of a priority may differ from version to version, and its slug."""
    return {"text" if name == "body" else name: value for name, value in asdict(item.priority).items()}


def _item(row: Mapping[str, Any]) -> AgendaItem:
    return AgendaItem(row["version"], row["changed_at"], priority_of(row))
