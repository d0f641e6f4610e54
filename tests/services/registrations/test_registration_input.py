"""Bad input: each has one outcome, and costs itself alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.sheets import FORMULA_STARTS, cell, to_csv
from clarion.services.registrations.domain import people
from tests.services.registrations.conftest import Registrations


async def test_what_cannot_be_understood_is_a_dead_letter_with_the_reason_and_the_batch_goes_on(
    registrations: Registrations,
) -> None:
    event = await registrations.create()
    await registrations.hear(
        registrations.record(b"not json"),
        registrations.record({"event_id": event.id, "name": "Ada\x00", "email": "ada@city.example"}),
        registrations.record({"event_id": "nowhere", "name": "Ada", "email": "ada@city.example"}),
        registrations.record({"event_id": event.id, "name": "Ada", "email": "no address"}),
        registrations.record({"event_id": event.id, "name": "\u202e\u2028 ", "email": "ada@city.example"}),
        registrations.asks(event, "big", answers={"city": "x" * 20_000}),
        registrations.asks(event, "many", answers={f"k{number}": "x" for number in range(30)}),
        registrations.record(json.dumps({"event_id": event.id, "name": "A", "email": "a\ud800@b.example"}).encode()),
        registrations.cancels(event),
        registrations.asks(event, "good"),
    )
    assert await registrations.standing() == {"good": ("confirmed", None)}
    reasons = await registrations.reasons()
    assert len(reasons) == 9
    told = "\n".join(reasons)
    for part in (
        "NUL",
        "no event has the id 'nowhere'",
        "@-sign",
        "tell your name",
        "at most 2,000 characters",
        "more than 20 answers",
        "names a registration_id or an email",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Ada.Fictional@CITY.example", "ada.fictional@city.EXAMPLE"),
        ("o'brien@city.example", "O'Brien@city.example"),
        ("straße@city.example", "STRASSE@city.example"),
        ("ada@bücher.example", "ADA@xn--bcher-kva.example"),
        ("  ada@city.example ", "ada@city.example"),
    ],
)
async def test_one_address_in_two_spellings_is_one_person(registrations: Registrations, one: str, same: str) -> None:
    event = await registrations.create()
    await registrations.hear(
        *(registrations.record({"event_id": event.id, "name": "Ada", "email": email}) for email in (one, same))
    )
    assert await registrations.reasons() == []
    assert len(await registrations.notices()) == 1
    assert len(await registrations.outcomes()) == 2


@pytest.mark.parametrize(
    "email", ['"ada lovelace"@city.example', "ada@city", "ada@localhost", "a@b.test", "@", "a@@b.c"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        people.address(email)


@given(st.emails())
def test_a_plain_address_is_read_as_the_long_way_reads_it(email: str) -> None:
    assert people.address("Ada+x@City.example") == "Ada+x@city.example"
    try:
        long_way = people.validate_email(email, check_deliverability=False).normalized
    except people.EmailNotValidError:
        with pytest.raises(ValueError, match=r"."):
            people.address(email)
    else:
        assert people.address(email) == long_way


async def test_html_line_breaks_and_formulas_in_a_name_stay_text_on_one_line(registrations: Registrations) -> None:
    event = await registrations.create()
    name = "=cmd|'/C calc'!A0\r\nBcc: all@city.example\u202e <script>alert(1)</script>"
    await registrations.hear(registrations.record({"event_id": event.id, "name": name, "email": "ada@city.example"}))
    [notice] = await registrations.notices()
    kept = notice["recipients"][0]["name"]
    assert kept == "=cmd|'/C calc'!A0 Bcc: all@city.example <script>alert(1)</script>"
    assert f"'{kept}" in to_csv(["name"], [{"name": kept}])


@given(st.text())
def test_no_cell_of_an_export_is_a_formula(text: str) -> None:
    assert not cell(text).lstrip(" ").startswith(FORMULA_STARTS)
    assert cell(text).endswith(text)


@given(st.text(max_size=300))
def test_a_cleaned_name_has_no_line_breaks_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = people.clean_line(text)
    assert len(cleaned.splitlines()) <= 1
    assert people.clean_line(cleaned) == cleaned


def test_answers_are_kept_as_text() -> None:
    assert people.answers({"a": 1, "b": None, "c": " x "}) == {"a": "1", "b": "", "c": "x"}
