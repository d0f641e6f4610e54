"""Whatever people write about a wave comes out as text, and whatever they ask for is answered."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from pydantic import ValidationError

from clarion.runtime.web.fields import FieldError
from clarion.services.campaigning.desk import (
    NO_DIVISION,
    division_of,
    left_until,
    pages_of_campaigns,
    plain_line,
    wave_path,
)
from clarion.services.campaigning.forms import OccasionForm, by_field, read_draft
from clarion.services.campaigns.starting.drafts import OccasionDraft
from clarion.services.campaigns.starting.kinds import KINDS
from tests.services.campaigning.conftest import Console
from tests.services.campaigning.test_waves import wave_of
from tests.services.campaigns.campaigns_world import NOW

SIGNS = st.sampled_from("<>&\"'{}%/?#ab\n\r\x00\u202eé")
WRITTEN = st.text(SIGNS, max_size=80)
HOSTILE = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7*7 }}</textarea><b>", "a\x00b<i>")


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_is_written_of_a_wave_is_text_on_its_page(console: Console, text: str) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    await console.world.fetch("UPDATE divisions SET name = $1 WHERE id = 'east-bay'", text.replace("\x00", ""))
    await console.world.fetch("UPDATE campaigns SET title = $1", text.replace("\x00", ""))
    await console.post(f"{path}/leave-out", {"official": "a-mayor", "reason": text})
    await console.post(f"{path}/paragraph", {"text": text})
    await console.post(f"{path}/add", {"official": text, "reason": text, "wanted": text, "asks": text})
    for page in (path, f"{path}/approve", f"{path}/add", f"{path}/mail", "/campaigns", path.rpartition("/")[0]):
        answer = await console.browser.get(page, params={"q": text, "done": text, "who": text, "look": text})
        assert answer.status_code == 200, (page, answer.text)
        for mark in ("<script>alert", "<img", "</textarea><b>", "<i>", ">49<"):
            assert mark not in answer.text, (page, mark)
    assert escape(text.replace("\x00", "")) in await console.get(path)


@given(WRITTEN, WRITTEN)
def test_no_name_leaves_the_address_of_a_wave(campaign: str, division: str) -> None:
    start, place, first, second = wave_path(campaign, division).split("/")
    assert (start, place) == ("", "campaigns")
    assert unquote(first) == campaign
    assert division_of(unquote(second)) == ("" if division == NO_DIVISION else division)


@given(WRITTEN)
def test_a_line_is_one_line_that_can_be_stored(text: str) -> None:
    line = plain_line(text)
    assert not set(line) & {"\x00", "\n", "\r"}
    assert plain_line(line) == line


@given(WRITTEN)
def test_a_campaigns_words_are_escaped_on_every_page(text: str) -> None:
    pages = pages_of_campaigns()
    shown = pages.environment.from_string('<p title="{{ text }}">{{ text }}</p>').render(text=text)
    assert shown.count("<") == 2
    assert shown.count('"') == 2


@given(st.timedeltas(timedelta(days=-3), timedelta(days=400)))
def test_how_long_is_left_is_never_more_than_there_is(left: timedelta) -> None:
    said = left_until(NOW + left, NOW)
    if left < timedelta(minutes=1):
        assert said in ("which is past", "under a minute left")
        return
    number, unit, _ = said.split()
    length = {"day": 1_440, "hour": 60, "minute": 1}[unit.rstrip("s")]
    assert int(number) * length <= left.total_seconds() / 60 < (int(number) + 1) * length


FORM = {name: WRITTEN for name, field in OccasionForm.model_fields.items() if field.annotation is str}


@given(st.fixed_dictionaries({"kind": st.sampled_from(sorted(KINDS))}, optional=FORM), st.lists(WRITTEN, max_size=3))
def test_a_form_is_a_draft_or_says_which_field_is_wrong(values: dict[str, Any], divisions: list[str]) -> None:
    form = OccasionForm.model_validate({**values, "divisions": divisions})
    assert OccasionForm.model_validate_json(form.model_dump_json()) == form
    draft = read_draft(form.draft())
    if not isinstance(draft, OccasionDraft):
        shown = by_field(draft)
        assert shown
        assert set(shown) <= {*OccasionForm.model_fields, "audience", "own"}


def test_an_error_stands_at_the_field_of_the_form_that_made_it() -> None:
    fields = ("decided_at", "own[0].ask", "own[0].subject", "audience.groups[2]", "audience.cities[0]", "bills[1]")
    errors = [FieldError(field=field, message="wrong") for field in (*fields, "people[0]", "due_at")]
    assert set(by_field(errors)) == {
        "decided_on", "ask", "subject", "groups", "cities", "bills", "people", "due_on",
    }  # fmt: skip


def test_a_kind_that_is_none_is_no_form() -> None:
    with pytest.raises(ValidationError):
        OccasionForm.model_validate({"kind": "hearing"})
