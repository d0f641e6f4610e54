"""Named SQL: every statement lives in a package's `sql/*.sql` and is called by its name."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import aiosql


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
    return aiosql.from_str(text, "asyncpg", mandatory_parameters=False)


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
