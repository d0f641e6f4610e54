"""Imports that staff start from a page: files are kept, looked at, and imported once somebody says so."""

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import structlog
from pydantic import JsonValue

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database, Transaction, is_transient, load_queries
from clarion.runtime.database.pool import role_of
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.timers import Job
from clarion.schemas.directory import ImportKind
from clarion.schemas.sheets import to_csv
from clarion.services.directory.domain.report import ImportReport
from clarion.services.directory.errors import UnreadableFile
from clarion.services.directory.operations import import_kind

log = structlog.get_logger(__name__)
QUERIES = load_queries("clarion.services.directory")
CHANNEL = "uploads"
PART_BYTES = 1_000_000
LEASE = timedelta(seconds=60)
TELL_SECONDS = 1.0
POLL_SECONDS = 2.0
KEPT_UNCONFIRMED = timedelta(days=1)
"""So long files wait to be confirmed: after that the directory may be another one than was looked at."""
REPORTS_KEPT = timedelta(days=30)
UPLOADS_AT_ONCE = 100
ACTS = {"confirmed": "import.confirmed", "dropped": "import.dropped"}
FAILED_HERE = "Something failed here, which is logged."
SHOWN = 50
LONGEST_NAME = 100


class ReadableFile(Protocol):
    """A file that comes in: read some at a time, so that it never is in memory whole."""

    filename: str | None

    async def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        ...


class UnknownUpload(Exception):
    """There is no such upload."""


class NoFile(Exception):
    """Nothing was handed in."""


async def receive(tx: Transaction, kind: ImportKind, files: Iterable[ReadableFile], actor: Actor, *, full: bool) -> str:
    """Keep files to be looked at; returns the upload's id.

    Raises:
        NoFile: none of them holds anything.
    """
    upload = new_id()
    await QUERIES.insert_upload(
        tx.connection, id=upload, kind=kind, is_full=full, staff=actor.id, staff_name=actor.name, at=tx.clock()
    )
    parts = 0
    for number, file in enumerate(files):
        name, part = safe_name(file.filename or "", number), 0
        while content := await file.read(PART_BYTES):
            await QUERIES.insert_upload_part(
                tx.connection, upload=upload, file=number, name=name, part=part, content=content
            )
            part += 1
        parts += part
    if not parts:
        raise NoFile
    await _note(tx, actor, "import.uploaded", {"id": upload, "kind": kind, "is_full": full})
    tx.notify(CHANNEL)
    return upload


async def confirm(tx: Transaction, upload_id: str, actor: Actor, *, large: bool = False) -> bool:
    """Have what was looked at be imported; False if it is not waiting for that (any more).

    `large` also lets more than a tenth be marked as left.

    Raises:
        UnknownUpload: there is none of this id.
    """
    return await _settle(tx, upload_id, "confirmed", actor, large=large)


async def drop(tx: Transaction, upload_id: str, actor: Actor) -> bool:
    """Throw away what was looked at; False if it is not waiting (any more).

    Raises:
        UnknownUpload: there is none of this id.
    """
    dropped = await _settle(tx, upload_id, "dropped", actor)
    if dropped:
        await QUERIES.delete_upload_parts(tx.connection, upload=upload_id)
    return dropped


async def _settle(tx: Transaction, upload_id: str, to: str, actor: Actor, *, large: bool = False) -> bool:
    found = await find_upload(tx.connection, upload_id)
    moved = await QUERIES.settle_looked(
        tx.connection,
        id=upload_id,
        to=to,
        at=tx.clock(),
        by=actor.name,
        confirmer=actor.id,
        place=actor.place,
        large=large,
    )
    if moved is None:
        return False
    await _note(tx, actor, ACTS[to], found)
    tx.notify(CHANNEL)
    return True


async def _note(tx: Transaction, actor: Actor, act: str, upload: Mapping[str, Any]) -> None:
    details: dict[str, JsonValue] = {"kind": upload["kind"], "full": upload["is_full"]}
    await record(tx.connection, actor, act, f"upload:{upload['id']}", at=tx.clock(), details=details)


async def find_upload(connection: Connection, upload_id: str) -> dict[str, Any]:
    """An upload as its page shows it.

    Raises:
        UnknownUpload: there is none of this id.
    """
    row = None if "\x00" in upload_id else await QUERIES.find_upload(connection, id=upload_id)
    if row is None:
        raise UnknownUpload(upload_id)
    return dict(row)


def safe_name(given: str, number: int) -> str:
    """The last part of a file's name, without what could be a path or could not be shown."""
    last = PurePosixPath(given.replace("\\", "/")).name
    kept = "".join(letter if letter.isprintable() and letter not in '/<>:"|?*' else "_" for letter in last)
    return kept.lstrip(".")[-LONGEST_NAME:] or f"file {number + 1}"


def rejections_table(rejections: Iterable[Mapping[str, Any]]) -> str:
    """Rejected lines as CSV for a spreadsheet."""
    return to_csv(("file", "line", "reason"), rejections)


@dataclass
class _Progress:
    lines: int = 0

    def __call__(self, _kind: ImportKind, count: int) -> None:
        self.lines = count


