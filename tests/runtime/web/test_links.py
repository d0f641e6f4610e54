"""A signed link is good for one purpose, until it expires, as long as one of the secrets is known."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous.encoding import base64_encode, int_to_bytes

from clarion.runtime.web.links import BadLink, SignedLinks, encoded, encoded_time, keyed

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_was_signed_is_read(payload: object) -> None:
    links = SignedLinks(["secret"])
    assert links.read("preferences", links.sign("preferences", payload)) == payload


def test_a_token_of_an_older_secret_is_good_and_one_of_a_dropped_secret_is_not() -> None:
    old = SignedLinks(["first"]).sign("act", "me")
    new = SignedLinks(["second", "first"]).sign("act", "me")
    assert SignedLinks(["second", "first"]).read("act", old) == "me"
    assert SignedLinks(["second"]).read("act", new) == "me"
    with pytest.raises(BadLink):
        SignedLinks(["second"]).read("act", old)


def test_a_token_for_one_purpose_is_refused_for_another() -> None:
    links = SignedLinks(["secret"])
    with pytest.raises(BadLink, match="not valid"):
        links.read("sign-in", links.sign("preferences", "me"))


@given(st.text(max_size=80))
def test_what_we_did_not_sign_is_refused(token: str) -> None:
    with pytest.raises(BadLink):
        SignedLinks(["secret"]).read("act", token)


@given(st.integers(0, 200))
def test_a_changed_token_is_refused(place: int) -> None:
    links = SignedLinks(["secret"], clock=lambda: NOW)
    token = links.sign("act", {"official": "o-1", "call": "c-1"})
    at = place % (len(token) - 1)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(BadLink):
        links.read("act", changed)


def test_a_token_expires_only_for_who_asks_for_its_age() -> None:
    token = SignedLinks(["secret"], clock=lambda: NOW).sign("act", "me")
    later = SignedLinks(["secret"], clock=lambda: NOW + timedelta(seconds=61))
    assert later.read("act", token) == "me"
    assert later.read("act", token, max_age_seconds=61) == "me"
    with pytest.raises(BadLink) as error:
        later.read("act", token, max_age_seconds=60)
    assert error.value.expired


def test_without_a_secret_nothing_is_signed() -> None:
    for secrets in ([], [""]):
        with pytest.raises(ValueError, match="without a secret"):
            SignedLinks(secrets)


def test_the_signer_of_one_purpose_makes_tokens_that_are_read_like_all_others() -> None:
    links = SignedLinks(["newest-secret", "older-secret"])
    token = links.signer("unsubscribe")(["ab" * 16, "calls"], NOW)
    assert links.read("unsubscribe", token) == ["ab" * 16, "calls"]
    assert SignedLinks(["later-secret", "newest-secret"]).read("unsubscribe", token) == ["ab" * 16, "calls"]
    with pytest.raises(BadLink):
        links.read("sign-in", token)


@given(key=st.binary(max_size=200), message=st.binary(max_size=200), seconds=st.integers(1, 2**37))
def test_what_is_made_ahead_for_a_key_and_a_moment_changes_no_token(key: bytes, message: bytes, seconds: int) -> None:
    assert keyed(key)(message) == hmac.digest(key, message, "sha256")
    assert encoded(message) == base64_encode(message)
    moment = datetime.fromtimestamp(seconds, UTC)
    assert encoded_time(moment) == base64_encode(int_to_bytes(seconds))
