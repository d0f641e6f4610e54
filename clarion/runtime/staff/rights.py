"""Rights, decided here and nowhere else: one table of who may do what, and where. Values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class Role(StrEnum):
    """What somebody is to the association."""

    ADMIN = "admin"
    STATE = "state"
    MANAGER = "manager"
    VIEWER = "viewer"


class Act(StrEnum):
    """What can be done, one member for each kind of act."""

    SEE_DIRECTORY = "see the directory"
    SEE_ADDRESSES = "see people's addresses"
    IMPORT_DIRECTORY = "import into the directory"
    CORRECT_OFFICIAL = "correct an official's entry"
    SEE_CAMPAIGNS = "see campaigns"
    APPROVE_WAVE = "approve a wave"
    PAUSE_WAVE = "pause a wave"
    START_CAMPAIGN = "start a campaign"
    MANAGE_RULES = "manage deadlines"
    MANAGE_TEMPLATES = "manage templates"
    MANAGE_POSITIONS = "manage positions"
    MANAGE_WEBINARS = "manage webinars"
    SEE_REGISTRATIONS = "see registrations"
    MANAGE_SUPPRESSIONS = "manage suppressions"
    EXPORT_PERSON = "export what is kept of a person"
    ERASE_PERSON = "erase what is kept of a person"
    MANAGE_STAFF = "manage staff"
    MANAGE_KEYS = "manage API keys"
    SEE_AUDIT = "read the audit log"
    OPERATE = "operate the installation"


class Reach(Enum):
    """How far a right goes."""

    NOWHERE = "nowhere"
    OWN = "in the divisions one manages, or is deputy in"
    EVERYWHERE = "everywhere"


N, O, E = Reach.NOWHERE, Reach.OWN, Reach.EVERYWHERE  # noqa: E741 - a table is read by its columns

COLUMNS = (Role.ADMIN, Role.STATE, Role.MANAGER, Role.VIEWER)
ROWS: Mapping[Act, tuple[Reach, Reach, Reach, Reach]] = {
    # what is open to all staff, wherever they work: a campaign and a city's neighbours do not end at a division
    Act.SEE_DIRECTORY: (E, E, E, E),
    Act.SEE_CAMPAIGNS: (E, E, E, E),
    # people's addresses are for those who work with them
    Act.SEE_ADDRESSES: (E, E, O, N),
    Act.SEE_REGISTRATIONS: (E, E, O, N),
    # what a division's manager answers for
    Act.CORRECT_OFFICIAL: (E, E, O, N),
    Act.APPROVE_WAVE: (E, E, O, N),
    Act.PAUSE_WAVE: (E, E, O, N),
    Act.START_CAMPAIGN: (E, E, O, N),
    Act.MANAGE_WEBINARS: (E, E, O, N),
    Act.MANAGE_SUPPRESSIONS: (E, E, O, N),
    Act.SEE_AUDIT: (E, E, O, N),
    # what speaks for the whole association: a file holds all divisions, a stance is taken once
    Act.IMPORT_DIRECTORY: (E, E, N, N),
    Act.MANAGE_POSITIONS: (E, E, N, N),
    Act.MANAGE_RULES: (E, E, N, N),
    Act.MANAGE_TEMPLATES: (E, E, N, N),
    Act.EXPORT_PERSON: (E, E, N, N),
    # what cannot be taken back, and what decides over everyone's rights
    Act.ERASE_PERSON: (E, N, N, N),
    Act.MANAGE_STAFF: (E, N, N, N),
    Act.MANAGE_KEYS: (E, N, N, N),
    Act.OPERATE: (E, N, N, N),
}


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who acts for the association; `divisions` and `deputy_in` are slugs of divisions."""

    id: str
    name: str
    email: str
    role: Role
    divisions: frozenset[str] = frozenset()
    deputy_in: frozenset[str] = frozenset()


def reach(role: Role, act: Act) -> Reach:
    """How far a role's right to an act goes."""
    return ROWS[act][COLUMNS.index(role)]


def may(staff: Staff, act: Act, division: str | None = None) -> bool:
    """Whether somebody may do this in a division; without one, for the whole association."""
    match reach(staff.role, act):
        case Reach.EVERYWHERE:
            return True
        case Reach.OWN:
            return division is not None and division in staff.divisions | staff.deputy_in
        case _:
            return False


def may_somewhere(staff: Staff, act: Act) -> bool:
    """Whether there is any place where somebody may do this: what decides if a page is shown to them at all."""
    match reach(staff.role, act):
        case Reach.EVERYWHERE:
            return True
        case Reach.OWN:
            return bool(staff.divisions or staff.deputy_in)
        case _:
            return False


def where(staff: Staff, act: Act) -> frozenset[str] | None:
    """The divisions in which somebody may do this; None means all of them, and what belongs to no division."""
    match reach(staff.role, act):
        case Reach.EVERYWHERE:
            return None
        case Reach.OWN:
            return staff.divisions | staff.deputy_in
        case _:
            return frozenset()
