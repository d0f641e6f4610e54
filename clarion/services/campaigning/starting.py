"""`/campaigns/new`: somebody starts a campaign; whom it reaches and what they would read is shown before it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Form
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.ids import new_id
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.fields import FieldError
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.schemas.messages import MessageBatch
from clarion.services.campaigning.desk import PACKAGE, PLACE, Desk, campaign_path
from clarion.services.campaigning.forms import OccasionForm, by_field, read_draft
from clarion.services.campaigning.mails import NOBODY, Mail, first_batch, mail_of_batch
from clarion.services.campaigning.names import UNKNOWN, find_person
from clarion.services.campaigns.starting import operations
from clarion.services.campaigns.starting.drafts import OccasionDraft
from clarion.services.campaigns.starting.errors import NotToBeStarted, NotYours, Unfit
from clarion.services.campaigns.starting.kinds import KINDS

QUERIES = load_queries(PACKAGE)
KEPT_AT_MOST = 200_000
KIND_NAMES = {
    "floor-vote": "Floor vote",
    "governor": "Governor's desk",
    "comment-period": "Comment period",
    "programme": "Regional programme",
    "volunteer": "Call for volunteers",
    "threat": "Threat to all cities",
}
FIRST_ASKS = (
    ("", "as is usual for it"),
    ("letter", "a letter"),
    ("comment-letter", "a comment letter to the agency"),
    ("phone", "a phone call"),
    ("volunteer", "to volunteer"),
)

ZONE: str = OccasionDraft.model_fields["zone"].default
"""The zone in which the form's times are meant."""

Kept = Annotated[str, Form(max_length=KEPT_AT_MOST)]
Filled = Annotated[OccasionForm, Form()]


@dataclass(frozen=True, slots=True)
class Options:
    """What can be ticked: divisions and groups, by id and name; `everywhere` for those who may start it anywhere."""

    divisions: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    everywhere: bool


def starting_router(desk: Desk) -> APIRouter:
    """The form, the page that counts, and the button that starts it."""
    router = APIRouter(prefix=f"{PLACE}/new", include_in_schema=False)
    starts = Annotated[Visit, Depends(desk.staff.may(Act.START_CAMPAIGN))]

    @router.get("")
    async def choose(visit: starts, kind: str = "") -> HTMLResponse:
        if kind not in KINDS:
            return desk.show("new.html", visit, kinds=KINDS, kind_names=KIND_NAMES)
        form = OccasionForm.model_validate({"kind": kind, "id": new_id(), "divisions": sorted(visit.staff.divisions)})
        return await form_page(desk, visit, form)

    @router.post("/count")
    async def count(visit: starts, form: Filled) -> HTMLResponse:
        return await counted_page(desk, visit, form)

    @router.post("/change")
    async def change(visit: starts, kept: Kept = "") -> HTMLResponse:
        return await form_page(desk, visit, read_kept(kept))

    @router.post("")
    async def start(visit: starts, kept: Kept = "") -> Response:
        return await started(desk, visit, read_kept(kept))

    return router


def read_kept(kept: str) -> OccasionForm:
    """The form as the counting page carried it on.

    Raises:
        Refused: 422, that is none of ours.
    """
    try:
        return OccasionForm.model_validate_json(kept)
    except ValidationError as error:
        raise Refused(422, "What was filled in did not come whole. Nothing was started: fill it in again.") from error


async def form_page(
    desk: Desk, visit: Visit, form: OccasionForm, errors: Mapping[str, Sequence[str]] | None = None, status: int = 200
) -> HTMLResponse:
    """The form with what was filled in, and what is wrong with it."""
    return desk.show(
        "form.html",
        visit,
        status=status,
        form=form,
        errors=errors or {},
        shown_fields=OccasionForm.model_fields,
        options=await options_for(desk, visit),
        kind_names=KIND_NAMES,
        first_asks=FIRST_ASKS,
        zone_city=ZONE.rpartition("/")[2].replace("_", " "),
    )


