"""The stack as a whole: kept alive, one per data directory, and nothing left of it."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from embedded_processes import ROOT, eventually, is_alive, running_stack

from clarion.runtime.embedded import DataDirInUse, EmbeddedStack, ensure_jars
from clarion.runtime.embedded.jars import KAFKA_VERSION

NOBODY = 65534


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    private = tmp_path_factory.mktemp("stack") / "private"
    private.mkdir(mode=0o700)
    async with EmbeddedStack(private / "data", fsync=False, remove_at_end=True) as running:
        yield running
    assert not (private / "data").exists()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@pytest.mark.asyncio(loop_scope="session")
async def test_a_killed_server_comes_back_on_its_port(stack: EmbeddedStack) -> None:
    assert stack.kafka is not None
    assert stack.postgres is not None
    addresses = (stack.kafka.bootstrap, stack.postgres.url)
    pids = (stack.kafka.pid, stack.postgres.pid)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        await until_dead(pid)
    await until_answered(stack)
    assert (stack.kafka.bootstrap, stack.postgres.url) == addresses
    assert not {stack.kafka.pid, stack.postgres.pid} & set(pids)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_second_stack_on_its_data_is_refused_with_the_pid(stack: EmbeddedStack) -> None:
    with pytest.raises(DataDirInUse, match=f"in use by a running process.*pid {os.getpid()}"):
        async with EmbeddedStack(stack._directory):
            pass


async def test_two_stacks_run_at_once_and_a_killed_parent_leaves_nothing(stack: EmbeddedStack, hard_dir: Path) -> None:
    with running_stack(hard_dir, "kafka", "postgres", "mail") as parent:
        (kafka, bootstrap), (postgres, url) = parent.told["kafka"], parent.told["postgres"]
        assert stack.kafka is not None
        assert stack.kafka.bootstrap != bootstrap
        parent.kill()
        assert not is_alive(kafka)
        assert not is_alive(postgres)
    async with EmbeddedStack(hard_dir, fsync=False, remove_at_end=True) as again:
        assert again.kafka is not None
        assert again.postgres is not None
        assert (again.kafka.bootstrap, again.postgres.url) == (bootstrap, url)


async def test_an_interrupt_of_the_whole_process_group_stops_in_order(tmp_path: Path) -> None:
    with running_stack(tmp_path / "data", "kafka", "postgres") as parent:
        family = parent.family()
        os.killpg(parent.popen.pid, signal.SIGINT)
        output, _ = parent.popen.communicate(timeout=30)
        assert parent.popen.returncode == 0
        assert output.index("kafka_stopped") < output.index("postgres_stopped")
        assert "exit_code=143" in output
        assert "exit_code=0" in output
        assert not any(map(is_alive, family))


async def test_a_user_without_rights_runs_it_too() -> None:
    other = other_user()
    place = Path(tempfile.mkdtemp(prefix="clarion-test-"))
    try:
        fill(place, other.get("user", -1))
        with running_stack(
            place / "data", "kafka", "postgres", "mail", **other, CLARION_CACHE_DIR=str(place / "cache")
        ) as parent:
            connection = await asyncpg.connect(parent.told["postgres"][1])
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
            parent.kill()
    finally:
        shutil.rmtree(place)


async def test_only_what_is_wanted_is_started(tmp_path: Path) -> None:
    async with EmbeddedStack(tmp_path / "data", kafka=False, postgres=False) as stack:
        assert (stack.kafka, stack.postgres) == (None, None)
        assert stack.mail is not None
        url = stack.mail.url
    async with EmbeddedStack(tmp_path / "data", kafka=False, postgres=False) as stack:
        assert stack.mail is not None
        assert stack.mail.url == url


async def test_when_one_cannot_start_the_others_are_stopped(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path / "data", fsync=False, mail=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kafka").write_text("not a directory")
    with pytest.raises(FileExistsError):
        await stack.__aenter__()
    assert stack.postgres is not None
    eventually(lambda: not is_alive(stack.postgres.pid), what="the end of PostgreSQL")


async def until_dead(pid: int) -> None:
    async with asyncio.timeout(30):
        while is_alive(pid):
            await asyncio.sleep(0.02)


async def until_answered(stack: EmbeddedStack) -> None:
    """Wait until both servers answer a client."""
    assert stack.kafka is not None
    assert stack.postgres is not None
    async with asyncio.timeout(30):
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka.bootstrap)
            try:
                await admin.start()
                await (await asyncpg.connect(stack.postgres.url)).close()
            except (OSError, asyncpg.PostgresError, KafkaError):
                await asyncio.sleep(0.2)
            else:
                return
            finally:
                await admin.close()


def fill(place: Path, owner: int) -> None:
    """Copy the jars there and give everything to that user."""
    cache = place / "cache" / f"kafka-{KAFKA_VERSION}"
    cache.mkdir(parents=True)
    for jar in ensure_jars():
        shutil.copy(jar, cache)
    for path in (place, *place.rglob("*")):
        os.chown(path, owner, -1)


def other_user() -> dict[str, Any]:
    """How to run somebody without rights: as root, nobody; where nobody may not enter, in a user namespace."""
    if os.geteuid() != 0:
        return {}
    if reachable(ROOT) and reachable(Path(sys.executable).resolve()):
        return {"user": NOBODY}
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    if subprocess.run([*prefix, "true"], check=False).returncode != 0:
        pytest.skip("no other user may enter the project's folder, and there are no user namespaces")
    return {"prefix": prefix}


def reachable(path: Path) -> bool:
    """Whether every folder on the way lets others in."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))
