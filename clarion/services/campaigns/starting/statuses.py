"""The table of sources' words for where a bill stands, from `data/bill_statuses.csv`."""

import csv
from functools import cache
from importlib.resources import files

from clarion.services.campaigns.domain.stages import Stage, StatusWords, stage_of


@cache
def status_words() -> tuple[StatusWords, ...]:
    """The lines of the table, in its order."""
    text = files(__package__).joinpath("data/bill_statuses.csv").read_text("utf-8")
    return tuple(
        StatusWords(row["words"], "is" if row["match"] == "is" else "begins", Stage(row["stage"]))
        for row in csv.DictReader(text.splitlines())
    )


def final_stage(status: str) -> Stage | None:
    """What a source's status tells of a bill's end; None where it tells none."""
    return stage_of(status, status_words())
