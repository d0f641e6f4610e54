"""Reading files and events, and naming those that have no id."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.services.legislation.intake import InvalidUpdate, Occurrences, read_batch, read_update
from clarion.services.legislation.publication import read_item, validate
from clarion.services.legislation.reading import read_items

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\n\u00e9", max_size=3), inner, max_size=3),
    max_leaves=10,
)


def items(text: str | bytes) -> list[tuple[int, int | None, Any, str | None]]:
    content = text.encode() if isinstance(text, str) else text
    return [(item.line, item.index, item.value, item.error) for item in read_items(io.BytesIO(content))]


def test_json_lines_are_read_line_by_line_and_a_broken_one_costs_itself() -> None:
    found = items('{"a": 1}\n\n  {"a": 2}  \r\nbroken\n[{"a": 3}, {"a": 4}]\n')
    assert [(line, index, value) for line, index, value, error in found if error is None] == [
        (1, None, {"a": 1}),
        (3, None, {"a": 2}),
        (5, 0, {"a": 3}),
        (5, 1, {"a": 4}),
    ]
    assert [line for line, _, _, error in found if error] == [4]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\n\n"])
def test_a_document_is_read_however_it_is_laid_out(indent: int | None, mark: str) -> None:
    document = [{"a": 1}, {"b": [1, 2]}]
    assert [value for _, _, value, _ in items(mark + json.dumps(document, indent=indent))] == document
    assert [value for _, _, value, _ in items(mark + json.dumps(document[1], indent=indent))] == document[1:]


def test_a_broken_document_is_one_mistake_with_its_place() -> None:
    [(line, _, _, error)] = items('{\n "a": 1,\n "b": \n}')
    assert line == 1
    assert "line 4 column 1" in (error or "")


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"[" * 100_000, b"not json", b'"\\ud800"', b"{'a': 1}"])
def test_what_is_not_json_is_a_mistake_and_no_failure(content: bytes) -> None:
    assert all(error for _, _, _, error in items(content))


def test_an_empty_file_holds_nothing() -> None:
    assert items("") == items("\n\n") == items("[]") == []


@given(st.lists(JSON, max_size=6))
def test_what_was_written_as_lines_is_read(values: list[Any]) -> None:
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    text = "".join(json.dumps(value) + "\n" for value in values)
    assert [value for _, _, value, _ in items(text)] == flat


@given(st.binary(max_size=200))
def test_no_bytes_break_the_validation_of_a_file(content: bytes) -> None:
    found = validate(io.BytesIO(content), None, lambda _: None)
    assert found.valid == 0


@given(JSON, JSON)
def test_no_event_breaks_its_reading(item: Any, data: Any) -> None:
    for one in (item, {"type": "hearing.scheduled", "data": data}, {"type": "bill.updated", "data": item, "id": data}):
        with pytest.raises(InvalidUpdate) as found:
            read_update(one, identify=lambda *_: "id")
        assert found.value.errors


def test_the_id_of_an_event_without_one_comes_from_what_it_says_and_how_often(notice: Any) -> None:
    here, moved = notice(), notice(starts_at="2027-04-22T09:00:00")
    reordered = dict(reversed(list(here.items())))
    events = [{"type": "hearing.scheduled", "data": data} for data in (here, moved, reordered)]
    first = read_batch(events, identify=Occurrences().identify, source="/a")
    again = read_batch(events, identify=Occurrences().identify, source="/a")
    other = read_batch(events, identify=Occurrences().identify, source="/b")
    assert [update.id for update in first] == [update.id for update in again]
    assert len({update.id for update in [*first, *other]}) == 6
    assert first[0].id.removesuffix("-1") == first[2].id.removesuffix("-2")


def test_the_source_is_the_given_one_then_the_events_own_then_the_default(notice: Any) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/own", "type": "hearing.scheduled", "data": notice()}
    shorthand = {"type": "hearing.scheduled", "data": notice()}

    def source(value: Any, given_source: str | None) -> str:
        [item] = read_items(io.BytesIO(json.dumps(value).encode()))
        return read_item(item, given_source, Occurrences()).source

    assert source(event, "/given") == "/given"
    assert source(event, None) == "/own"
    assert source(shorthand, None) == "/clarion/publish"


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_is_read_an_element_at_a_time_whatever_its_texts_hold(indent: int | None) -> None:
    tricky = ['a "quoted" [text]', "{,}\\", "line\nbreak", "\u00e9\U0001f600", "x" * 200_000]
    values = [{"text": text, "inner": [[], {}, [1, 2]]} for text in tricky]
    found = items(json.dumps(values, indent=indent, ensure_ascii=False))
    assert [value for _, _, value, _ in found] == values
    assert [index for _, index, _, _ in found] == list(range(len(values)))


def test_what_follows_an_array_is_read_line_by_line() -> None:
    found = items('\n[{"a": 1},\n {"a": 2}]\n{"a": 3}\nbroken\n')
    assert [(line, value) for line, _, value, error in found if error is None] == [
        (2, {"a": 1}),
        (2, {"a": 2}),
        (4, {"a": 3}),
    ]
    assert [line for line, _, _, error in found if error] == [5]


@pytest.mark.parametrize(("text", "places"), [("[1,]", [1]), ("[,]", [0, 1]), ("[{]", [None]), ('["', [None])])
def test_each_broken_element_is_a_mistake_with_its_place(text: str, places: list[int | None]) -> None:
    assert [index for _, index, _, error in items(text) if error] == places


@given(st.lists(JSON), st.integers(1, 40))
def test_an_array_is_the_same_however_much_of_it_is_read_at_once(values: list[Any], size: int) -> None:
    content = json.dumps(values).encode()

    class Slow(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            return super().read(min(count, size) if count and count > 0 else count)

    assert [item.value for item in read_items(Slow(content))] == values


def test_a_long_array_takes_as_much_memory_as_its_longest_element(tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps([{"text": "x" * 20_000}] * 1_000))
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_items(file)) == 1_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 1_000_000 < path.stat().st_size
