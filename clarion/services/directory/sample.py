"""The sample association: California's reference tables, with a fictional roster over its cities."""

import csv
from importlib.resources import files
from pathlib import Path
from typing import get_args

from clarion.schemas.directory import ImportKind
from clarion.services.directory.files import Rows, Source
from clarion.services.directory.roster import fictional_officials, official_id
from clarion.services.directory.sample_groups import fictional_memberships, fictional_partners

SEED = 79
SAMPLE_KINDS: tuple[ImportKind, ...] = get_args(ImportKind)
"""In the order in which one refers to another."""
CALIFORNIA = Path(str(files("clarion.services.directory"))) / "reference" / "california"
FILES: dict[ImportKind, str] = {
    "divisions": "divisions.csv",
    "cities": "cities.csv",
    "districts": "districts.csv",
    "legislators": "legislators.yaml",
    "committees": "committees.yaml",
    "groups": "groups.csv",
}


def sample_source(kind: ImportKind, officials: int, seed: int) -> Source:
    """Where the sample's entities of a kind come from: a reference file, or what is invented."""
    match kind:
        case "officials":
            return Rows("fictional roster", fictional_officials(california_cities(), officials, seed))
        case "memberships":
            return Rows("fictional memberships", fictional_memberships([official_id(n) for n in range(officials)]))
        case "partners":
            return Rows("fictional partners", fictional_partners())
        case _:
            return CALIFORNIA / FILES[kind]


def california_cities() -> list[str]:
    """The Open Civic Data ids of California's cities, in the order of the reference table."""
    with (CALIFORNIA / FILES["cities"]).open(encoding="utf-8", newline="") as file:
        return [row["ocd_id"] for row in csv.DictReader(file)]
