"""The sample association's staff: invented, one of each role, and a manager for every division."""

import csv
from collections import defaultdict
from collections.abc import Iterator

from clarion.runtime.database import Transaction
from clarion.runtime.staff.accounts import find_account_by_email
from clarion.services.directory.sample import CALIFORNIA, FILES
from clarion.services.directory.staff.admission import Wish
from clarion.services.directory.staff.operations import Hand, add_staff

ADMINISTRATOR = "avery.sample@league.example"
OTHERS = (
    Wish(ADMINISTRATOR, "Avery Sample", "admin"),
    Wish("robin.sample@league.example", "Robin Sample", "state"),
    Wish("sky.sample@league.example", "Sky Sample", "viewer"),
)


def sample_staff() -> Iterator[Wish]:
    """Everyone: each manager is deputy in the division that comes next."""
    yield from OTHERS
    with (CALIFORNIA / FILES["divisions"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {row["manager_email"]: row["manager_name"] for row in rows}
    managed, deputy_in = defaultdict(list), defaultdict(list)
    for row, following in zip(rows, [*rows[1:], rows[0]], strict=True):
        managed[row["manager_email"]].append(row["slug"])
        deputy_in[row["manager_email"]].append(following["slug"])
    for email, name in names.items():
        yield Wish(email, name, "manager", managed[email], deputy_in[email])


async def add_sample_staff(tx: Transaction, hand: Hand) -> int:
    """Make the accounts that are not there and were never removed; gives their number."""
    added = 0
    for wish in sample_staff():
        if await find_account_by_email(tx.connection, wish.email) is None:
            await add_staff(tx, hand, wish)
            added += 1
    return added
