"""`/me`: who reads a mailbox says what is wrong about its people. Looking changes nothing; all of it can be undone."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.staff.audit import Actor
from clarion.runtime.web.forms import FormToken, check_link_form
from clarion.runtime.web.links import BadLink
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import client_address
from clarion.schemas.text import Contract, Identifier, Text
from clarion.services.directory import corrections
from clarion.services.directory.domain.corrections import State, Unfit, Wish, masked
from clarion.services.directory.notices import CONFIRM_PURPOSE, GOOD_FOR, UNDO_PURPOSE, Notices
from clarion.services.directory.pages.desk import NO_STORE, Desk, refusals

QUERIES = load_queries("clarion.services.directory")
PEOPLE_SHOWN = 50
MOST_SAID = 40
"""So much can be said by the links of one mailbox in a month: each new address is a mail to somebody."""
PURPOSE = "person"
GOOD_FOR_SECONDS = 24 * 3600.0
FORM_PURPOSE = "person-form"
PAGE_AGAIN = "This form is too old or not ours. Nothing was changed: open the page again."
BY_LINK = "the link in a mail"
OLD = "This link is not one of ours, or older than a day: open the mail again and follow its link."

Field = Annotated[str, Form(max_length=1_000)]


class Said(Contract, defer_build=False):
    """The form on a person's page."""

    official: Identifier
    wish: Wish
    value: Text = ""
    form_token: str = ""


def person_router(desk: Desk) -> APIRouter:
    """The pages behind links in mail; each form was made by such a page."""
    router = APIRouter(prefix="/me", include_in_schema=False)
    router.include_router(address_router(desk))

    # GET changes nothing: mail scanners follow every link.
    @router.get("/{token}")
    async def show(token: str) -> HTMLResponse:
        return await person_page(desk, token, {})

    @router.post("/{token}")
    async def say(token: str, request: Request, said: Annotated[Said, Form()]) -> Response:
        mailbox = read_mailbox(desk, token)
        check_form(desk, said.form_token, token)
        try:
            with refusals():
                await say_it(desk, said, person(mailbox, request))
        except Unfit as error:
            return await person_page(desk, token, said.model_dump() | {"error": str(error)}, 422)
        return RedirectResponse(f"/me/{token}", 303)

    @router.post("/{token}/undo")
    async def undo(token: str, request: Request, correction: Field, form_token: FormToken = "") -> Response:
        mailbox = read_mailbox(desk, token)
        check_form(desk, form_token, token)
        async with desk.database.connection() as connection:
            own = [one["id"] for one in await corrections.said_from(connection, mailbox, desk.clock())]
        if correction not in own:
            raise Refused(404, "This was not said by this address.")
        await take_back(desk, correction, person(mailbox, request))
        return RedirectResponse(f"/me/{token}", 303)

    return router


def address_router(desk: Desk) -> APIRouter:
    """`/me/address` and `/me/undo`: the links of the mails about a new address."""
    router = APIRouter()

    @router.get("/address/{token}")
    async def show_new(token: str) -> HTMLResponse:
        return await address_page(desk, token, read_correction(desk, CONFIRM_PURPOSE, token), "confirm")

    @router.post("/address/{token}")
    async def confirm(token: str, request: Request, form_token: FormToken = "") -> Response:
        correction_id = read_correction(desk, CONFIRM_PURPOSE, token)
        check_form(desk, form_token, token)
        with refusals():
            async with desk.database.transaction() as tx:
                said = await corrections.find_correction(tx.connection, correction_id)
                await corrections.confirm(tx, correction_id, person(said["overlay"]["mailbox"], request))
        return RedirectResponse(f"/me/address/{token}", 303)

    @router.get("/undo/{token}")
    async def show_old(token: str) -> HTMLResponse:
        return await address_page(desk, token, read_correction(desk, UNDO_PURPOSE, token), "undo")

    @router.post("/undo/{token}")
    async def stop(token: str, request: Request, form_token: FormToken = "") -> Response:
        correction_id = read_correction(desk, UNDO_PURPOSE, token)
        check_form(desk, form_token, token)
        with refusals():
            async with desk.database.connection() as connection:
                said = await corrections.find_correction(connection, correction_id)
        await take_back(desk, correction_id, person(said["mailbox"], request))
        return RedirectResponse(f"/me/undo/{token}", 303)

    return router


