"""The processes that docker-compose.yml names, each on its own, as an orchestrator starts, ends and replaces them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from clarion.runtime.embedded.ports import any_free_port
from tests.conftest import REPOSITORY, Until

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
ONCE = ("migrate", "topics")
START_SECONDS = 60
STOP_SECONDS = 75
SAID_HERE = {"CLARION_HEALTH_HOST", "CLARION_KAFKA_INSTANCE", "CLARION_HEALTH_PORT"}
"""What each replica is told by the test itself."""


@dataclass
class Replica:
    """One container's process: the same name and log again after it was replaced or killed."""

    service: str
    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=any_free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As its container does."""
        own = {"CLARION_KAFKA_INSTANCE": self.name, "CLARION_HEALTH_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clarion", *self.command],
                cwd=self.log.parent,
                env={**self.environment, **own},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def answers(self, path: str = "readyz") -> bool:
        """Whether it says of itself that it is well; fails when it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.said()[-3000:]
        try:
            return bool(await asyncio.to_thread(_asked, f"http://127.0.0.1:{self.port}/{path}"))
        except OSError:
            return False

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait for its end; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    def kill(self) -> None:
        """What is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    async def replace(self, until: Until) -> int:
        """Drain it and start the next in its place, ready again; the exit code of the old one."""
        code = await self.end()
        self.start()
        await until(self.answers, START_SECONDS)
        return code

    def said(self) -> str:
        """Its whole log."""
        return self.log.read_text("utf-8")

    def events(self) -> list[dict[str, Any]]:
        """Its log as it is meant for machines; a line that is being written is none yet."""
        return [json.loads(line) for line in self.said().splitlines(keepends=True) if line.endswith("\n")]


def _asked(address: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5) as answer:
            return int(answer.status) == 200
    except urllib.error.HTTPError:
        return False


@dataclass
class Fleet:
    """All replicas of all services, with the environment that docker-compose.yml gives them."""

    folder: Path
    given: Mapping[str, str]
    site_port: int = field(default_factory=any_free_port)

    def __post_init__(self) -> None:
        self.replicas = [
            self._replica(name, number)
            for name, service in COMPOSE["services"].items()
            if service.get("build") and name not in ONCE
            for number in range(service["deploy"].get("replicas", 1))
        ]

    def environment(self, service: str) -> dict[str, str]:
        """The variables that the file gives this service, with the values of this installation, and ours beside.

        What the file leaves empty where nobody says more is empty here too.
        """
        named: dict[str, str] = COMPOSE["services"][service]["environment"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
        empty = {name: "" for name, value in named.items() if value == f"${{{name}:-}}"}
        missing = named.keys() - self.given.keys() - empty.keys() - SAID_HERE
        assert not missing, missing
        return kept | empty | dict(self.given)

    def once(self, service: str) -> str:
        """Run one that prepares to its end; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "clarion", *COMPOSE["services"][service]["command"]],
            cwd=self.folder,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def of(self, service: str) -> list[Replica]:
        """The replicas of one service."""
        return [replica for replica in self.replicas if replica.service == service]

    async def start(self, until: Until) -> None:
        """All of them, ready."""
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            await until(replica.answers, START_SECONDS)

    def kill(self) -> None:
        """What is left of them."""
        for replica in self.replicas:
            replica.kill()

    def _replica(self, service: str, number: int) -> Replica:
        name = f"{service}-{number}"
        folder = self.folder / name
        folder.mkdir()
        own = {"0.0.0.0": "127.0.0.1", "8080": str(self.site_port)}
        command = [own.get(word, word) for word in COMPOSE["services"][service]["command"]]
        return Replica(service, name, command, self.environment(service), folder / "log")
