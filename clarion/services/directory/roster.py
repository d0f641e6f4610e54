"""Invents officials: as many as wanted, the same ones for the same seed, none of them a real person."""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.resources import files

from clarion.services.directory.sample_groups import DEPARTMENT_OF

ROLES = (
    "mayor",
    "council member",
    "city manager",
    "council member;mayor pro tem",
    "council member",
    "city clerk",
    "city attorney",
    "fire chief",
    "police chief",
    "fiscal officer",
    "planner",
    "public works director",
    "personnel director",
    "council member",
)
"""What the first officials of a city are; those after them are staff of one of the appointed kinds."""
APPOINTED = tuple(roles for roles in ROLES[5:] if "council" not in roles)
SHARED_MAILBOX_SHARE = 0.08
"""In so many cities the mayor, a council member and the clerk are reached through one address."""
SHARING = (0, 1, 5)
WILLING_SHARE = 0.15
"""So many of mayors, council members and city managers are willing to testify."""
WORDS = {True: "yes", False: "no"}
SPEAKING = ("mayor", "council member", "city manager")


def fictional_officials(cities: Sequence[str], count: int, seed: int) -> Iterator[dict[str, str]]:
    """Rows of the table of officials, dealt evenly over the cities (Open Civic Data ids).

    The first ones of each city are its mayor, council members and city manager. More officials with the same seed are
    the same ones and others after them. All addresses are at `.example`.
    """
    chance = random.Random(f"{seed}:roster")  # noqa: S311 - repeatable on purpose, and no secret
    first_names, last_names = _names("first_names.txt"), _names("last_names.txt")
    offsets = [chance.randrange(len(last_names)) for _ in cities]
    shared = [chance.random() < SHARED_MAILBOX_SHARE for _ in cities]
    for number in range(count):
        slot, place = divmod(number, len(cities))
        first = chance.choice(first_names)
        lap, position = divmod(slot, len(last_names))
        last = last_names[(offsets[place] + position) % len(last_names)]
        domain = domain_of(cities[place])
        personal = f"{local_part(f'{first}.{last}')}{lap + 1 if lap else ''}@{domain}"
        yield {
            "id": official_id(number),
            "name": f"{first} {last}",
            "city": cities[place],
            "email": f"clerk@{domain}" if shared[place] and slot in SHARING else personal,
            "phone": f"555-01{number % 100:02d}",
        } | _office(slot, chance)


def official_id(number: int) -> str:
    """The id of the official of that number, from 0 on."""
    return f"fictional-{number + 1:06d}"


def _names(file: str) -> list[str]:
    text = (files("clarion.services.directory") / "reference" / "fictional" / file).read_text(encoding="utf-8")
    return text.split()


def local_part(name: str) -> str:
    """A name as it stands before the @: plain small letters, dots and hyphens."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("þ", "th"))
    return "".join(letter for letter in plain if letter.isascii() and (letter.isalnum() or letter in ".-"))


def domain_of(city: str) -> str:
    """The invented mail domain of a city, such as `agoura-hills.ca.example`."""
    parts = dict(part.split(":", 1) for part in city.split("/") if ":" in part)
    # Open Civic Data writes ~ for a letter beyond ASCII, in California's names an enye.
    place = parts["place"].replace("~", "n").replace("_", "-")
    return f"{place}.{parts['state']}.example"


def _office(slot: int, chance: random.Random) -> dict[str, str]:
    roles = ROLES[slot] if slot < len(ROLES) else APPOINTED[slot % len(APPOINTED)]
    willing = chance.random() < WILLING_SHARE and roles.startswith(SPEAKING)
    elected = roles.startswith(("mayor", "council member"))
    groups = DEPARTMENT_OF[roles.partition(";")[0]]
    return {"groups": groups, "roles": roles, "testifies": WORDS[willing], "elected": WORDS[elected]}
