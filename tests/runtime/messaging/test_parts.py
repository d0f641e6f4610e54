"""A batch is handled in parts, so that how long its records are does not decide how much memory it takes."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from clarion.runtime.messaging.consumption import parts_of
from clarion.runtime.messaging.record import Record

NOW = datetime(2027, 4, 1, tzinfo=UTC)


@given(st.lists(st.integers(0, 300)), st.integers(1, 500) | st.none())
def test_parts_hold_every_record_once_in_order_and_end_once_they_are_full(sizes: list[int], most: int | None) -> None:
    records = [Record("t", 0, place, b"", (), b"x" * size, NOW) for place, size in enumerate(sizes)]
    parts = [list(part) for part in parts_of(records, most)]
    assert [record for part in parts for record in part] == records
    assert all(parts)
    if most is None:
        assert len(parts) <= 1
        return
    lengths = [[len(record.body or b"") for record in part] for part in parts]
    assert all(sum(part[:-1]) < most for part in lengths)
    assert all(sum(part) >= most for part in lengths[:-1])
