"""The fictional roster."""

from collections import Counter

from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as some

from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import california_cities

CITIES = california_cities()


def test_the_first_officials_of_a_city_speak_for_it():
    rows = [row for row in fictional_officials(CITIES, 2_000, seed=79) if row["city"] == CITIES[0]]
    assert [row["roles"].split(";")[0] for row in rows[:4]] == [
        "mayor",
        "council member",
        "city manager",
        "council member",
    ]
    assert [row["elected"] for row in rows[:4]] == ["yes", "yes", "no", "yes"]


def test_some_share_a_mailbox_and_nobody_else_an_address():
    counts = Counter(row["email"] for row in fictional_officials(CITIES, 2_000, seed=79))
    shared = [email for email, count in counts.items() if count > 1]
    assert 10 <= len(shared) <= 80
    assert all(email.startswith("clerk@") for email in shared)


def test_some_are_willing_to_testify():
    words = Counter(row["testifies"] for row in fictional_officials(CITIES, 2_000, seed=79))
    assert 200 <= words["yes"] <= 400


@given(seed=some.integers(), count=some.integers(1, 40), more=some.integers(0, 40))
def test_more_officials_are_the_same_ones_and_others(seed, count, more):
    few = list(fictional_officials(CITIES[:7], count, seed))
    assert list(fictional_officials(CITIES[:7], count + more, seed))[:count] == few


def test_a_crowded_city_has_an_address_for_each():
    rows = list(fictional_officials(CITIES[:1], 700, seed=3))
    personal = [row["email"] for row in rows if not row["email"].startswith("clerk@")]
    assert len(set(personal)) == len(personal)
    assert len({row["id"] for row in rows}) == 700
    for email in personal:
        assert validate_email(email, check_deliverability=False).normalized == email
        assert email.isascii()
        assert email.endswith(".example")
