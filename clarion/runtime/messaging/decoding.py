"""Reads a record batch that aiokafka cannot: one whose header names are not all UTF-8.

The broker takes such a record, and aiokafka then fails on the whole batch for ever.
https://kafka.apache.org/documentation/#recordbatch
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.record.util import decode_varint

# Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, first and last timestamp, producer id,
# producer epoch, base sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_AFTER_LENGTH = 12
_CODEC_MASK = 0x07
_LOG_APPEND_TIME = 0x08
_DECODERS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it stands in a batch."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch of a partition: where it ends, and what is needed to read it."""

    base_offset: int
    last_offset: int
    attributes: int
    first_timestamp: int
    last_timestamp: int
    count: int
    payload: bytes

    def records(self) -> list[RawRecord]:
        """Its records, with header names that are not UTF-8 replaced in part.

        Raises:
            Exception: of whatever kind, when the codec is unknown or the content is broken.
        """
        reader = _Reader(_DECODERS[self.attributes & _CODEC_MASK](self.payload))
        return [self._record(reader) for _ in range(self.count)]

    def _record(self, reader: "_Reader") -> RawRecord:
        reader.varint()
        reader.skip(1)
        delta, offset = reader.varint(), reader.varint()
        key, value = reader.blob(), reader.blob()
        headers = tuple(
            ((reader.blob() or b"").decode(errors="replace"), reader.blob()) for _ in range(reader.varint())
        )
        by_broker = self.attributes & _LOG_APPEND_TIME
        timestamp = self.last_timestamp if by_broker else self.first_timestamp + delta
        return RawRecord(self.base_offset + offset, timestamp, key, value, headers)


def raw_batches(fetched: bytes) -> Iterator[RawBatch]:
    """The whole batches in what the broker answered to a fetch."""
    position = 0
    while position + _HEADER.size <= len(fetched):
        fields: tuple[Any, ...] = _HEADER.unpack_from(fetched, position)
        base_offset, length, _, _, _, attributes, last_delta, first_timestamp, last_timestamp, _, _, _, count = fields
        end = position + _AFTER_LENGTH + length
        if end > len(fetched):
            return
        payload = fetched[position + _HEADER.size : end]
        last_offset = base_offset + last_delta
        yield RawBatch(base_offset, last_offset, attributes, first_timestamp, last_timestamp, count, payload)
        position = end


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = bytearray(content)
        self._position = 0

    def varint(self) -> int:
        value, self._position = decode_varint(self._content, self._position)
        return int(value)

    def skip(self, count: int) -> None:
        self._position += count

    def blob(self) -> bytes | None:
        length = self.varint()
        if length < 0:
            return None
        start, self._position = self._position, self._position + length
        if self._position > len(self._content):
            raise ValueError("the batch ends in the middle of a record")
        return bytes(self._content[start : self._position])
