"""Apache Kafka's jars: pinned by coordinate and sha256, fetched once into a cache of the user's."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from clarion.runtime.embedded.errors import EmbeddedError

KAFKA_VERSION = "4.3.1"
_AT_ONCE = 6
_TRIES = 3
_TIMEOUT_SECONDS = 30
_STAGING = "fetching-"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """One pinned artifact."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def pinned_jars() -> list[Jar]:
    """The jars that a broker of this version needs, as the project pins them."""
    listing = resources.files(__package__).joinpath(f"jars-{KAFKA_VERSION}.txt").read_text("utf-8")
    return [_parse(line) for line in listing.splitlines() if line.strip()]


def default_cache_dir() -> Path:
    """Where the jars are kept: CLARION_CACHE_DIR, else the user's own cache directory."""
    if chosen := os.environ.get("CLARION_CACHE_DIR"):
        return Path(chosen).absolute() / f"kafka-{KAFKA_VERSION}"
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        home = Path(base) if base else Path.home() / ".cache"
    except RuntimeError as error:
        message = "there is no home directory to keep Kafka's jars in: set CLARION_CACHE_DIR"
        raise EmbeddedError(message) from error
    return home.absolute() / "clarion" / f"kafka-{KAFKA_VERSION}"


def ensure_jars(cache_dir: Path | None = None, progress: Progress | None = None) -> list[Path]:
    """The broker's class path in its fixed order; what is missing or damaged is fetched first.

    Safe to call from several processes at once and to kill at any moment. `progress` gets a line
    of text per jar. Raises `EmbeddedError` when a jar cannot be had.
    """
    cache = cache_dir or default_cache_dir()
    jars = pinned_jars()
    paths = sorted(cache / jar.file_name for jar in jars)
    if not _missing(cache, jars):
        return paths
    with cache_lock(cache, progress):
        for abandoned in cache.glob(f"{_STAGING}*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        _fetch_all(_missing(cache, jars), cache, progress)
    return paths


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def _missing(cache: Path, jars: list[Jar]) -> list[Jar]:
    return [jar for jar in jars if _sha256(cache / jar.file_name) != jar.sha256]


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextlib.contextmanager
def cache_lock(cache: Path, progress: Progress | None = None) -> Iterator[None]:
    """Hold the cache alone; another process that fetches is waited for."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("a")
    except OSError as error:
        message = f"cannot keep Kafka's jars in {cache} ({error.strerror}): set CLARION_CACHE_DIR"
        raise EmbeddedError(message) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(progress, "waiting for another process that fills the same cache")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_all(jars: list[Jar], cache: Path, progress: Progress | None) -> None:
    if not jars:
        return
    with (
        tempfile.TemporaryDirectory(prefix=_STAGING, dir=cache) as staging,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        fetches = {pool.submit(_fetch, jar, Path(staging), cache): jar for jar in jars}
        try:
            for number, done in enumerate(as_completed(fetches), start=1):
                done.result()
                _say(progress, f"Kafka {number}/{len(jars)}: {fetches[done].file_name}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _say(progress: Progress | None, line: str) -> None:
    if progress is not None:
        progress(line)


def _fetch(jar: Jar, staging: Path, cache: Path) -> None:
    reason = ""
    for attempt in range(_TRIES):
        try:
            fetched = _download(jar, staging / f"{jar.artifact}-{attempt}")
        except Exception as error:  # noqa: BLE001 - jgo raises RuntimeError, requests its own
            reason = type(error).__name__
            continue
        if _sha256(fetched) == jar.sha256:
            fetched.replace(cache / jar.file_name)
            return
        reason = "its sha256 is not the pinned one"
    raise EmbeddedError(
        f"cannot fetch {jar.group}:{jar.artifact}:{jar.version} ({reason}). The embedded Kafka needs "
        "the Maven registry once: check the network or its proxy settings and try again, or set "
        "CLARION_KAFKA_BOOTSTRAP=host:port to use a Kafka of your own."
    )


def _download(jar: Jar, repository: Path) -> Path:
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - only a first run pays for the HTTP stack

    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=_TIMEOUT_SECONDS)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    return Path(component.artifact().resolve())
