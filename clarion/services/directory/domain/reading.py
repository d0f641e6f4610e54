"""From lines to entities, kind by kind: what is wrong is rejected with its reason, the rest goes on."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from clarion.schemas.directory import ImportKind
from clarion.schemas.mailboxes import mailbox
from clarion.services.directory.domain.committees import committees
from clarion.services.directory.domain.gathering import districts, partners
from clarion.services.directory.domain.lines import Read, Understood, each, rejection
from clarion.services.directory.domain.offices import elected
from clarion.services.directory.domain.references import References, Unmatched
from clarion.services.directory.domain.report import Document, Line, Note, Record
from clarion.services.directory.domain.rows import (
    CityRow,
    DivisionRow,
    GroupRow,
    LegislatorRow,
    MembershipRow,
    OfficialRow,
    PersonDocument,
    Term,
    district_id,
)

SHOWN_UNKNOWN = 20
Understand = Callable[[Iterable[Read], References], Iterator[Understood]]


def _division(line: Line, _: References) -> Record:
    row = DivisionRow.model_validate(line.values)
    return Record(row.slug, row.model_dump(exclude={"slug"}), line.file, line.line)


def _city(line: Line, references: References) -> Record:
    row = CityRow.model_validate(line.values)
    division = None if row.division is None else references.divisions.find(row.division)
    state = row.model_dump(exclude={"ocd_id"}, mode="json") | {"division": division}
    return Record(row.ocd_id, state, line.file, line.line)


def _officials(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    unknown: set[str] = set()
    for line in each(_official, "id")(lines, references):
        if isinstance(line, Record) and len(unknown) < SHOWN_UNKNOWN:
            unknown.update(group for group in line.state["groups"] if not references.groups.has(group))
        yield line
    if unknown:
        yield Note(f"groups that are not known: {', '.join(sorted(unknown))}; they count once they are imported")


def _official(line: Line, references: References) -> Record:
    row = OfficialRow.model_validate(line.values)
    groups = [references.groups.meant(group) for group in row.groups]
    found = {
        "city": references.cities.find(row.city),
        "mailbox": mailbox(row.email, references.mailbox_key),
        "groups": groups,
        "elected": elected(row.roles) if row.elected is None else row.elected,
    }
    state = row.model_dump(exclude={"id"}) | found
    return Record(row.id, state, line.file, line.line, _memberships(groups, references) if groups else {})


def _memberships(groups: Iterable[str], references: References) -> dict[str, Any]:
    """Those that the line itself states; the same as `refresh_derived` comes to for who has no others."""
    known = sorted({group for group in groups if references.groups.has(group)})
    plain = {"role": "member", "since": None, "until": None}
    return {"groups": known, "memberships": [{"group": group} | plain for group in known]}


def _legislator(line: Line, references: References) -> Record:
    row = _of_document(line, references) if isinstance(line, Document) else LegislatorRow.model_validate(line.values)
    known = references.stated.get(row.id, {})
    state = {
        "name": row.name,
        "family_name": row.family_name or known.get("family_name"),
        "chamber": row.chamber,
        "district": district_id(row.chamber, row.district),
        "party": row.party,
        "email": row.email or known.get("email"),
    }
    return Record(row.id, state, line.file, line.line)


def _of_document(line: Line, references: References) -> LegislatorRow:
    person = PersonDocument.model_validate(line.values)
    seat = _seat(person, references.today)
    return LegislatorRow(
        id=person.id,
        name=person.name,
        family_name=person.family_name,
        chamber=seat.type,
        district=str(seat.district),
        party=person.party[0].name if person.party else None,
    )


def _seat(person: PersonDocument, today: date) -> Term:
    current = [term for term in person.roles if term.covers(today)]
    if not current:
        raise Unmatched(f'"{person.name}" has no current role in the upper or lower chamber')
    seat = max(current, key=lambda term: term.start_date)
    if seat.district is None:
        raise Unmatched(f'"{person.name}" has no district in the current role')
    return seat


def _groups(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    """A group goes in without the cities that are not known; officials are looked up once all are staged."""
    for line in each(lambda line, _: _group(line), "slug")(lines, references):
        if not isinstance(line, Record):
            yield line
            continue
        cities: list[str] = []
        for name in line.state["stated_members"]["city"]:
            try:
                cities.append(references.cities.find(name))
            except Unmatched as error:
                reason = f'{error}; the group "{line.state["name"]}" went in without'
                yield rejection(line, Unmatched(reason), line.id)
        line.state["stated_members"]["city"] = cities
        yield line


def _group(line: Line) -> Record:
    row = GroupRow.model_validate(line.values)
    members = {"city": row.cities, "official": row.officials}
    state: dict[str, Any] = row.model_dump(include={"name", "kind", "open_to"})
    return Record(row.slug, state | {"stated_members": members}, line.file, line.line)


def membership_id(group: str, kind: str, member: str) -> str:
    """The id of somebody's membership of a group, whatever its terms."""
    return f"{group}/{kind}/{member}"


def _membership(line: Line, references: References) -> Record:
    """One term; those of one member in one group are put together once all are staged."""
    row = MembershipRow.model_validate(line.values)
    group = references.groups.find(row.group)
    kind = "official" if row.city is None else "city"
    member = row.official if row.city is None else references.cities.find(row.city)
    term = row.model_dump(include={"role", "since", "until"}, mode="json")
    state = {"kind": kind, "member": member, "group": group, "terms": [term]}
    return Record(membership_id(group, kind, str(member)), state, line.file, line.line)


UNDERSTAND: dict[ImportKind, Understand] = {
    "divisions": each(_division, "slug"),
    "cities": each(_city, "ocd_id"),
    "districts": districts,
    "legislators": each(_legislator, "id"),
    "committees": committees,
    "groups": _groups,
    "officials": _officials,
    "memberships": each(_membership, None),
    "partners": partners,
}
"""How the lines of each kind are understood."""
