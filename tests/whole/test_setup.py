"""The set-up killed in the middle and run again ends as if nothing had been."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Until

ROOT = Path(__file__).parent.parent.parent
NEEDED = ("Makefile", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "clarion")


def make(folder: Path) -> subprocess.Popen[bytes]:
    """`make` of the environment from another folder, in a process group of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")}
    # Copies and bytecode of all libraries take longer than all the rest, and are not what can go wrong.
    command = ["make", "-C", str(folder), "COMPILE=", ".venv/ready"]
    return subprocess.Popen(command, cwd="/", env=kept | {"UV_LINK_MODE": "symlink"}, start_new_session=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_set_up_killed_again_and_again_completes_when_run_once_more(tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir(mode=0o700)
    for name in NEEDED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for moment in (".venv/bin/python", ".venv/bin/uv"):
        killed = make(folder)
        await until((folder / moment).exists, 120)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        assert not (folder / ".venv/ready").exists()
    assert make(folder).wait(timeout=200) == 0
    version = subprocess.run([folder / ".venv/bin/clarion", "--help"], capture_output=True, text=True, check=True)
    assert "dead-letters" in version.stdout
