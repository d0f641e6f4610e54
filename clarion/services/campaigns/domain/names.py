"""How names, roles and chambers are compared, whoever wrote them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

ROLES_KEPT = 4_096
"""There are few roles, and each is written half a million times."""

CHAIR_RANK, VICE_CHAIR_RANK, MEMBER_RANK, AUTHOR_RANK, GROUP_RANK = range(5)
DISTRICT_RANK, DIVISION_RANK, CITY_RANK, STATEWIDE_RANK = range(5, 9)
"""The order in which reasons are told."""


@dataclass(frozen=True, slots=True)
class Chamber:
    """The words for a chamber: its name, how a member is addressed, and how a district is abbreviated."""

    name: str
    member: str
    district: str


CALIFORNIA = "ocd-jurisdiction/country:us/state:ca/government"
CHAMBERS = {
    "upper": Chamber("Senate", "Senator", "SD"),
    "lower": Chamber("House", "Representative", "HD"),
    "joint": Chamber("Joint", "Legislator", "District"),
}
OWN_CHAMBERS = {CALIFORNIA: {"lower": Chamber("Assembly", "Assembly Member", "AD")}}
OTHER_CHAMBER = Chamber("", "Legislator", "District")

ALIASES = {
    "senate": "upper",
    "assembly": "lower",
    "house": "lower",
    "legislature": "joint",
}


def plain(text: str) -> str:
    """Case-folded, with single spaces and `&` written out."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("&", " and ").split())


def without_accents(text: str) -> str:
    """The text as it is typed where accents are left out."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


@lru_cache(ROLES_KEPT)
def role_key(role: str) -> str:
    """A role as it is compared: "Council-Member" and "council  member" are one; acting ones hold the office."""
    words = plain(re.sub(r"[-_]", " ", role))
    return re.sub(r"^(acting|interim) ", "", words)


def chamber_key(chamber: str) -> str:
    """A chamber as it is compared: upper, lower or joint, or the text as it is."""
    word = plain(chamber)
    return ALIASES.get(word, word)


def chamber(name: str, jurisdiction: str) -> Chamber:
    """The words of a jurisdiction for one of its chambers."""
    return OWN_CHAMBERS.get(jurisdiction, {}).get(name) or CHAMBERS.get(name, OTHER_CHAMBER)


PREFIX = re.compile(r"^(?:(?P<chamber>senate|assembly|house|joint)(?: standing)? )?(?:committee on (?:the )?)?")


def committee_key(name: str) -> str:
    """A committee's name without what sources put around it.

    "Senate Committee on Housing", "Senate Housing Committee" and "HOUSING" are all "housing".
    """
    words = plain(name)
    bare = re.sub(r"(?<=.) committee$", "", PREFIX.sub("", words))
    return bare or words


def committee_keys(name: str, other_names: Iterable[str]) -> list[str]:
    """Every key under which a committee is found."""
    return sorted({committee_key(each) for each in (name, *other_names)})


def named_chamber(committee: str) -> str | None:
    """The chamber that a committee's name begins with, if it does."""
    found = PREFIX.match(plain(committee))
    word = found and found["chamber"]
    return chamber_key(word) if word else None


def member_rank(role: str) -> int:
    """Chairs come first, then vice-chairs, then everyone else."""
    words = role_key(role)
    if words in {"chair", "chairman", "chairwoman", "chairperson", "co chair", "cochair"}:
        return CHAIR_RANK
    return VICE_CHAIR_RANK if words in {"vice chair", "vicechair"} else MEMBER_RANK


def author_keys(author: str) -> set[str]:
    """What an agenda's author may match: a name without its title."""
    words = without_accents(plain(author)).replace(".", "")
    bare = re.sub(r"^(senator|sen|assembly ?member|assemblyman|assemblywoman|asm|representative|rep) ", "", words)
    return {bare} if bare else set()


def family_key(name: str, family_name: str | None) -> str:
    """A legislator's family name as it is compared; without one, the last word of the name."""
    return without_accents(plain(family_name or name.rsplit(maxsplit=1)[-1]))


def name_key(name: str) -> str:
    """A legislator's whole name as it is compared."""
    return without_accents(plain(name)).replace(".", "")


def chamber_of_bill(bill_key: str) -> str | None:
    """The chamber that a bill's number implies: S.. upper, A.. or H.. lower, else unknown."""
    return {"S": "upper", "A": "lower", "H": "lower"}.get(bill_key[:1])
