"""Starting, watching and killing processes of our own in the embedded tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("stack_process.py")


def eventually(holds: Callable[[], Any], *, seconds: float = 20, what: str = "it") -> None:
    """Wait until something holds; fail after a bound."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether this process still runs; one that only waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listening_addresses(pid: int) -> set[str]:
    """The addresses on which this process listens."""
    return {c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN}


@dataclass
class Parent:
    """A process that runs a stack."""

    popen: "subprocess.Popen[str]"
    told: dict[str, Any]

    def family(self) -> list[int]:
        """All the processes under it."""
        return [child.pid for child in psutil.Process(self.popen.pid).children(recursive=True)]

    def kill(self) -> None:
        """`kill -9`, then wait until nothing of the family is left."""
        family = self.family()
        self.popen.kill()
        self.popen.wait(10)
        eventually(lambda: not any(map(is_alive, family)), what="the end of all children")


@contextmanager
def running_stack(
    directory: Path, *words: str, user: int | None = None, prefix: Sequence[str] = (), **environment: str
) -> Iterator[Parent]:
    """Run a stack in a process of its own, ready; whatever is left of it at the end is killed."""
    family: list[int] = []
    popen = subprocess.Popen(
        [*prefix, sys.executable, str(SCRIPT), str(directory), *words],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    assert popen.stdout is not None
    try:
        lines = []
        for line in popen.stdout:
            lines.append(line)
            if line.startswith("ready "):
                break
        assert lines, "the process ended without a word"
        assert lines[-1].startswith("ready "), "".join(lines)
        parent = Parent(popen, json.loads(lines[-1].removeprefix("ready ")))
        family = parent.family()
        yield parent
    finally:
        popen.kill()
        popen.wait(10)
        popen.stdout.close()
        for pid in filter(is_alive, family):
            os.kill(pid, signal.SIGKILL)