async def person_page(desk: Desk, token: str, given: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Who is reached by the mailbox, what can be said of them, and what was said."""
    mailbox = read_mailbox(desk, token)
    async with desk.database.connection() as connection:
        people = await people_of(connection, mailbox)
        said = await corrections.said_from(connection, mailbox, desk.clock())
    context = {
        "token": token,
        "people": people,
        "said": [one for one in said if one["state"] == State.ASKED or one["holds"]],
        "form_token": desk.links.sign(FORM_PURPOSE, token),
        "given": given,
    }
    return desk.pages.render("directory/person.html", status=status, headers=NO_STORE, **context)


async def address_page(desk: Desk, token: str, correction_id: str, asked: str) -> HTMLResponse:
    """What became of a new address, with the one button that its reader has."""
    with refusals():
        async with desk.database.connection() as connection:
            said = await corrections.find_correction(connection, correction_id)
    form_token = desk.links.sign(FORM_PURPOSE, token)
    context: dict[str, Any] = {"said": said, "token": token, "asked": asked, "form_token": form_token}
    return desk.pages.render("directory/address.html", headers=NO_STORE, masked=masked, **context)


async def say_it(desk: Desk, said: Said, actor: Actor) -> None:
    """Take down what a person says; about a new address both addresses get mail."""
    async with desk.database.transaction() as tx:
        before = await corrections.said_from(tx.connection, actor.id, desk.clock())
        if len(before) >= MOST_SAID:
            raise Unfit("Very much was said by this address already: write to the association instead.")
        known = await corrections.correct(tx, said.official, said.wish, said.value, actor, mailbox=actor.id)
        if said.wish is Wish.ADDRESS:
            official = await corrections.find_official(tx.connection, said.official)
            await Notices(desk.links, desk.public_url).ask_new_address(tx, known, official["name"], official["email"])


async def take_back(desk: Desk, correction_id: str, actor: Actor) -> None:
    """Undo it; Refused where that cannot be."""
    with refusals():
        async with desk.database.transaction() as tx:
            await corrections.undo(tx, correction_id, actor)


async def people_of(connection: Connection, mailbox: str) -> list[dict[str, Any]]:
    """Who is reached by a mailbox."""
    rows = QUERIES.officials_of_mailbox(connection, mailbox=mailbox, at_most=PEOPLE_SHOWN)
    people = [{**row["body"], "id": row["id"], "city_name": row["city"]} async for row in rows if row["active"]]
    return [one | {"masked": masked(one["email"])} for one in people]


def person(mailbox: str, request: Request) -> Actor:
    """Whoever reads a mailbox; nobody knows more of them."""
    return Actor("person", mailbox, BY_LINK, client_address(request))


def read_mailbox(desk: Desk, token: str) -> str:
    """The mailbox of a person's link; Refused with 404 if it is not ours or older than a day."""
    return str(_read(desk, PURPOSE, token, GOOD_FOR_SECONDS, "mailbox"))


def read_correction(desk: Desk, purpose: str, token: str) -> str:
    """The correction of a link about an address; Refused with 404 if it is not ours or too old."""
    return str(_read(desk, purpose, token, GOOD_FOR[purpose].total_seconds(), "correction"))


def _read(desk: Desk, purpose: str, token: str, seconds: float, field: str) -> Any:
    try:
        return desk.links.read(purpose, token, seconds)[field]
    except (BadLink, KeyError, TypeError, ValueError):
        raise Refused(404, OLD) from None


def check_form(desk: Desk, form_token: str, token: str) -> None:
    """Refused (403) unless the form came from the page of this link, within a day."""
    check_link_form(desk.links, FORM_PURPOSE, form_token, token, words=PAGE_AGAIN)
