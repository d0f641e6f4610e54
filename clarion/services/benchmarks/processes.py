"""Services in processes of their own, as `clarion serve` runs them."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from clarion.runtime.settings import PREFIX, Settings
from clarion.services.replicas import COMMAND, FOLLOW, ended

START_SECONDS = 60.0
SHOWN_LINES = 20
PASSED_ON = (
    "database_url",
    "kafka_bootstrap",
    "kafka_instance",
    "smtp_url",
    "public_url",
    "mail_from",
    "smtp_connections",
    "sender_lease_seconds",
)


class ServiceDied(Exception):
    """A measured process ended by itself; the message ends with what it said last."""


@dataclass
class Serving:
    """One `clarion serve`."""

    process: asyncio.subprocess.Process
    log_path: Path
    replicas: int

    @property
    def pid(self) -> int:
        """Its process id; that of its children hangs below."""
        return self.process.pid

    async def ready(self) -> None:
        """Wait until it and its replicas say so.

        Raises:
            ServiceDied: it ended instead.
        """
        async with asyncio.timeout(START_SECONDS):
            while sum(map(_says_ready, self.log_path.read_text("utf-8").splitlines())) < self.replicas:
                self.check()
                await asyncio.sleep(0.05)

    def check(self) -> None:
        """Raises ServiceDied if it has ended."""
        if self.process.returncode is not None:
            said = self.log_path.read_text("utf-8").splitlines()[-SHOWN_LINES:]
            raise ServiceDied("\n".join(["a service died while it was measured:", *said]))


def _says_ready(line: str) -> bool:
    try:
        return bool(json.loads(line).get("event") == "ready")
    except ValueError:
        return False


@contextlib.asynccontextmanager
async def serving(settings: Settings, *names: str, workers: int = 1) -> AsyncIterator[Serving]:
    """Run these services in processes of their own until the end of the block, or of this process, however it ends."""
    folder = settings.data_dir / f"serve-{'-'.join(names)}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", COMMAND, "serve", FOLLOW, *names, "--workers", str(workers)),
            cwd=folder,
            env=_environment(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    found = Serving(process, path, workers)
    try:
        await found.ready()
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await ended(process)


def _environment(settings: Settings) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    found = {name: getattr(settings, name) for name in PASSED_ON}
    named = {f"{PREFIX}{name.upper()}": str(value) for name, value in found.items() if value is not None}
    return inherited | named | {f"{PREFIX}SECRET_KEY": ",".join(settings.secret_key)}
