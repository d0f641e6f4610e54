"""The rules of corrections, without a database."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from clarion.services.directory.domain.corrections import (
    MOVES,
    Correction,
    State,
    Wish,
    counts_at_once,
    counts_when_confirmed,
    masked,
    noted_before,
    set_aside,
)


def corrected(overlay, before):
    fields = {field.name: None for field in dataclasses.fields(Correction)}
    return Correction(**(fields | {"overlay": overlay, "before": before}))


OVERLAYS = st.dictionaries(st.sampled_from(["name", "email", "active"]), st.text(max_size=3), max_size=3)


@given(OVERLAYS, OVERLAYS)
def test_taking_back_restores_what_stood_there(before, overlay):
    after = before | overlay
    assert set_aside(corrected(overlay, noted_before(overlay, before)), after) == before


def test_every_state_knows_where_it_goes():
    assert set(MOVES) == set(State)
    assert not MOVES[State.UNDONE] | MOVES[State.REFUSED]


def test_only_less_mail_counts_at_once_by_a_link():
    assert {wish for wish in Wish if counts_at_once(wish, by_staff=False)} == {Wish.LEFT, Wish.NOT_ME}
    assert all(counts_at_once(wish, by_staff=True) for wish in Wish)


def test_a_domain_is_the_whole_of_what_stands_behind_the_at():
    assert counts_when_confirmed("a@napa.example", "b@NAPA.example")
    assert not counts_when_confirmed("a@napa.example", "b@evil.napa.example")
    assert not counts_when_confirmed("a@napa.example", '"x@napa.example"@evil.example')
    assert masked("jo@napa.example") == "j***@napa.example"
