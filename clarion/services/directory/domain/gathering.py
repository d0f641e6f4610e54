"""Entities that stand in several lines of a table: they are gathered first, whichever order the lines are in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from clarion.schemas.mailboxes import mailbox
from clarion.schemas.text import Contract
from clarion.services.directory.domain.lines import Read, Understood, named, rejection
from clarion.services.directory.domain.references import References, Unmatched
from clarion.services.directory.domain.report import Line, Note, Record, Rejection
from clarion.services.directory.domain.rows import DistrictKey, DistrictRow, PartnerKey, PartnerRow, district_id


@dataclass(slots=True)
class Making:
    """An entity as far as its lines were read: the first of them, what all of them must say, and the parts by name.

    It is not `whole` once a line of it was rejected.
    """

    line: Line
    key: Contract
    parts: dict[str, Any] = field(default_factory=dict)
    whole: bool = True

    def record(self, identity: str, state: dict[str, Any]) -> Record:
        """The entity, told under its first line."""
        return Record(identity, state, self.line.file, self.line.line)


Found = dict[str, Making]
KeyOf = Callable[[Line], tuple[str, Contract]]
PartOf = Callable[[Line], tuple[str, Any] | None]


def gather(line: Read, found: Found, key_of: KeyOf, part_of: PartOf) -> Iterator[Rejection | Note]:
    """Put a line where it belongs; a part is `(what it is told apart by, its value)`, or None if there is none."""
    if not isinstance(line, Line):
        yield line
        return
    try:
        identity, key = key_of(line)
    except ValidationError as error:
        yield rejection(line, error, named(line, "id", error))
        return
    making = found.setdefault(identity, Making(line, key))
    try:
        _add(making, key, part_of(line))
    except (ValidationError, Unmatched) as error:
        making.whole = False
        yield rejection(line, error, identity)


def _add(making: Making, key: Contract, part: tuple[str, Any] | None) -> None:
    if other := [name for name, value in making.key if value != getattr(key, name)]:
        raise Unmatched(f"{', '.join(other)}: not what line {making.line.line} says of the same id")
    if part is None:
        return
    name, value = part
    if name in making.parts:
        raise Unmatched(f'"{name}" stands already in an earlier line of the same')
    making.parts[name] = value


def districts(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    """A district has the cities that the files name; one with a rejected line also keeps those it had."""

    def key_of(line: Line) -> tuple[str, Contract]:
        key = DistrictKey.model_validate(line.values)
        return district_id(key.chamber, key.district), key

    def share_of(line: Line) -> tuple[str, Any]:
        row = DistrictRow.model_validate(line.values)
        return references.cities.find(row.city), row.area_share

    found: Found = {}
    for line in lines:
        yield from gather(line, found, key_of, share_of)
    for identity, making in found.items():
        if making.parts:
            known = {} if making.whole else references.shares.get(identity, {})
            yield making.record(identity, _district(making.key, dict(known) | making.parts))


def _district(key: Any, shares: dict[str, float]) -> dict[str, Any]:
    cities = [{"city": city, "share": share} for city, share in sorted(shares.items())]
    return {"chamber": key.chamber, "number": key.district, "cities": cities}


def partners(lines: Iterable[Read], references: References) -> Iterator[Understood]:
    """A partner has the people that the files name; one with a rejected line also keeps those it had."""

    def key_of(line: Line) -> tuple[str, Contract]:
        key = PartnerKey.model_validate(line.values)
        return key.id, key

    def person_of(line: Line) -> tuple[str, Any] | None:
        row = PartnerRow.model_validate(line.values)
        if row.person is None:
            return None
        place = row.email and mailbox(row.email, references.mailbox_key)
        person = {"name": row.person, "title": row.title, "email": row.email, "mailbox": place, "phone": row.phone}
        return row.person, person

    found: Found = {}
    for line in lines:
        yield from gather(line, found, key_of, person_of)
    for identity, making in found.items():
        known = [] if making.whole else references.stated.get(identity, {}).get("people", [])
        people = {person["name"]: person for person in known} | making.parts
        state = making.key.model_dump(exclude={"id"}) | {"people": list(people.values())}
        yield making.record(identity, state)
