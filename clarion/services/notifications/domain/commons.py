"""What recipients of a batch are told and asked alike, which the ledger keeps once for a matter."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from clarion.schemas.messages import Recipient
from clarion.services.notifications.domain.messages import thread_key

ALIKE = {"reasons", "asks"}
OF_THE_ROW = {"mailbox", "officials"}
"""What stands in columns of its own."""

_recipient = TypeAdapter(Recipient)


class Kept(NamedTuple):
    """Recipients as the ledger keeps them, as a JSON array.

    `common_ids` has for each the id of what it has in common with others, None if it has all to itself; `commons` are
    those as JSON, by their ids.
    """

    parts: str
    common_ids: Sequence[str | None]
    commons: dict[str, str]


def kept(matter: str, recipients: Sequence[Recipient]) -> Kept:
    """Recipients of one matter as the ledger keeps them. What only one of them is told stays with that one."""
    said = [_said(one) for one in recipients]
    several = {each for each, count in Counter(said).items() if each and count > 1}
    first = {each: one for each, one in zip(said, recipients, strict=True) if each in several}
    written = {each: _json(one, include=ALIKE) for each, one in first.items()}
    ids = {each: thread_key(matter, part) for each, part in written.items()}
    common_ids = [ids.get(each) for each in said]
    parts = [_part(one, common_id) for one, common_id in zip(recipients, common_ids, strict=True)]
    return Kept(f"[{','.join(parts)}]", common_ids, {ids[each]: part for each, part in written.items()})


def _said(one: Recipient) -> tuple[Any, ...]:
    """What tells apart what recipients are told and asked; empty where it is nothing."""
    reasons = tuple([(reason.kind, reason.text) for reason in one.reasons])
    asks = tuple([(ask.kind, ask.bill) for ask in one.asks])
    return (reasons, asks) if reasons or asks else ()


def _part(one: Recipient, common_id: str | None) -> str:
    """A recipient without what stands elsewhere: most have nothing else."""
    if common_id is None:
        return _json(one, exclude=OF_THE_ROW)
    if one.address is None and one.name is None and not one.told_elsewhere:
        return "{}"
    return _json(one, exclude=OF_THE_ROW | ALIKE)


def _json(one: Recipient, **fields: Any) -> str:
    return _recipient.dump_json(one, exclude_defaults=True, **fields).decode()
