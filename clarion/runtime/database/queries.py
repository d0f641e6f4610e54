"""Named SQL: every statement lives in a package's `sql/*.sql` and is called by its name."""

import re
from collections.abc import AsyncIterator, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter
from aiosql.query_loader import QueryLoader

NAME = re.compile(r"^-- name: *", re.MULTILINE)


class OnConnection(AsyncPGAdapter):
    """Runs queries on connections alone; aiosql's own looks for each statement whether it was given a pool."""

    def _ordered(self, query_name: str, parameters: Any) -> Sequence[Any]:
        return cast("Sequence[Any]", self.maybe_order_params(query_name, parameters))  # type: ignore[no-untyped-call]

    async def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> AsyncIterator[Any]:
        """The rows, fetched at once."""
        if record_class is not None:
            raise TypeError(f"{query_name} names a record class; rows are plain here")
        for row in await conn.fetch(sql, *self._ordered(query_name, parameters)):
            yield row

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """The first column of the first row, or None."""
        return await conn.fetchval(sql, *self._ordered(query_name, parameters))

    async def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """The status."""
        return await conn.execute(sql, *self._ordered(query_name, parameters))


class WithoutBlocks(QueryLoader):
    """Reads statements whose comments are lines; aiosql's own looks at each character, a tenth of a service's start."""

    def load_query_data_from_sql(self, sql: str, ns_parts: list[str], fname: Path | str = "<unknown>") -> list[Any]:
        """The statements, by their names."""
        return [self._make_query_datum(query, ns_parts, (fname, 0)) for query in NAME.split(sql)[1:]]


@cache
def load_queries(package: str) -> Any:
    """The queries of `<package>/sql/*.sql`, loaded once.

    A query is called as `await queries.name(connection, argument=...)`; one without a suffix is an async iterator of
    rows, `^` gives one row or None, `$` one value, `!` the status. Raises ValueError when two have one name.
    """
    folder = files(package) / "sql"
    texts = [file.read_text("utf-8") for file in sorted(_sql_files(folder), key=lambda file: file.name)]
    text = "\n".join(texts)
    _refuse_repeated_names(package, text)
    return aiosql.from_str(text, cast("Any", OnConnection), mandatory_parameters=False, loader_cls=WithoutBlocks)


def _sql_files(folder: Traversable) -> list[Traversable]:
    return [file for file in folder.iterdir() if file.name.endswith(".sql")]


def _refuse_repeated_names(package: str, text: str) -> None:
    seen: set[str] = set()
    for line in text.splitlines():
        if not line.startswith("-- name:"):
            continue
        name = line.removeprefix("-- name:").split("(")[0].strip().rstrip("^$!<*#").replace("-", "_")
        if name in seen:
            raise ValueError(f"{package}/sql has two queries named {name}")
        seen.add(name)
