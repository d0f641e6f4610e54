"""Whether an account of staff can be as somebody wishes it."""

from hypothesis import given
from hypothesis import strategies as st

from clarion.runtime.staff.rights import Role
from clarion.services.directory.staff.admission import Unfit, Wish, admitted, changed

KNOWN = ("east-bay", "peninsula")


@given(
    st.text(max_size=30),
    st.sampled_from([*Role, "king", ""]),
    st.lists(st.sampled_from([*KNOWN, "nowhere"]), max_size=3),
    st.lists(st.sampled_from([*KNOWN, "nowhere"]), max_size=3),
)
def test_an_account_is_admitted_only_if_it_can_be(
    name: str, role: str, divisions: list[str], deputy_in: list[str]
) -> None:
    wish = Wish("a@association.example", name, role, divisions, deputy_in)
    try:
        made = admitted(wish, "x", KNOWN)
    except Unfit:
        return
    assert made.divisions | made.deputy_in == set(divisions) | set(deputy_in) <= set(KNOWN)
    assert made.divisions.isdisjoint(made.deputy_in)
    assert bool(made.divisions | made.deputy_in) is (made.role is Role.MANAGER)
    assert made.name.strip()


def test_who_is_no_manager_any_more_has_no_divisions() -> None:
    wish = Wish("a@association.example", "A", "manager", ["peninsula"], ["east-bay"])
    assert changed(wish, role="state") == Wish("a@association.example", "A", "state", (), ())
    assert changed(wish, name="B").divisions == ["peninsula"]
