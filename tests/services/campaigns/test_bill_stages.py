"""What the words of sources tell of a bill's end."""

import pytest

from clarion.services.campaigns.domain.stages import Stage, ending
from clarion.services.campaigns.starting.statuses import final_stage, status_words


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("Chaptered by Secretary of State - Chapter 512, Statutes of 2027.", Stage.LAW),
        ("CHAPTERED", Stage.LAW),
        ("Approved by the Governor.", Stage.LAW),
        ("Enrolled", Stage.LEGISLATURE),
        ("Passed", Stage.LEGISLATURE),
        ("Vetoed by Governor", Stage.DEAD),
        ("Died in committee pursuant to Article IV, Sec. 10(c)", Stage.DEAD),
        ("  failed. ", Stage.DEAD),
        ("Returned to Secretary of Senate pursuant to Joint Rule 56.", Stage.DEAD),
    ],
)
def test_words_that_sources_use_for_an_end_are_known(status: str, stage: Stage) -> None:
    assert final_stage(status) is stage


@pytest.mark.parametrize(
    "status",
    [
        "",
        "In committee",
        "Failed passage in committee. Reconsideration granted.",
        "Passed Senate",
        "Read second time and amended",
        "Dead of night reading",
        "Signed by the chair",
        "Enrolled text corrected",
        "上程",
    ],
)
def test_words_that_tell_of_no_end_change_nothing(status: str) -> None:
    assert final_stage(status) is None


def test_each_line_of_the_table_is_reached_by_its_own_words() -> None:
    for line in status_words():
        assert final_stage(line.words) is line.stage


def test_why_a_bill_is_over_is_said_in_the_sources_words() -> None:
    assert ending("SB 79", "Vetoed by Governor.", Stage.DEAD) == "SB 79 is dead for this session (Vetoed by Governor)."
