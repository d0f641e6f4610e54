"""The fictional roster."""

import csv
from collections import Counter

from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as some

from clarion.services.directory.domain.offices import elected
from clarion.services.directory.roster import fictional_officials, official_id
from clarion.services.directory.sample import CALIFORNIA, FILES, california_cities
from clarion.services.directory.sample_groups import DEPARTMENT_OF, SIZES, fictional_memberships

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


def test_the_groups_of_the_sample_have_leaders_and_members_from_all_over():
    people = [official_id(number) for number in range(2_000)]
    rows = list(fictional_memberships(people))
    known = {
        row["slug"] for row in csv.DictReader((CALIFORNIA / FILES["groups"]).read_text(encoding="utf-8").splitlines())
    }
    assert {row["group"] for row in rows} == set(SIZES) <= known
    roles = Counter((row["group"], row["role"]) for row in rows)
    assert all(roles[group, "chair"] == roles[group, "vice-chair"] == 1 for group in SIZES)
    assert Counter(row["group"] for row in rows) == SIZES
    committees = {row["official"] for row in rows if SIZES[row["group"]] == 58}
    assert len(committees) > 200
    assert list(fictional_memberships(people)) == rows


@given(count=some.integers(1, 60))
def test_a_small_roster_fills_the_groups_as_far_as_it_goes(count):
    rows = list(fictional_memberships([official_id(number) for number in range(count)]))
    pairs = [(row["group"], row["official"]) for row in rows]
    assert len(set(pairs)) == len(pairs)


def test_every_office_of_the_roster_has_its_department():
    rows = list(fictional_officials(CITIES[:3], 200, seed=1))
    assert all(row["groups"] == DEPARTMENT_OF[row["roles"].partition(";")[0]] for row in rows)
    assert {elected(row["roles"].split(";")) for row in rows} == {True, False}
    assert all(elected(row["roles"].split(";")) == (row["elected"] == "yes") for row in rows)