class Importer:
    """Looks at uploads and imports those that were confirmed; any number may run, each upload is done by one."""

    name = "imports"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, woken by each upload."""
        async with self._database.listen(f"{role_of(self._database.service)}_{CHANNEL}") as wakeups:
            while not stopping.is_set():
                beat()
                if not await self.turn():
                    await wakeups.wait(POLL_SECONDS)

    async def turn(self) -> bool:
        """Do the oldest upload that waits; False if there is none. One that was begun and not ended is begun anew."""
        async with self._database.connection() as connection:
            upload = await QUERIES.claim_upload(connection, lease=LEASE)
        if upload is None:
            return False
        progress = _Progress()
        telling = asyncio.create_task(self._tell(upload["id"], progress), name="import-progress")
        try:
            with tempfile.TemporaryDirectory(prefix="clarion-import-") as folder:
                files = await self._unpacked(upload["id"], Path(folder))
                await self._attempt(upload, files, Path(folder), progress)
        finally:
            telling.cancel()
        return True

    async def _attempt(self, upload: Mapping[str, Any], files: list[Path], folder: Path, progress: _Progress) -> None:
        looking = upload["state"] == "waiting"
        try:
            report = await import_kind(
                self._database,
                upload["kind"],
                files,
                clock=self._clock,
                progress=progress,
                full=upload["is_full"],
                dry_run=looking,
                allow_large=upload["allow_large"],
                actor=None if looking else importing(upload),
            )
        except UnreadableFile as error:
            await self._end(upload, "failed", problem=without(str(error), folder))
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("directory.import_failed", upload=upload["id"], kind=upload["kind"])
            await self._end(upload, "failed", problem=FAILED_HERE)
        else:
            done = "looked" if looking else "imported" if report.import_id else "failed"
            await self._end(upload, done, report=told(report, folder), problem=report.refused)

    async def _tell(self, upload_id: str, progress: _Progress) -> None:
        """Say how far it is, and that it is still at work."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            beat()
            async with self._database.connection() as connection:
                await QUERIES.renew_upload(connection, id=upload_id, lines=progress.lines, lease=LEASE)

    async def _unpacked(self, upload_id: str, folder: Path) -> list[Path]:
        """The files as they were handed in, each in a folder of its own since two may have one name."""
        found: dict[Path, None] = {}
        async with self._database.connection() as connection:
            parts = [row async for row in QUERIES.parts_of_upload(connection, upload=upload_id)]
            for row in parts:
                path = folder / str(row["file"]) / row["name"]
                await asyncio.to_thread(path.parent.mkdir, exist_ok=True)
                content = await QUERIES.part_content(connection, upload=upload_id, file=row["file"], part=row["part"])
                await asyncio.to_thread(_append, path, content)
                found[path] = None
        return list(found)

    async def _end(
        self, upload: Mapping[str, Any], state: str, *, report: dict[str, Any] | None = None, problem: str | None = None
    ) -> None:
        import_id = report["import_id"] if report else None
        async with self._database.transaction() as tx:
            at = tx.clock()
            await QUERIES.end_upload(
                tx.connection, id=upload["id"], state=state, at=at, report=report, problem=problem, import_id=import_id
            )
            if state in ("imported", "failed"):
                await QUERIES.delete_upload_parts(tx.connection, upload=upload["id"])


def importing(upload: Mapping[str, Any]) -> Actor:
    """Who imports: whoever confirmed it."""
    return Actor("staff", upload["confirmer"], upload["confirmed_by"], upload["confirmed_from"])


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def told(report: ImportReport, folder: Path) -> dict[str, Any]:
    """A report as it is kept: file names as they were handed in."""
    kept = asdict(report)
    kept["rejected"] = [
        one | {"file": without(one["file"], folder), "reason": without(one["reason"], folder)}
        for one in kept["rejected"]
    ]
    kept["warnings"] = [without(text, folder) for text in kept["warnings"]]
    return kept


def without(text: str, folder: Path) -> str:
    """A text that names files by the names that people know."""
    parts = text.split(f"{folder}/")
    return parts[0] + "".join(part.partition("/")[2] for part in parts[1:])


def unconfirmed(clock: Clock) -> Job:
    """The job that drops what nobody confirmed, and the reports of long ago."""

    async def step(tx: Transaction) -> int:
        now = clock()
        before, reports_before = now - KEPT_UNCONFIRMED, now - REPORTS_KEPT
        count = await QUERIES.purge_uploads(
            tx.connection, before=before, reports_before=reports_before, at_most=UPLOADS_AT_ONCE
        )
        return int(count)

    return Job("uploads", step, days=KEPT_UNCONFIRMED.days)


async def list_imports(connection: Connection, *, skipped: int = 0, at_most: int = SHOWN) -> list[dict[str, Any]]:
    """The newest imports, with who did them."""
    return [dict(row) async for row in QUERIES.list_imports(connection, at_most=at_most, skipped=skipped)]


async def open_uploads(connection: Connection) -> list[dict[str, Any]]:
    """What waits to be looked at, confirmed or imported."""
    return [dict(row) async for row in QUERIES.open_uploads(connection, at_most=SHOWN)]