async def options_for(desk: Desk, visit: Visit) -> Options:
    """What the visitor can tick."""
    own = where(visit.staff, Act.START_CAMPAIGN)
    async with desk.campaigns() as database, database.connection() as connection:
        divisions = [(row["id"], row["name"]) async for row in QUERIES.divisions_to_tick(connection)]
        groups = [(row["id"], row["name"]) async for row in QUERIES.groups_to_tick(connection)]
    return Options([one for one in divisions if own is None or one[0] in own], groups, own is None)


async def counted_page(desk: Desk, visit: Visit, form: OccasionForm) -> HTMLResponse:
    """Whom it reaches and what one of them would read; what is wrong is shown on the form again."""
    try:
        draft = await draft_of(desk, form)
        async with desk.campaigns() as database, database.connection() as connection:
            count = await operations.count(connection, draft, desk.clock(), visit.staff)
        mail = await tried(desk, visit, draft) if count.officials else Mail("", UNKNOWN, None, NOBODY)
    except NotToBeStarted as error:
        return await refused_page(desk, visit, form, error)
    return desk.show("counted.html", visit, form=form, kept=form.model_dump_json(), count=count, mail=mail)


async def started(desk: Desk, visit: Visit, form: OccasionForm) -> Response:
    """Start it; sent twice it is one campaign."""
    try:
        draft = await draft_of(desk, form)
        async with desk.campaigns() as database, database.transaction() as tx:
            begun = await operations.start(tx, draft, visit.actor, visit.staff, desk.clock())
    except NotToBeStarted as error:
        return await refused_page(desk, visit, form, error)
    return RedirectResponse(f"{campaign_path(begun.id)}?done=started", 303)


async def refused_page(desk: Desk, visit: Visit, form: OccasionForm, error: NotToBeStarted) -> HTMLResponse:
    """The form again, with what stands against it at the field that it is about."""
    match error:
        case Unfit():
            return await form_page(desk, visit, form, by_field(error.errors), 422)
        case NotYours():
            return await form_page(desk, visit, form, {"": [str(error)]}, 403)
        case _:
            return await form_page(desk, visit, form, {"": [str(error)]}, 409)


async def draft_of(desk: Desk, form: OccasionForm) -> OccasionDraft:
    """The draft that a form makes.

    Raises:
        Unfit: it is wrong somewhere.
    """
    found, errors = [], []
    async with desk.directory.connection() as directory:
        for place, name in enumerate(form.named_people()):
            person, wrong = await find_person(directory, name)
            found.append(person)
            if wrong:
                errors.append(FieldError(field=f"people[{place}]", message=wrong))
    draft = read_draft(form.draft([one for one in found if one is not None]))
    if errors or not isinstance(draft, OccasionDraft):
        raise Unfit([*errors, *(draft if isinstance(draft, list) else [])])
    return draft


class NotKept(Exception):
    """Takes a batch out of a transaction that is not to be kept."""

    def __init__(self, batch: MessageBatch | None) -> None:
        super().__init__()
        self.batch = batch


async def try_out(tx: Transaction, visit: Visit, draft: OccasionDraft) -> NoReturn:
    """Start it and look at a mail of it. Raises NotKept, so that nothing of it stays."""
    now = tx.clock()
    begun = await operations.start(tx, draft, visit.actor, visit.staff, now)
    raise NotKept(await first_batch(tx.connection, begun.id, now))


async def tried(desk: Desk, visit: Visit, draft: OccasionDraft) -> Mail:
    """One mail of the campaign that the draft would make: it is started and not kept."""
    try:
        async with desk.campaigns() as database, database.transaction() as tx:
            await try_out(tx, visit, draft)
    except NotKept as found:
        async with desk.reading() as reading:
            return await mail_of_batch(desk, reading.ledger, found.batch)
