"""Committees, from Open States' documents or from a table with a line for each member: the same entity either way."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from clarion.schemas.text import Contract
from clarion.services.directory.domain.gathering import Found, Making, gather
from clarion.services.directory.domain.lines import Read, Understood, named, rejection
from clarion.services.directory.domain.references import References, Unmatched
from clarion.services.directory.domain.report import Document, Line, Record, Rejection
from clarion.services.directory.domain.rows import CommitteeDocument, CommitteeKey, CommitteeRow, MemberEntry, faults


def committees(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    """Each committee with its members; a member who is no known legislator is left out and told."""

    def member_of(line: Line) -> tuple[str, Any] | None:
        row = CommitteeRow.model_validate(line.values)
        if row.legislator_id is None:
            return None
        try:
            return row.legislator_id, _seated(row.legislator_id, row.legislator_id, row.role, references)
        except Unmatched as error:
            raise Unmatched(_without(str(error), row.name)) from error

    found: Found = {}
    for line in lines:
        if isinstance(line, Document):
            yield from _of_document(line, references)
        else:
            yield from gather(line, found, _key_of, member_of)
    for identity, making in found.items():
        yield making.record(identity, _state(making, references.stated.get(identity, {})))


def _key_of(line: Line) -> tuple[str, Contract]:
    key = CommitteeKey.model_validate(line.values)
    return key.id, key


def _state(making: Making, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a table has no column for stays as it is known."""
    state = making.key.model_dump(exclude={"id"})
    return state | {
        "jurisdiction": state["jurisdiction"] or known.get("jurisdiction"),
        "other_names": state["other_names"] or known.get("other_names", []),
        "members": list(making.parts.values()),
    }


def _of_document(line: Line, references: References) -> Iterator[Understood]:
    try:
        committee = CommitteeDocument.model_validate(line.values)
    except ValidationError as error:
        yield rejection(line, error, named(line, "id", error))
        return
    members, without = _members(committee, line, references)
    yield from without
    state = committee.model_dump(exclude={"id", "members", "other_names"})
    names = [other.name for other in committee.other_names]
    yield Record(committee.id, state | {"other_names": names, "members": members}, line.file, line.line)


def _members(
    committee: CommitteeDocument, line: Line, references: References
) -> tuple[list[dict[str, Any]], list[Rejection]]:
    members: dict[str, dict[str, Any]] = {}
    without: list[Rejection] = []
    places = line.item_lines.get("members", [])
    for number, entry in enumerate(committee.members):
        place = places[number] if number < len(places) else line.line
        try:
            member = _member(entry, references, members)
            members[member["legislator"]] = member
        except (ValidationError, Unmatched) as error:
            reason = f"member: {faults(error)}" if isinstance(error, ValidationError) else str(error)
            without.append(Rejection(line.file, place, _without(reason, committee.name), committee.id))
    return list(members.values()), without


def _without(reason: str, committee: str) -> str:
    return f'{reason}; the committee "{committee}" went in without'


def _member(entry: Any, references: References, others: Container[str]) -> dict[str, Any]:
    member = MemberEntry.model_validate(entry)
    if member.person_id is None:
        raise Unmatched(f'member "{member.name}" has no person_id')
    if member.person_id in others:
        raise Unmatched(f'member "{member.name}" is named twice')
    return _seated(member.person_id, member.name, member.role, references)


def _seated(legislator: str, called: str, role: str, references: References) -> dict[str, Any]:
    seat = references.seats.get(legislator)
    if seat is None:
        raise Unmatched(f'member "{called}" ({legislator}) is no legislator with a district')
    return {
        "legislator": legislator,
        "name": seat.name,
        "role": role,
        "chamber": seat.chamber,
        "district": seat.district,
    }
