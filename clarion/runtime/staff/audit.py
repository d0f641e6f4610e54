"""The record of acts: who, what, on what, when and from where, written in the transaction of the act itself."""

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from pydantic import JsonValue

from clarion.runtime.database import Connection, load_queries

ActorKind: TypeAlias = Literal["staff", "key", "command", "person", "system"]
NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts; `place` is a client's address, or the host of a terminal."""

    kind: ActorKind
    id: str
    name: str
    place: str


def command_actor() -> Actor:
    """Whoever gives commands at this terminal: the user of the operating system, on this host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # in a container the number that a process runs as need not have a name
        user = f"uid {os.getuid()}"
    return Actor("command", user, user, socket.gethostname())


async def record(
    connection: Connection,
    actor: Actor,
    act: str,
    subject: str,
    *,
    at: datetime,
    details: Mapping[str, JsonValue] = NOTHING,
    divisions: Sequence[str] = (),
    mailbox: str | None = None,
) -> None:
    """Write down that `actor` did `act` (past tense, such as `wave.approved`) to `subject` (such as `campaign:<id>`).

    `connection` is that of the act's own transaction, so that neither is kept without the other. `details` never hold
    addresses, stances or secrets. `divisions` and `mailbox` (the keyed hash) say whom it concerns, so who may read it.
    """
    await load_queries(__package__).record_act(
        connection,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        place=actor.place,
        act=act,
        subject=subject,
        details=dict(details),
        divisions=sorted(divisions),
        mailbox=mailbox,
    )
