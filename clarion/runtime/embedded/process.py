"""A server as our child process which never outlives us, however we end."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from clarion.runtime.embedded.errors import EmbeddedError

_POLL_SECONDS = 0.02
_LOG_LIMIT_BYTES = 8_000_000

# The server begins only when told to, after its guard is there: a parent that dies in between
# leaves a shell at end of input, which ends.
_HOLD = 'read -r go && exec "$@" </dev/null'

# The guard sees its input end when the parent is gone, for whatever reason. PR_SET_PDEATHSIG would
# not do: it is Linux only, bound to a thread, and cleared by a change of user.
_GUARD = """
read -r end
kill -s "$2" "$1" 2>/dev/null
i=0
while kill -0 "$1" 2>/dev/null && [ "$i" -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
kill -s KILL "$1" 2>/dev/null
"""


@dataclass(frozen=True)
class Account:
    """The user and group that a process runs as, when they are not our own."""

    user: int
    group: int


@dataclass(frozen=True)
class Launch:
    """How to start a server; `marker` stands in its command line and in no other's."""

    command: Sequence[str]
    directory: Path
    log_path: Path
    pid_path: Path
    marker: str
    orphan_signal: signal.Signals
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None


class ServerProcess:
    """One running server, in a session of its own so that Ctrl-C reaches only us."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._log_start = _prepare_log(launch.log_path)
        self._server, hold = _spawn(partial(_spawn_held, launch))
        try:
            self._guard, self._lifeline = _spawn(partial(_spawn_guard, self._server.pid, launch.orphan_signal))
            launch.pid_path.write_text(f"{self._server.pid}\n")
            os.write(hold, b"go\n")
        except BaseException:
            self._server.kill()
            self._server.wait()
            raise
        finally:
            os.close(hold)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    def exit_code(self) -> int | None:
        """The exit code (negative for a signal), or None while the server runs."""
        code = self._server.poll()
        if code is not None and self._guard.returncode is None:
            self._guard.kill()
            self._guard.wait()
            os.close(self._lifeline)
            self._launch.pid_path.unlink(missing_ok=True)
        return code

    def log_text(self) -> str:
        """What the server has written since it was started."""
        with self._launch.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait(self) -> int:
        """Wait until the server has ended and return its exit code."""
        while (code := self.exit_code()) is None:  # noqa: ASYNC110 - asyncio's watchers tie a child to one loop
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def wait_ready(self, ready: Callable[["ServerProcess"], bool], *, seconds: float) -> bool:
        """Wait until `ready` holds; False when the server ended first or time ran out."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.exit_code() is not None:
                return False
            if ready(self):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> int:
        """Send each signal in turn, giving it its seconds, then SIGKILL; return the exit code.

        Cancelled meanwhile, it kills at once.
        """
        try:
            for number, seconds in steps:
                if self.exit_code() is None:
                    self._server.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(self.wait(), seconds)
        finally:
            code = self.kill()
        return code

    def kill(self) -> int:
        """SIGKILL the server and reap it; harmless when it has ended."""
        self._server.kill()
        code = self._server.wait()
        self.exit_code()
        return code


def end_leftover(pid_path: Path, marker: str, number: signal.Signals, *, seconds: float) -> None:
    """End a server of an earlier parent that still runs on the same data.

    A pid that now belongs to another program is left alone.
    """
    leftover = _find(pid_path, marker)
    if leftover is not None:
        try:
            leftover.send_signal(number)
            leftover.wait(seconds)
        except psutil.TimeoutExpired:
            leftover.kill()
            leftover.wait(seconds)
        except psutil.NoSuchProcess:
            pass
    pid_path.unlink(missing_ok=True)


def clean_environment(*prefixes: str) -> dict[str, str]:
    """Our environment without the variables that would change how a server runs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def last_lines(text: str, count: int = 15) -> str:
    """The end of a log, for an error message."""
    return "\n".join(text.strip().splitlines()[-count:])


def _find(pid_path: Path, marker: str) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid_path.read_text()))
        return process if any(marker in part for part in process.cmdline()) else None
    except (FileNotFoundError, ValueError, psutil.Error):
        return None


def _prepare_log(path: Path) -> int:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    if size < _LOG_LIMIT_BYTES:
        return size
    path.replace(path.with_suffix(".old.log"))
    return 0


def _spawn(start: Callable[[int], subprocess.Popen[bytes]]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a child which reads from a pipe; returns our end of the pipe too."""
    theirs, ours = os.pipe()
    try:
        return start(theirs), ours
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)


def _spawn_held(launch: Launch, stdin: int) -> subprocess.Popen[bytes]:
    account = launch.account
    log = os.open(launch.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", _HOLD, "sh", *launch.command],
            cwd=launch.directory,
            env=dict(launch.environment),
            stdin=stdin,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        raise EmbeddedError(f"cannot start {launch.command[0]}: {error}") from error
    finally:
        os.close(log)


def _spawn_guard(pid: int, orphan_signal: signal.Signals, stdin: int) -> subprocess.Popen[bytes]:
    name = orphan_signal.name.removeprefix("SIG")
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "clarion-guard", str(pid), name],
        cwd="/",
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
