"""`clarion demo` and `clarion up` as a user runs them: they come up, tell where they are, and leave nothing."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from clarion.runtime.settings import Settings
from tests.conftest import Until


class Clarion:
    """A `clarion` command in a session of its own."""

    def __init__(self, folder: Path, *arguments: str, **given: str) -> None:
        self.log = folder / f"{arguments[0]}-{len(list(folder.iterdir()))}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clarion", *arguments],
                cwd=folder,
                env=kept | {"TMPDIR": str(folder)} | given,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.family: set[psutil.Process] = set()

    def said(self) -> str:
        return self.log.read_text()

    def has_said(self, text: str) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.family |= set(psutil.Process(self.process.pid).children(recursive=True))
        assert text in self.said() or self.process.poll() is None, self.said()
        return text in self.said()

    def alone(self) -> bool:
        """Whether none of the processes it started is left."""
        return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in self.family)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def running(folder: Path, *arguments: str, **given: str) -> Iterator[Clarion]:
    """A command, with these variables, that is killed at the end if it still runs."""
    command = Clarion(folder, *arguments, **given)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.end(signal.SIGKILL)


def asked(folder: Path, *arguments: str) -> Any:
    """What another command answers in JSON, in a terminal of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "clarion", *arguments, "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def servers_of(settings: Settings, folder: Path) -> dict[str, str]:
    """The run's servers, as the environment names them: one by itself, one in a file."""
    (folder / "bootstrap").write_text(f"{settings.kafka_bootstrap}\n")
    return {
        "CLARION_DATABASE_URL": str(settings.database_url),
        "CLARION_KAFKA_BOOTSTRAP_FILE": str(folder / "bootstrap"),
        "CLARION_KAFKA_PREFIX": settings.kafka_prefix,
    }


def page(address: str) -> bytes:
    """A page of the site."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def check_it_uses(settings: Settings, folder: Path) -> None:
    """What the environment names is used, and none of it embedded."""
    addresses = json.loads((folder / ".clarion" / "up.json").read_text())
    assert (addresses["database"], addresses["kafka"]) == (settings.database_url, settings.kafka_bootstrap)
    assert b"running" in page(addresses["site"])
    assert not (folder / ".clarion" / "kafka").exists()
    assert not (folder / ".clarion" / "postgres").exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_demo_passes_beside_an_installation_on_servers_that_the_environment_names_and_leaves_nothing(
    tmp_path: Path, until: Until, settings: Settings
) -> None:
    with running(tmp_path, "up", "--port", "0", **servers_of(settings, tmp_path)) as up:
        await until(lambda: up.has_said("in another terminal"), 90)
        check_it_uses(settings, tmp_path)
        with running(tmp_path, "demo", "--officials", "500", "--json") as demo:
            await until(lambda: demo.has_said("") and demo.process.poll() is not None, 120)
            report = json.loads(demo.said())
            assert demo.process.returncode == 0
            assert report["passed"]
            assert report["arrived"] == report["expected"] > 100
            await until(demo.alone, 20)
        assert not list(tmp_path.glob("clarion-demo-*"))
        assert asked(tmp_path, "campaigns", "list") == []
        assert up.end(signal.SIGINT) == 0
        await until(up.alone, 20)
    assert not (tmp_path / ".clarion" / "up.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_installation_that_was_killed_leaves_no_process_keeps_its_data_and_is_refused_to_a_second(
    tmp_path: Path, until: Until
) -> None:
    with running(tmp_path, "up", "--port", "0", "--sample-data") as killed:
        await until(lambda: killed.has_said("in another terminal"), 120)
        assert asked(tmp_path, "publish", ".clarion/sample-notice.json")["published"] == 1
        up_file = tmp_path / ".clarion" / "up.json"
        addresses = json.loads(up_file.read_text())
        assert up_file.stat().st_mode & 0o777 == 0o600
        await until(lambda: b"Letter on SB 79" in page(addresses["mail"]), 60)
        killed.end(signal.SIGKILL)
        await until(killed.alone, 20)
    shutil.rmtree(tmp_path / ".clarion" / "kafka")
    with running(tmp_path, "up", "--port", "0") as again:
        await until(lambda: again.has_said("in another terminal"), 90)
        assert "published again" in again.said()
        assert [campaign["status"] for campaign in asked(tmp_path, "campaigns", "list")] == ["launched"]
        port = json.loads(up_file.read_text())["site"].rsplit(":", 1)[1]
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        with running(tmp_path, "up", "--port", "0") as second, running(elsewhere, "up", "--port", port) as blocked:
            assert second.process.wait(timeout=60) == 1
            assert str(again.process.pid) in second.said()
            assert blocked.process.wait(timeout=60) == 1
            assert "--port" in blocked.said()
        assert again.end(signal.SIGTERM) == 0


@pytest.mark.timeout(60)
async def test_a_demo_that_is_interrupted_leaves_no_process_and_no_folder(tmp_path: Path, until: Until) -> None:
    with running(tmp_path, "demo", "--officials", "500") as demo:
        await until(lambda: demo.has_said("1  stack"), 50)
        assert demo.end(signal.SIGINT) == 130
        await until(demo.alone, 20)
    assert not list(tmp_path.glob("clarion-demo-*"))


def test_serve_refuses_to_start_without_what_it_needs_and_names_it(tmp_path: Path) -> None:
    with running(tmp_path, "serve", "legislation") as serve:
        assert serve.process.wait(timeout=40) == 1
        assert all(f"CLARION_{name}" in serve.said() for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP", "SMTP_URL"))
        assert "Traceback" not in serve.said()
