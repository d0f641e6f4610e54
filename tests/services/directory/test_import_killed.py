"""`kill -9` in the middle of an import: nothing of it is there, and the next one brings all."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.database import Database
from tests.conftest import Until

MANY = 30_000
STATE = (
    "SELECT (SELECT count(*) FROM directory.entities) AS entities, (SELECT count(*) FROM directory.outbox) AS messages"
)
UNDER_WAY = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = 'clarion_directory' AND xact_start < now() - interval '0.2 seconds'"
)


def write_officials(path: Path) -> None:
    lines = [f"o{number},Ada Nr{number},Alder,Mayor,o{number}@alder.example\n" for number in range(MANY)]
    path.write_text("id,name,city,roles,email\n" + "".join(lines))


@pytest.mark.slow
async def test_an_import_that_is_killed_leaves_nothing_and_the_next_brings_all(
    bring, database: Database, tmp_path: Path, until: Until
) -> None:
    await bring("divisions", "slug,name\nnorth,North\n")
    await bring("cities", "ocd_id,name,county,division,population,member\nalder,Alder,Sample,North,1000,yes\n")
    write_officials(tmp_path / "officials.csv")
    environment = os.environ | {"CLARION_DATABASE_URL": database.url}
    words = [sys.executable, "-m", "clarion", "directory", "import", "officials", "officials.csv", "--json"]
    quiet = {"stdout": asyncio.subprocess.PIPE, "cwd": tmp_path, "env": environment}

    async with contextlib.AsyncExitStack() as stack:
        connection = await asyncpg.connect(database.url)
        stack.push_async_callback(connection.close)
        before = await connection.fetchrow(STATE)
        killed = await asyncio.create_subprocess_exec(*words, **quiet)

        async def in_the_middle() -> bool:
            return bool(await connection.fetch(UNDER_WAY))

        try:
            await until(in_the_middle)
        finally:
            killed.kill()
            await killed.communicate()
        assert killed.returncode == -9
        assert await connection.fetchrow(STATE) == before

        again = await asyncio.create_subprocess_exec(*words, **quiet)
        report, _ = await again.communicate()
        assert {name: json.loads(report)[name] for name in ("added", "rejected")} == {"added": MANY, "rejected": 0}
        after = await connection.fetchrow(STATE)
        assert (after["entities"], after["messages"]) == (before["entities"] + MANY, before["messages"] + MANY + 1)
