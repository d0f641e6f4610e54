"""Names, terms and numbers: the small rules."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from clarion.schemas.mailboxes import mailbox
from clarion.services.directory.domain.references import Names, Unmatched
from clarion.services.directory.domain.rows import Term, district_number

KEY = b"a key"


@given(some.text(min_size=1).filter(lambda name: bool(name.strip())))
def test_a_name_is_found_in_any_case_and_spacing(name):
    names = Names("city", [("id", name)])
    assert names.find(f"  {name} ") == "id"


def test_an_accent_may_be_one_sign_or_two():
    assert Names("city", [("id", "La Ca\u00f1ada")]).find("La Can\u0303ada") == "id"


def test_an_id_goes_before_a_name():
    assert Names("city", [("b", "a"), ("a", "x")]).find("a") == "a"


def test_nothing_found_says_what_was_looked_for():
    with pytest.raises(Unmatched, match='city "Atlantis" is not known'):
        Names("city", []).find("Atlantis")


@pytest.mark.parametrize(("text", "number"), [("07", "7"), ("7", "7"), ("000", "0"), (" 1A ", "1A"), ("0 1", "1")])
def test_districts_have_one_number_each(text, number):
    assert district_number(text) == number


@given(some.emails())
def test_a_mailbox_is_32_digits_and_blind_to_case(email):
    assert mailbox(email, KEY) == mailbox(email.casefold(), KEY)
    assert len(mailbox(email, KEY)) == 32
    assert mailbox(email, KEY) != mailbox(email, b"another key")


@pytest.mark.parametrize(
    ("term", "current"),
    [
        ({"type": "upper"}, True),
        ({"type": "upper", "start_date": "2026-12-01"}, True),
        ({"type": "upper", "start_date": "2026-12-02"}, False),
        ({"type": "lower", "end_date": "2026-12-01"}, True),
        ({"type": "lower", "end_date": "2026-11-30"}, False),
        ({"type": "lower", "end_date": "2026"}, True),
        ({"type": "lower", "end_date": "2025"}, False),
        ({"type": "lower", "start_date": date(2026, 12, 1), "end_date": "2026-12"}, True),
        ({"type": "mayor"}, False),
    ],
)
def test_a_term_covers_its_days(term, current):
    assert Term.model_validate(term).covers(date(2026, 12, 1)) is current
