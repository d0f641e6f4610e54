"""Fetch what the embedded Kafka needs before its first start: `python -m clarion.runtime.embedded.prefetch`."""

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import structlog

from clarion.runtime.embedded.aot import aot_cache_location, find_aot_cache
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.jars import Progress, cache_lock, ensure_jars
from clarion.runtime.embedded.kafka import KafkaServer


def prefetch(cache_dir: Path | None = None, progress: Progress | None = None) -> None:
    """Fetch the jars and make the ahead-of-time cache; does only what is missing.

    Raises `EmbeddedError` when a jar cannot be had. A missing cache only makes starts slower, so that
    it cannot be made is told through `progress`, not raised.
    """
    jars = ensure_jars(cache_dir, progress)
    if find_aot_cache(jars) is not None:
        return
    with cache_lock(jars[0].parent, progress):
        if find_aot_cache(jars) is not None:
            return
        _tell(progress, "Kafka: making the cache with which it starts in half the time (once, about 8 s)")
        try:
            make_aot_cache(jars)
        except (EmbeddedError, OSError) as error:
            _tell(progress, f"Kafka: it starts without that cache ({error})")


def make_aot_cache(jars: list[Path]) -> None:
    """Run a broker once that notes which classes it loads, and keep them for later starts."""
    location = aot_cache_location(jars)
    for abandoned in location.parent.glob("recording-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="recording-", dir=location.parent) as name:
        draft = Path(name, "classes.aot")
        asyncio.run(_record(Path(name, "kafka"), draft, jars))
        draft.replace(location)
        for outdated in location.parent.glob("classes-*.aot"):
            if outdated != location:
                outdated.unlink(missing_ok=True)


async def _record(data_dir: Path, draft: Path, jars: list[Path]) -> None:
    server = KafkaServer(data_dir, _jars=jars, _record_classes_to=draft)
    await server.start()
    await server.stop()


def _tell(progress: Progress | None, line: str) -> None:
    if progress is not None:
        progress(line)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """The command; returns its exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        prefetch(progress=_print)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
