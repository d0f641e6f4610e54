"""The jobs of a fan-out, and how much of them one transaction takes.

A bucket is read once and for all of its waves: whole where it is small, else in ranges of its mailboxes, which are
hashes and so spread evenly. So a transaction costs the same whether a campaign asks thousands or a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil

START = ""
END = "g"
"""Behind every mailbox: they are hexadecimal digits."""
DIGITS = 8
MAILBOXES = 16**DIGITS


@dataclass(frozen=True, slots=True)
class Job:
    """A wave's share of one bucket, with about how many officials it has.

    It was done for the mailboxes before `reached`, and is to be done for those from there to before `upto`.
    """

    campaign: str
    division: str
    bucket: int
    officials: int
    reached: str = START
    upto: str = END


def within(jobs: Sequence[Job], room: int) -> list[Job]:
    """What one transaction of about `room` officials takes of these jobs, in which those of a bucket stand together.

    Either whole buckets, or a range of the mailboxes of one.
    """
    taken: list[Job] = []
    size = 0
    for (_, _, reached), group in groupby(jobs, key=lambda job: (job.campaign, job.bucket, job.reached)):
        members = list(group)
        officials = sum(job.officials for job in members)
        if taken and (reached != START or size + officials > room):
            break
        if reached != START or officials > room:
            upto = _end_of_range(reached, room / max(officials, 1))
            return [replace(job, upto=upto) for job in members]
        taken += members
        size += officials
    return taken


def _end_of_range(reached: str, share: float) -> str:
    end = int(reached or "0", 16) + ceil(MAILBOXES * share)
    return END if end >= MAILBOXES else f"{end:0{DIGITS}x}"
