"""The sample association: California's reference tables, with a fictional roster over its cities."""

import csv
from importlib.resources import files
from pathlib import Path

from clarion.schemas.directory import NEEDED_TO_LAUNCH, ImportKind
from clarion.services.directory.files import Rows, Source
from clarion.services.directory.roster import fictional_officials

SEED = 79
SAMPLE_KINDS = NEEDED_TO_LAUNCH
CALIFORNIA = Path(str(files("clarion.services.directory"))) / "reference" / "california"
FILES: dict[ImportKind, str] = {
    "divisions": "divisions.csv",
    "cities": "cities.csv",
    "districts": "districts.csv",
    "legislators": "legislators.yaml",
    "committees": "committees.yaml",
}


def sample_source(kind: ImportKind, officials: int, seed: int) -> Source:
    """Where the sample's entities of a kind come from: a reference file, or the generator of officials."""
    if kind in FILES:
        return CALIFORNIA / FILES[kind]
    return Rows("fictional roster", fictional_officials(california_cities(), officials, seed))


def california_cities() -> list[str]:
    """The Open Civic Data ids of California's cities, in the order of the reference table."""
    with (CALIFORNIA / FILES["cities"]).open(encoding="utf-8", newline="") as file:
        return [row["ocd_id"] for row in csv.DictReader(file)]
