"""The committed contracts: schemas are current, golden payloads of every release still read the same."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import clarion.schemas
from clarion.runtime.documents import examples
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.documents import json_schemas
from clarion.schemas.legislation import HearingNotice, bill_key
from clarion.schemas.topics import BUCKETS, TOPICS, bucket

FOLDER = Path(clarion.schemas.__file__).parent / "json"
MODELS = {(topic.name, event_type): model for topic in TOPICS for event_type, model in topic.types.items()}
GOLDEN = sorted((FOLDER / "golden").glob("*/*/*.json"))


def golden(topic: str, event_type: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "golden" / "v1" / topic / f"{event_type}.json").read_bytes())
    return loaded


def survives(before: Any, after: Any) -> bool:
    """Whether everything a payload said is still said after it was read and written."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(survives(value, after.get(key)) for key, value in before.items())
    if isinstance(before, list):
        return isinstance(after, list) and len(before) == len(after) and all(map(survives, before, after))
    if isinstance(before, str) and isinstance(after, str) and before != after:
        return before.replace("Z", "+00:00") == after.replace("Z", "+00:00")
    return bool(before == after)


def test_the_committed_json_schemas_are_those_of_the_code() -> None:
    committed = {str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in FOLDER.glob("*/*.json")}
    assert committed == dict(json_schemas(examples())), "run `make schemas` and commit what changed"


def test_every_event_type_has_a_golden_payload() -> None:
    assert {(path.parent.name, path.stem) for path in GOLDEN} == set(MODELS)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_payload_reads_as_it_was_written(path: Path) -> None:
    model = MODELS[path.parent.name, path.stem]
    payload = json.loads(path.read_bytes())
    written = model.model_validate_json(path.read_bytes()).model_dump(mode="json")
    assert survives(payload, written)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_field_of_tomorrow_is_ignored(path: Path) -> None:
    model = MODELS[path.parent.name, path.stem]
    payload = json.loads(path.read_bytes())
    assert model.model_validate(payload | {"of_tomorrow": {"x": 1}}) == model.model_validate(payload)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d"])
def test_what_postgresql_cannot_store_is_refused_at_the_border(text: str) -> None:
    payload = golden("legislation.updates.v1", "hearing.scheduled")
    with pytest.raises(ValidationError):
        HearingNotice.model_validate(payload | {"hearing_id": text})


def test_a_lone_surrogate_escaped_in_json_is_refused() -> None:
    payload = json.dumps(golden("legislation.updates.v1", "hearing.scheduled"))
    with pytest.raises(ValidationError):
        HearingNotice.model_validate_json(payload.replace("Housing", "Hous\\ud800ing"))


@pytest.mark.parametrize("start", ["1776000000", 1776000000, 0.5, True, "next Wednesday", ""])
def test_a_number_is_no_time(start: object) -> None:
    payload = golden("legislation.updates.v1", "hearing.scheduled") | {"starts_at": start}
    with pytest.raises(ValidationError, match="starts_at"):
        HearingNotice.model_validate_json(json.dumps(payload))
    with pytest.raises(ValidationError, match="time"):
        EventAttributes.from_headers({"ce_id": "1", "ce_source": "/a", "ce_type": "t", "ce_time": str(start)})


def test_a_date_without_a_time_needs_a_note() -> None:
    payload = golden("legislation.updates.v1", "hearing.scheduled") | {"starts_at": "2027-04-21"}
    with pytest.raises(ValidationError, match="time_note"):
        HearingNotice.model_validate(payload)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("SB 79", "SB79"),
        ("sb0079", "SB79"),
        ("S.B. 79", "SB79"),
        ("AB-100", "AB100"),
        ("ACA 10", "ACA10"),
        ("SB 079", "SB79"),
    ],
)
def test_a_bill_has_one_key_however_it_is_written(written: str, key: str) -> None:
    assert bill_key(written) == key


@given(st.text(max_size=40))
def test_a_bill_key_is_its_own_key(text: str) -> None:
    assert bill_key(bill_key(text)) == bill_key(text)


def whole_minutes(time: datetime) -> bool:
    offset = time.utcoffset()
    return time.year > 1900 and offset is not None and offset.total_seconds() % 60 == 0


@given(
    st.builds(
        EventAttributes,
        id=st.text("abc-123", min_size=1),
        source=st.text("abc/:", min_size=1),
        type=st.sampled_from(["hearing.scheduled", "x"]),
        # RFC 3339 has no offsets with seconds, which zones had before they kept standard time.
        time=st.none() | st.datetimes(timezones=st.timezones()).filter(whole_minutes),
        extensions=st.dictionaries(st.sampled_from(["importid", "traceid"]), st.text(max_size=9)),
    )
)
def test_attributes_survive_their_headers(attributes: EventAttributes) -> None:
    back = EventAttributes.from_headers(attributes.to_headers())
    assert back.model_copy(update={"time": None}) == attributes.model_copy(update={"time": None})
    assert (back.time is None) == (attributes.time is None)
    if back.time is not None and attributes.time is not None:
        assert back.time.utctimetuple() == attributes.time.utctimetuple()


def test_attributes_of_another_cloudevents_version_are_refused() -> None:
    with pytest.raises(ValueError, match="specversion"):
        EventAttributes.from_headers({"ce_specversion": "0.3", "ce_id": "1", "ce_source": "/a", "ce_type": "t"})


@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_a_mailbox_has_one_bucket(mailbox: str) -> None:
    assert 0 <= bucket(mailbox) < BUCKETS
