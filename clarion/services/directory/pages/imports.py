"""`/directory/imports`: files are handed in, looked at, and imported once somebody has read what that would do."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.staff.rights import Act
from clarion.runtime.web.fencing import FILES
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.schemas.directory import ImportKind
from clarion.services.directory.domain.rows import COLUMNS
from clarion.services.directory.pages.desk import NO_STORE, Desk, refusals
from clarion.services.directory.uploads import (
    NoFile,
    confirm,
    drop,
    find_upload,
    list_imports,
    open_uploads,
    receive,
    rejections_table,
)

PLACE = "/directory/imports"
MOST_BYTES = FILES[PLACE]
KINDS: tuple[ImportKind, ...] = get_args(ImportKind)
UNDER_WAY = ("waiting", "confirmed")
REJECTIONS_SHOWN = 50
CSV = "text/csv; charset=utf-8"
EFFECT_WORDS = {
    "left": ("These would be marked as left", "Marked as left"),
    "changed": ("These would change", "Changed"),
    "added": ("These would be added", "Added"),
    "held": ("These stay as corrected", "These stay as corrected"),
}


def imports_router(desk: Desk) -> APIRouter:
    """Handing files in, and what was imported; each page is for those who may import."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    router.include_router(upload_router(desk))
    imports = Annotated[Visit, Depends(desk.staff.may(Act.IMPORT_DIRECTORY))]

    async def start_page(visit: Visit, errors: Mapping[str, str], chosen: str = "", status: int = 200) -> HTMLResponse:
        async with desk.database.connection() as connection:
            context = {"done": await list_imports(connection), "open": await open_uploads(connection)}
        columns = {kind: list(COLUMNS[kind].model_fields) for kind in KINDS}
        form = {"kinds": KINDS, "columns": columns, "errors": errors, "chosen": chosen, "most_bytes": MOST_BYTES}
        return desk.show("imports.html", visit, place=PLACE, status=status, **context, **form)

    @router.get("")
    async def show_imports(visit: imports) -> HTMLResponse:
        return await start_page(visit, {})

    @router.post("")
    async def hand_in(visit: imports, request: Request) -> Response:
        visit.allow(Act.IMPORT_DIRECTORY)
        form = await request.form()
        kind = next((kind for kind in KINDS if kind == form.get("kind")), None)
        if kind is None:
            return await start_page(visit, {"kind": "Choose what the files hold."}, status=422)
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
        try:
            async with desk.database.transaction() as tx:
                upload = await receive(tx, kind, files, visit.actor, full=form.get("full") == "yes")
        except NoFile:
            return await start_page(visit, {"files": "Choose a file that is not empty."}, kind, 422)
        return RedirectResponse(f"{PLACE}/{upload}", 303)

    return router


def upload_router(desk: Desk) -> APIRouter:
    """One import: what it would do, confirming it, throwing it away, and what came of it."""
    router = APIRouter()
    imports = Annotated[Visit, Depends(desk.staff.may(Act.IMPORT_DIRECTORY))]

    async def upload_of(upload_id: str) -> dict[str, Any]:
        with refusals():
            async with desk.database.connection() as connection:
                return await find_upload(connection, upload_id)

    @router.get("/{upload_id}")
    async def show_upload(upload_id: str, visit: imports) -> HTMLResponse:
        return desk.show("upload.html", visit, place=PLACE, **upload_context(await upload_of(upload_id)))

    @router.get("/{upload_id}/rejected.csv")
    async def rejected(upload_id: str, _visit: imports) -> Response:
        upload = await upload_of(upload_id)
        if not upload["report"]:
            raise Refused(404, "There is no report of this import.")
        headers = NO_STORE | {"content-disposition": f'attachment; filename="rejected-{upload["kind"]}.csv"'}
        return Response(rejections_table(upload["report"]["rejected"]), headers=headers, media_type=CSV)

    @router.post("/{upload_id}/confirm")
    async def import_it(upload_id: str, visit: imports, request: Request) -> Response:
        visit.allow(Act.IMPORT_DIRECTORY)
        large = (await request.form()).get("large") == "yes"
        with refusals():
            async with desk.database.transaction() as tx:
                await confirm(tx, upload_id, visit.actor, large=large)
        return RedirectResponse(f"{PLACE}/{upload_id}", 303)

    @router.post("/{upload_id}/drop")
    async def throw_away(upload_id: str, visit: imports) -> Response:
        visit.allow(Act.IMPORT_DIRECTORY)
        with refusals():
            async with desk.database.transaction() as tx:
                await drop(tx, upload_id, visit.actor)
        return RedirectResponse(PLACE, 303)

    return router


def upload_context(upload: dict[str, Any]) -> dict[str, Any]:
    """What the page of an upload shows: how far it is, or the report that the command line prints as well."""
    report = upload["report"] or {}
    effects = report.get("effects", [])
    return {
        "upload": upload,
        "report": report,
        "under_way": upload["state"] in UNDER_WAY,
        "rejections": report.get("rejected", [])[:REJECTIONS_SHOWN],
        "effects": [
            (
                words[upload["state"] == "imported"],
                report.get(effect, 0),
                [one for one in effects if one["effect"] == effect],
            )
            for effect, words in EFFECT_WORDS.items()
        ],
    }
