"""Whether an account can be as somebody wishes it: values in, values out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from clarion.runtime.staff.rights import Role, Staff
from clarion.services.directory.domain.addresses import address

NAME_CHARACTERS = 200
ROLES: Mapping[Role, str] = {
    Role.ADMIN: "administrator: everything, also staff and keys",
    Role.STATE: "state team: all content in all divisions, but no staff and no keys",
    Role.MANAGER: "manager: campaigns and people of the divisions named below",
    Role.VIEWER: "viewer: sees campaigns and the directory without addresses, changes nothing",
}
"""The roles as people choose them."""


class Unfit(Exception):
    """A wish that cannot be granted, field by field (`name`, `email`, `role`, `divisions`), in words for its author."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Wish:
    """An account as somebody wishes it, as written."""

    email: str
    name: str
    role: str
    divisions: Sequence[str] = ()
    deputy_in: Sequence[str] = ()

    @classmethod
    def of(cls, staff: Staff) -> "Wish":
        """An account as it is."""
        return cls(staff.email, staff.name, str(staff.role), sorted(staff.divisions), sorted(staff.deputy_in))


def admitted(wish: Wish, staff_id: str, known: Iterable[str]) -> Staff:
    """The account that a wish describes; `known` are the slugs of all divisions.

    Raises:
        Unfit: it cannot be.
    """
    errors: dict[str, str] = {}
    name = " ".join(wish.name.split())
    if not name.isprintable() or not 0 < len(name) <= NAME_CHARACTERS:
        errors["name"] = f"a name has 1 to {NAME_CHARACTERS} characters"
    try:
        email = address(wish.email.strip()).casefold()
    except ValueError as error:
        email = ""
        errors["email"] = f"that is no mail address: {error}"
    if wish.role not in list(Role):
        errors["role"] = f"unknown role {wish.role!r}; there are {', '.join(Role)}"
    elif said := wrong_divisions(wish, frozenset(known)):
        errors["divisions"] = said
    if errors:
        raise Unfit(errors)
    managed = frozenset(wish.divisions)
    return Staff(staff_id, name, email, Role(wish.role), managed, frozenset(wish.deputy_in) - managed)


def wrong_divisions(wish: Wish, known: frozenset[str]) -> str | None:
    """What is wrong with the divisions of a wish, if anything."""
    named = [*wish.divisions, *wish.deputy_in]
    if wish.role != Role.MANAGER:
        return f"divisions are for managers; the role {wish.role} is for all of them" if named else None
    if not named:
        return "a manager needs a division, to manage or as deputy"
    unknown = sorted(set(named) - known)
    if not unknown:
        return None
    if not known:
        return "there are no divisions yet: clarion directory import divisions FILE"
    names = ", ".join(repr(one) for one in unknown)
    return f"unknown division{'s' if len(unknown) > 1 else ''} {names}; known: {', '.join(sorted(known))}"


def changed(wish: Wish, **fields: object) -> Wish:
    """A wish with some fields anew (None leaves one as it is); who is no manager any more has no divisions."""
    given = {name: value for name, value in fields.items() if value is not None}
    made = replace(wish, **given)  # type: ignore[arg-type]
    if made.role != Role.MANAGER and "divisions" not in given and "deputy_in" not in given:
        return replace(made, divisions=(), deputy_in=())
    return made


def differences(before: Staff, after: Staff) -> dict[str, JsonValue]:
    """What a change changed, for the record: old and new, of an address only that it is another."""
    found: dict[str, JsonValue] = {}
    if before.name != after.name:
        found["name"] = [before.name, after.name]
    if before.role != after.role:
        found["role"] = [str(before.role), str(after.role)]
    for field in ("divisions", "deputy_in"):
        old, new = sorted(getattr(before, field)), sorted(getattr(after, field))
        if old != new:
            found[field] = [", ".join(old), ", ".join(new)]
    if before.email != after.email:
        found["email"] = ["", "another"]
    return found
