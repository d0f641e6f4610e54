"""Which offices of a city are elected, where a table does not say it."""

from collections.abc import Iterable

ELECTED = frozenset({"mayor", "vice mayor", "deputy mayor", "mayor pro tem", "council member", "supervisor"})
APPOINTED = frozenset(
    {
        "city manager",
        "city clerk",
        "city attorney",
        "fire chief",
        "police chief",
        "fiscal officer",
        "finance director",
        "planner",
        "planning director",
        "public works director",
        "personnel director",
    }
)
SPELLINGS = {"councilmember": "council member", "councilwoman": "council member", "councilman": "council member"}


def elected(roles: Iterable[str]) -> bool | None:
    """Whether somebody with these roles was elected to one of them; None where that cannot be told."""
    offices = [SPELLINGS.get(plain, plain) for plain in (" ".join(role.casefold().split()) for role in roles)]
    if any(office in ELECTED for office in offices):
        return True
    return False if offices and all(office in APPOINTED for office in offices) else None
