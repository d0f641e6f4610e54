"""What lies in a broker's data directory: its settings and its log."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.java import java_command, java_environment
from clarion.runtime.embedded.process import last_lines
from clarion.runtime.ids import new_secret

_FORMAT_SECONDS = 60.0


def write_configuration(
    directory: Path, ports: Mapping[str, int], retention_ms: int, further: Mapping[str, str]
) -> None:
    """Write the broker's settings, `further` ones last; paths are relative, so any name of a directory will do."""
    package = resources.files(__package__)
    settings = package.joinpath("kafka.properties").read_text("utf-8")
    # Of two lines with one name the broker takes the last.
    lines = [settings, *(f"{name}={value}" for name, value in further.items())]
    text = Template("\n".join(lines)).substitute(ports, retention_ms=retention_ms)
    (directory / "server.properties").write_text(f"{text}\n")
    (directory / "log4j2.properties").write_text(package.joinpath("log4j2.properties").read_text("utf-8"))


def format_log(directory: Path, jars: list[Path], options: list[str], users: Mapping[str, str]) -> None:
    """Make the empty log of a new cluster, whole or not at all, with these options of Java's and users of SCRAM."""
    for abandoned in directory.glob("format-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="format-", dir=directory) as name:
        staging = Path(name)
        for file in ("server.properties", "log4j2.properties"):
            shutil.copy(directory / file, staging)
        arguments = ["-t", _cluster_id(), "-c", "server.properties", "--standalone", *_scram(users)]
        done = subprocess.run(
            [*java_command(jars, options), "kafka.tools.StorageTool", "format", *arguments],
            cwd=staging,
            env=java_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FORMAT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            output = last_lines(done.stdout + done.stderr)
            raise EmbeddedError(f"Kafka's log could not be made:\n{output}")
        (staging / "log").replace(directory / "log")


def _scram(users: Mapping[str, str]) -> list[str]:
    return [
        part
        for user, password in users.items()
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for part in ("--add-scram", f"{mechanism}=[name={user},password={password}]")
    ]


def _cluster_id() -> str:
    while True:
        encoded = new_secret(16)
        # StorageTool would take it for an option.
        if not encoded.startswith("-"):
            return encoded
