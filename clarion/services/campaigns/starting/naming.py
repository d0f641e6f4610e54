"""The names of an audience, found in the directory; one that nobody knows is refused with those nearby."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.web.fields import FieldError
from clarion.services.campaigns.domain.names import chamber, committee_key, named_chamber, plain, role_key
from clarion.services.campaigns.domain.words import listed
from clarion.services.campaigns.starting.drafts import OccasionDraft

QUERIES = load_queries(__package__)
NEARBY = 3
CLOSE = 0.5
"""How alike a name must be to one that is known, from 0 to 1, to be named beside it."""
FEW = 12
"""So many known names are all told where none is alike."""


@dataclass(frozen=True, slots=True)
class Known:
    """Something of the directory, with all the words by which people call it; the first is how it is shown."""

    id: str
    names: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """How it is told: its name with the id by which it is meant alone."""
        return f"{self.names[0]} ({self.id})" if self.names and self.names[0] != self.id else self.id


class Directory:
    """What is known of one kind, by every word for it."""

    def __init__(self, what: str, known: Iterable[Known]) -> None:
        self._what = what
        self._known = list(known)
        self._by_word: dict[str, dict[str, Known]] = {}
        for each in self._known:
            for word in (each.id, *each.names):
                self._by_word.setdefault(plain(word), {})[each.id] = each

    def find(self, name: str) -> tuple[str | None, str | None]:
        """The id of the one that a name means; else what is wrong with the name."""
        fits = self._by_word.get(plain(name), {})
        if name in fits:
            return name, None
        match list(fits.values()):
            case [one]:
                return one.id, None
            case []:
                return None, self._unknown(name)
            case several:
                return None, f"{name!r} fits {len(several)}: {listed([each.shown for each in several], most=5)}"

    def _unknown(self, name: str) -> str:
        words = get_close_matches(plain(name), self._by_word, n=NEARBY, cutoff=CLOSE)
        near = dict.fromkeys(each.shown for word in words for each in self._by_word[word].values())
        if near:
            return f"no {self._what} {name!r}; known nearby: {', '.join(near)}"
        if 0 < len(self._known) <= FEW:
            return f"no {self._what} {name!r}; known: {', '.join(each.shown for each in self._known)}"
        return f"no {self._what} {name!r} in the directory"


@dataclass(frozen=True, slots=True)
class Named:
    """An audience by ids, with what is wrong with its names."""

    ids: Mapping[str, list[str]]
    errors: tuple[FieldError, ...]


async def find_names(connection: Connection, draft: OccasionDraft) -> Named:
    """Find every name of a draft's audience in the directory."""
    audience = draft.audience
    ids: dict[str, list[str]] = {}
    errors: list[FieldError] = []
    wanted = {
        name: getattr(audience, name)
        for name in ("divisions", "cities", "groups", "roles", "districts", "committees", "officials")
    }
    for field, names in wanted.items():
        known = await _known(connection, field, names, draft.jurisdiction) if names else Directory(field, ())
        found = [(place, *known.find(_key(field, name))) for place, name in enumerate(names)]
        ids[field] = list(dict.fromkeys(each for _, each, _ in found if each is not None))
        errors += [FieldError(field=f"audience.{field}[{place}]", message=wrong) for place, _, wrong in found if wrong]
    return Named(ids, tuple(errors))


def _key(field: str, name: str) -> str:
    if field == "roles":
        return role_key(name)
    if field == "groups" and ":" in name:
        group, _, role = name.rpartition(":")
        return f"{group.strip()}:{role_key(role)}"
    return name


async def _known(connection: Connection, field: str, names: Sequence[str], jurisdiction: str) -> Directory:
    match field:
        case "groups":
            return Directory("group", await _groups(connection, names))
        case "districts":
            rows = [row async for row in QUERIES.known_districts(connection)]
            return Directory(
                "district", [_district(row["id"], row["chamber"], row["number"], jurisdiction) for row in rows]
            )
        case "committees":
            rows = [row async for row in QUERIES.known_committees(connection, jurisdiction=jurisdiction)]
            return Directory("committee", [_committee(row, names, jurisdiction) for row in rows])
        case "officials":
            return Directory("official", await _officials(connection, names))
        case "roles":
            return Directory("role", [Known(row["id"]) async for row in QUERIES.known_roles(connection)])
        case "divisions":
            rows = [row async for row in QUERIES.known_divisions(connection)]
        case _:
            rows = [row async for row in QUERIES.known_cities(connection)]
    return Directory(SINGULAR[field], [Known(row["id"], tuple(row["names"])) for row in rows])


SINGULAR = {"divisions": "division", "cities": "city"}


async def _groups(connection: Connection, names: Sequence[str]) -> list[Known]:
    """The groups, and those of their roles that somebody has, where a name asks for one."""
    groups = [Known(row["id"], tuple(row["names"])) async for row in QUERIES.known_groups(connection)]
    if not any(":" in name for name in names):
        return groups
    titles = {each.id: each.names[0] for each in groups}
    roles = [row["id"] async for row in QUERIES.known_group_roles(connection, groups=list(titles))]
    split = [(each, *each.rpartition(":")[::2]) for each in roles]
    return groups + [Known(each, (f"{titles[group]}:{role}",)) for each, group, role in split]


def _district(district: str, chamber_name: str, number: str, jurisdiction: str) -> Known:
    words = chamber(chamber_name, jurisdiction)
    return Known(district, (f"{words.district} {number}", f"{words.name} {number}", f"{words.name} District {number}"))


def _committee(row: Mapping[str, object], names: Sequence[str], jurisdiction: str) -> Known:
    """A committee, with those of the wanted names that are names of it."""
    keys, own = row["name_keys"], str(row["chamber"])
    fits = [
        name
        for name in names
        if isinstance(keys, list) and committee_key(name) in keys and named_chamber(name) in {None, own}
    ]
    words = chamber(own, jurisdiction).name
    return Known(str(row["id"]), (f"{words} {row['name']}".strip(), str(row["name"]), *fits))


async def _officials(connection: Connection, names: Sequence[str]) -> list[Known]:
    """Those officials that there are, and for each that there is not some whose ids begin alike."""
    known = [row["id"] async for row in QUERIES.known_officials(connection, ids=list(names))]
    for name in [each for each in names if each not in set(known)][:NEARBY]:
        known += [row["id"] async for row in QUERIES.officials_near(connection, start=name[: max(1, len(name) // 2)])]
    return [Known(each) for each in dict.fromkeys(known)]
