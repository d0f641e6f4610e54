"""From lines to entities, kind by kind: what is wrong is rejected with its reason, the rest goes on."""

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from clarion.schemas.directory import ImportKind
from clarion.schemas.mailboxes import mailbox
from clarion.services.directory.domain.references import References, Unmatched
from clarion.services.directory.domain.report import Line, Note, Record, Rejection
from clarion.services.directory.domain.rows import (
    CityRow,
    CommitteeDocument,
    DistrictKey,
    DistrictRow,
    DivisionRow,
    MemberEntry,
    OfficialRow,
    PersonDocument,
    Term,
    district_id,
    faults,
)

Read = Line | Rejection | Note
Understood = Record | Rejection | Note
One = Callable[[Line, References], Record]


def _each(one: One) -> Callable[[Iterable[Read], References], Iterator[Understood]]:
    def understand(lines: Iterable[Read], references: References) -> Iterator[Understood]:
        for line in lines:
            yield _attempt(one, line, references) if isinstance(line, Line) else line

    return understand


def _attempt(one: One, line: Line, references: References) -> Record | Rejection:
    try:
        return one(line, references)
    except ValidationError as error:
        return Rejection(line.file, line.line, faults(error))
    except Unmatched as error:
        return Rejection(line.file, line.line, str(error))


def _division(line: Line, _: References) -> Record:
    row = DivisionRow.model_validate(line.values)
    return Record(row.slug, row.model_dump(exclude={"slug"}), line.file, line.line)


def _city(line: Line, references: References) -> Record:
    row = CityRow.model_validate(line.values)
    division = None if row.division is None else references.divisions.find(row.division)
    return Record(row.ocd_id, row.model_dump(exclude={"ocd_id"}) | {"division": division}, line.file, line.line)


def _official(line: Line, references: References) -> Record:
    row = OfficialRow.model_validate(line.values)
    found = {"city": references.cities.find(row.city), "mailbox": mailbox(row.email, references.mailbox_key)}
    return Record(row.id, row.model_dump(exclude={"id"}) | found, line.file, line.line)


def _legislator(line: Line, references: References) -> Record:
    person = PersonDocument.model_validate(line.values)
    seat = _seat(person, references)
    state = {
        "name": person.name,
        "family_name": person.family_name,
        "chamber": seat.type,
        "district": district_id(seat.type, str(seat.district)),
        "party": person.party[0].name if person.party else None,
    }
    return Record(person.id, state, line.file, line.line)


def _seat(person: PersonDocument, references: References) -> Term:
    current = [term for term in person.roles if term.covers(references.today)]
    if not current:
        raise Unmatched(f'"{person.name}" has no current role in the upper or lower chamber')
    seat = max(current, key=lambda term: term.start_date)
    if seat.district is None:
        raise Unmatched(f'"{person.name}" has no district in the current role')
    return seat


def _committees(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    for line in lines:
        if not isinstance(line, Line):
            yield line
            continue
        try:
            committee = CommitteeDocument.model_validate(line.values)
        except ValidationError as error:
            yield Rejection(line.file, line.line, faults(error))
            continue
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
        except ValidationError as error:
            without.append(_left_out(committee, line.file, place, f"member: {faults(error)}"))
        except Unmatched as error:
            without.append(_left_out(committee, line.file, place, str(error)))
    return list(members.values()), without


def _left_out(committee: CommitteeDocument, file: str, line: int, reason: str) -> Rejection:
    return Rejection(file, line, f'{reason}; the committee "{committee.name}" went in without')


def _member(entry: Any, references: References, others: Container[str]) -> dict[str, Any]:
    member = MemberEntry.model_validate(entry)
    if member.person_id is None:
        raise Unmatched(f'member "{member.name}" has no person_id')
    seat = references.seats.get(member.person_id)
    if seat is None:
        raise Unmatched(f'member "{member.name}" ({member.person_id}) is no legislator with a district')
    if member.person_id in others:
        raise Unmatched(f'member "{member.name}" is named twice')
    return {
        "legislator": member.person_id,
        "name": seat.name,
        "role": member.role,
        "chamber": seat.chamber,
        "district": seat.district,
    }


class _DistrictInTheMaking:
    """A district's shares as far as they were read, and where it was first named."""

    def __init__(self, line: Line, key: DistrictKey) -> None:
        self.line = line
        self.key = key
        self.shares: dict[str, float] = {}
        self.whole = True

    def record(self, references: References) -> Record:
        identity = district_id(self.key.chamber, self.key.district)
        known = {} if self.whole else references.shares.get(identity, {})
        shares = dict(known) | self.shares
        state = {
            "chamber": self.key.chamber,
            "number": self.key.district,
            "cities": [{"city": city, "share": share} for city, share in sorted(shares.items())],
        }
        return Record(identity, state, self.line.file, self.line.line)


def _districts(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    """A district has the cities that the files name; one with a rejected line also keeps those it had."""
    found: dict[str, _DistrictInTheMaking] = {}
    for line in lines:
        if not isinstance(line, Line):
            yield line
            continue
        try:
            key = DistrictKey.model_validate(line.values)
            identity = district_id(key.chamber, key.district)
            district = found.setdefault(identity, _DistrictInTheMaking(line, key))
        except ValidationError as error:
            yield Rejection(line.file, line.line, faults(error))
            continue
        try:
            _add_share(district, line, references)
        except (ValidationError, Unmatched) as error:
            district.whole = False
            reason = faults(error) if isinstance(error, ValidationError) else str(error)
            yield Rejection(line.file, line.line, reason)
    for district in found.values():
        if district.shares:
            yield district.record(references)


def _add_share(district: _DistrictInTheMaking, line: Line, references: References) -> None:
    row = DistrictRow.model_validate(line.values)
    city = references.cities.find(row.city)
    if city in district.shares:
        raise Unmatched(f'"{row.city}" stands already in district {row.district} ({row.chamber})')
    district.shares[city] = row.area_share


UNDERSTAND: dict[ImportKind, Callable[[Iterable[Read], References], Iterator[Understood]]] = {
    "divisions": _each(_division),
    "cities": _each(_city),
    "districts": _districts,
    "legislators": _each(_legislator),
    "committees": _committees,
    "officials": _each(_official),
}
"""How the lines of each kind are understood."""
