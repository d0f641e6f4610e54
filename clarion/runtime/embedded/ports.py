"""Loopback ports: the same from one start to the next, and never given to two."""

import contextlib
import fcntl
import functools
import os
import random
import socket
import tempfile
from pathlib import Path

from clarion.runtime.embedded.errors import EmbeddedError, PortTaken

HOST = "127.0.0.1"

# Below 32768 no outgoing connection is given the port while its server restarts.
_LOWEST, _HIGHEST = 20_000, 32_767


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def settle_port(path: Path, wanted: int | None = None) -> int:
    """The port to listen on: the wanted one, else the one kept in `path` if free, else a new one.

    The choice is kept in `path`. Raises `PortTaken` when the wanted port is in use.
    """
    if wanted is not None and not is_free(wanted):
        raise PortTaken(f"port {wanted} is taken by another program; choose another one")
    port = wanted or _kept(path) or any_free_port()
    claims().claim(port)
    path.write_text(f"{port}\n")
    return port


def _kept(path: Path) -> int | None:
    try:
        port = int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return port if 0 < port < 65_536 and is_free(port) else None


class PortClaims:
    """Ports that processes of one user have been given, until they end: a server listens only a while later.

    Each port is one byte of a file, locked. Where the file cannot be made nothing is claimed.
    """

    def __init__(self, folder: Path) -> None:
        self._own: set[int] = set()
        self._file: int | None = None
        with contextlib.suppress(OSError):
            path = folder / f"clarion-ports-{os.getuid()}"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def claim(self, port: int) -> bool:
        """Whether it is ours from now on; not when it was given before, by us or another."""
        if port in self._own:
            return False
        if self._file is not None:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            except (BlockingIOError, PermissionError):
                return False
        self._own.add(port)
        return True


@functools.cache
def claims() -> PortClaims:
    """Those of everyone whose temporary files are where ours are."""
    return PortClaims(Path(tempfile.gettempdir()))


def any_free_port() -> int:
    """A free loopback port that no outgoing connection and no one else who asks will be given."""
    # Not the shared generator: test runners seed it alike in every worker.
    source = random.SystemRandom()
    for _ in range(200):
        port = source.randrange(_LOWEST, _HIGHEST)
        if is_free(port) and claims().claim(port):
            return port
    raise EmbeddedError(f"no free port between {_LOWEST} and {_HIGHEST} on {HOST}")
