"""Templates are compiled once in a process, though each test has a site and a sender of its own."""

from types import CodeType
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class CompiledOnce(BytecodeCache):
    """By the template's file and its text: what is not in the text, each environment brings when it renders."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


def compile_once() -> None:
    """From now on, in every environment."""
    made, kept = Environment.__init__, CompiledOnce()

    def with_cache(self: Environment, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **{"bytecode_cache": kept} | options)

    Environment.__init__ = with_cache  # type: ignore[method-assign]
