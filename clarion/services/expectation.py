"""Who ought to get the sample call, worked out from the tables alone, without the services that it checks."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from clarion.services.directory.sample import CALIFORNIA

WRITERS = {"mayor", "vice mayor", "mayor pro tem", "council member", "city manager"}
CHAMBERS = {"senate": "upper", "assembly": "lower"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the tables say: the committee's members, their districts, and whom it touches."""

    members: int
    districts: int
    cities: frozenset[str]
    divisions: frozenset[str]
    officials: frozenset[str]
    addresses: frozenset[str]


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a reference table."""
    with (CALIFORNIA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def documents(name: str) -> list[dict[str, Any]]:
    """The documents of a reference file."""
    with (CALIFORNIA / name).open(encoding="utf-8") as file:
        return list(yaml.load_all(file, Loader=yaml.CSafeLoader))


def expected_recipients(
    officials: Iterable[Mapping[str, str]], *, committee: str, chamber: str, author: str, statewide: bool = False
) -> Expectation:
    """Follow the tables from a committee, and a bill's author, to the addresses of the officials whose voice counts."""
    seats = {
        person["id"]: (person["roles"][-1]["type"], str(person["roles"][-1]["district"]))
        for person in documents("legislators.yaml")
    }
    found = [each for each in documents("committees.yaml") if (each["name"], each["chamber"]) == (committee, chamber)]
    members = [member["person_id"] for member in found[0]["members"]]
    districts = {seats[member] for member in members}
    authors = {seats[person["id"]] for person in documents("legislators.yaml") if person["family_name"] == author}
    concerned = districts | {seat for seat in authors if seat[0] == chamber}
    overlapping: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows("districts.csv"):
        overlapping[row["city"]].add((CHAMBERS.get(row["chamber"], row["chamber"]), row["district"]))
    members_only = [city for city in rows("cities.csv") if city["member"] == "yes"]
    touched = [city for city in members_only if statewide or overlapping[city["name"]] & concerned]
    places = {city["ocd_id"] for city in touched}
    asked = [official for official in officials if official["city"] in places and has_an_ask(official)]
    return Expectation(
        members=len(members),
        districts=len(districts),
        cities=frozenset(places),
        divisions=frozenset(city["division"] for city in touched),
        officials=frozenset(official["id"] for official in asked),
        addresses=frozenset(on_the_wire(official["email"]) for official in asked),
    )


def on_the_wire(address: str) -> str:
    """An address as a relay gets it: an international domain in ASCII (RFC 5891), compared without case."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def has_an_ask(official: Mapping[str, str]) -> bool:
    """Whether an official is asked for a letter or for testimony."""
    roles = {role.strip().casefold() for role in official["roles"].split(";")}
    return bool(roles & WRITERS) or official["testifies"] == "yes"
