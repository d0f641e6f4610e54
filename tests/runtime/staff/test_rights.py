"""Who may do what, and where: the whole table, role by act by division."""

import itertools

import pytest

from clarion.runtime.staff.rights import ROWS, Act, Role, may, may_somewhere, where
from tests.staff import somebody

OWN, DEPUTY, OTHER = "peninsula", "east-bay", "redwood-empire"
PLACES = {None: "the whole association", OWN: "own", DEPUTY: "as deputy", OTHER: "another"}
HERE = frozenset({OWN, DEPUTY})

# What each role may, said once more and in another way than in the code.
OF_ALL = {"see the directory", "see campaigns"}
OF_MANAGERS = {
    "see people's addresses",
    "see registrations",
    "correct an official's entry",
    "approve a wave",
    "pause a wave",
    "start a campaign",
    "manage webinars",
    "manage suppressions",
    "read the audit log",
}
OF_STATE = {
    "import into the directory",
    "manage positions",
    "manage deadlines",
    "manage templates",
    "export what is kept of a person",
}
OF_ADMINISTRATORS = {
    "erase what is kept of a person",
    "manage staff",
    "manage API keys",
    "operate the installation",
}


def expected(role: Role, act: Act, division: str | None) -> bool:
    match role:
        case Role.ADMIN:
            return True
        case Role.STATE:
            return str(act) not in OF_ADMINISTRATORS
        case Role.MANAGER:
            return str(act) in OF_ALL or (str(act) in OF_MANAGERS and division in HERE)
        case Role.VIEWER:
            return str(act) in OF_ALL


def test_every_act_is_in_the_table_and_in_this_one() -> None:
    assert set(ROWS) == set(Act)
    assert {str(act) for act in Act} == OF_ALL | OF_MANAGERS | OF_STATE | OF_ADMINISTRATORS


@pytest.mark.parametrize(("role", "act"), [*itertools.product(Role, Act)])
def test_who_may_do_what_and_where(role: Role, act: Act) -> None:
    staff = somebody(role, [OWN] if role is Role.MANAGER else [], [DEPUTY] if role is Role.MANAGER else [])
    found = {division: may(staff, act, division) for division in PLACES}
    assert found == {division: expected(role, act, division) for division in PLACES}
    assert may_somewhere(staff, act) is any(found.values())
    places = where(staff, act)
    assert found == {division: places is None or division in places for division in PLACES}


@pytest.mark.parametrize("act", Act)
def test_divisions_give_no_right_to_a_role_that_has_none(act: Act) -> None:
    with_divisions, without = somebody(Role.VIEWER, [OWN], [DEPUTY]), somebody(Role.VIEWER)
    assert [may(with_divisions, act, place) for place in PLACES] == [may(without, act, place) for place in PLACES]


@pytest.mark.parametrize("act", Act)
def test_a_manager_of_nothing_may_only_look(act: Act) -> None:
    staff = somebody(Role.MANAGER)
    assert may_somewhere(staff, act) is (str(act) in OF_ALL)
    assert not may(staff, act, "") or str(act) in OF_ALL


def test_a_viewer_sees_no_addresses_and_changes_nothing() -> None:
    staff = somebody(Role.VIEWER)
    assert {act for act in Act if may_somewhere(staff, act)} == {Act.SEE_DIRECTORY, Act.SEE_CAMPAIGNS}
