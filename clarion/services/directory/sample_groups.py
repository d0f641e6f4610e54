"""Who is in the sample's groups: officials of the fictional roster, dealt out the same way each time."""

from collections.abc import Iterator, Sequence

DEPARTMENT_OF = {
    "mayor": "mayors-and-council-members",
    "council member": "mayors-and-council-members",
    "city manager": "city-managers",
    "city clerk": "city-clerks",
    "city attorney": "city-attorneys",
    "fire chief": "fire-chiefs",
    "police chief": "police-chiefs",
    "fiscal officer": "fiscal-officers",
    "planner": "planning-and-community-development",
    "public works director": "public-works",
    "personnel director": "personnel-and-employee-relations",
}
"""Each office's municipal department; an official's own line names it."""
SIZES = {
    "community-services": 58,
    "environmental-quality": 58,
    "governance-transparency-and-labor-relations": 58,
    "housing-community-and-economic-development": 58,
    "public-safety": 58,
    "revenue-and-taxation": 58,
    "transportation-communications-and-public-works": 58,
    "african-american-caucus": 40,
    "asian-pacific-islander-caucus": 40,
    "latino-caucus": 40,
    "lgbtq-caucus": 40,
    "womens-caucus": 40,
    "advancing-equity-community": 40,
    "board-of-directors": 53,
    "packaging-task-force": 12,
    "annual-conference-planning": 15,
}
"""How many each of the other groups has, as far as there are so many officials."""
LEADING = ("chair", "vice-chair")
SINCE = "2026-01-01"
STRIDE = 7
"""Members are every seventh official from a start of the group's own, so that they come from all over."""


def fictional_memberships(officials: Sequence[str]) -> Iterator[dict[str, str]]:
    """Rows of the table of memberships for these officials (ids)."""
    for place, (group, size) in enumerate(SIZES.items()):
        chosen = dict.fromkeys(
            officials[(place + number * STRIDE) % len(officials)] for number in range(min(size, len(officials)))
        )
        for number, official in enumerate(chosen):
            role = LEADING[number] if number < len(LEADING) else "member"
            yield {"group": group, "official": official, "role": role, "since": SINCE}


def fictional_partners() -> Iterator[dict[str, str]]:
    """Rows of the table of partners, a line for each of their people."""
    for identity, name, kind, person, title in (
        ("partner-1", "Recovered Materials Council", "co-host", "Imogen Castellanos", "Executive Director"),
        ("partner-1", "Recovered Materials Council", "co-host", "Basil Okonjo", "Policy Analyst"),
        ("partner-2", "Golden State Bond Advisers", "partner", "Marguerite Vanterpool", "Principal"),
        ("partner-3", "County of Pleasant Valley", "county", "Anselm Dragomir", "Intergovernmental Officer"),
    ):
        email = f"{person.casefold().replace(' ', '.')}@{identity}.example"
        yield {"id": identity, "name": name, "kind": kind, "person": person, "title": title, "email": email}
