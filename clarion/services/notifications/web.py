"""HTTP in: what a mailbox gets, leaving and joining it, and what its reader asks of us beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import JsonValue
from starlette.responses import HTMLResponse

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.reading import concerning
from clarion.runtime.web.forms import check_link_form
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Imprint, Pages
from clarion.runtime.web.problems import Refused
from clarion.services.notifications import operations, preferences
from clarion.services.notifications.domain.subscriptions import PURPOSE, chosen, title_of

FORM_PURPOSE = "preferences-form"
PERSON_PURPOSE = "person"
"""What the links to the directory's page about the people of a mailbox are signed for."""
ONE_CLICK = "One-Click"
NO_STORE = {"cache-control": "no-store"}
FEW_CHARACTERS = 200
ACTS_SHOWN = 20
DOERS = {"staff": "Staff", "command": "Staff", "key": "An integration", "person": "A reader", "system": "We"}
"""Who did something, as a reader is told: a link may have been handed on, so staff are not named."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a form did, in a sentence, and the form that takes it back: its wish and the lists it is for."""

    said: str
    undo: str | None = None
    lists: Sequence[str] = ()


def preferences_router(
    database: Database, links: SignedLinks, clock: Clock, public_url: str = "", imprint: Imprint | None = None
) -> APIRouter:
    """`/u/{token}`: the pages behind the unsubscribe links; `public_url` is the base of links in mail."""
    router = APIRouter(include_in_schema=False)
    desk = Desk(database, links, clock, public_url.rstrip("/"), imprint)
    router.add_api_route("/u/{token}", desk.show, methods=["GET"])
    router.add_api_route("/u/{token}", desk.leave_by_one_click, methods=["POST"])
    router.add_api_route("/u/{token}/preferences", desk.choose, methods=["POST"])
    return router


class Desk:
    """The pages, each a method."""

    def __init__(
        self, database: Database, links: SignedLinks, clock: Clock, public_url: str, imprint: Imprint | None
    ) -> None:
        self._database = database
        self._links = links
        self._clock = clock
        self._public_url = public_url
        self._pages = Pages("clarion.services.notifications", imprint)

    # RFC 8058 needs POST: mail scanners follow GET links and would unsubscribe people.
    async def show(self, token: str) -> HTMLResponse:
        """The page; looking changes nothing."""
        return await self._page(token, *read_token(self._links, token))

    async def leave_by_one_click(
        self, token: str, wish: Annotated[str | None, Form(alias="List-Unsubscribe")] = None
    ) -> HTMLResponse:
        """Leave the one subscription of the link (RFC 8058); whoever has the link may, without a form."""
        mailbox, subscription = read_token(self._links, token)
        if wish != ONE_CLICK:
            raise Refused(400, "Send List-Unsubscribe=One-Click, or use the button on the page.")
        async with self._database.transaction() as tx:
            done = await self._leave(tx, mailbox, [subscription])
        return await self._page(token, mailbox, subscription, done)

    async def choose(
        self,
        token: str,
        wish: Annotated[str, Form(max_length=FEW_CHARACTERS)],
        form_token: Annotated[str, Form(max_length=2_000)],
        lists: Annotated[Sequence[str], Form(alias="subscription", max_length=FEW_CHARACTERS)] = (),
    ) -> HTMLResponse:
        """Do what a form of the page wishes, and say how it is taken back."""
        mailbox, subscription = read_token(self._links, token)
        check_link_form(self._links, FORM_PURPOSE, form_token, [mailbox, subscription])
        async with self._database.transaction() as tx:
            shown = (await preferences.standing(tx.connection, mailbox, subscription)).names
            try:
                asked = shown if wish == "leave-all" else chosen(lists or [subscription], shown)
            except ValueError as error:
                raise Refused(422, str(error)) from error
            done = await self._do(tx, wish, mailbox, asked)
        return await self._page(token, mailbox, subscription, done)

    async def _do(self, tx: Transaction, wish: str, mailbox: str, lists: Sequence[str]) -> Done:
        match wish:
            case "leave" | "leave-all":
                return await self._leave(tx, mailbox, lists)
            case "return":
                return await self._join(tx, mailbox, lists)
            case "export":
                return await self._export(tx, mailbox)
            case "erasure":
                fresh = await preferences.wish_for_erasure(tx, mailbox, self._clock())
                if fresh:
                    await self._note(tx, mailbox, "erasure.asked")
                return Done(ASKED_TO_ERASE if fresh else ASKED_BEFORE, "keep")
            case "keep":
                kept = await preferences.take_back_erasure(tx, mailbox)
                if kept:
                    await self._note(tx, mailbox, "erasure.taken-back")
                return Done(KEPT if kept else NOT_ASKED)
        raise Refused(422, "Choose to leave or to return.")

    async def _leave(self, tx: Transaction, mailbox: str, lists: Sequence[str]) -> Done:
        left = await operations.leave(tx, mailbox, lists, self._clock())
        if not left:
            return Done("Nothing was changed: this address had left already.")
        await self._note(tx, mailbox, "subscription.left", left)
        return Done(f"This address left {named(left)}. Mail that was waiting will not be sent.", "return", left)

    async def _join(self, tx: Transaction, mailbox: str, lists: Sequence[str]) -> Done:
        joined = await operations.come_back(tx, mailbox, lists)
        if not joined:
            return Done("Nothing was changed: this address is on the list.")
        await self._note(tx, mailbox, "subscription.joined", joined)
        said = f"This address gets mail again: {named(joined)}. What ended meanwhile is not sent."
        return Done(said, "leave", joined)

    async def _export(self, tx: Transaction, mailbox: str) -> Done:
        sent = await preferences.wish_for_export(tx, mailbox, self._export_link, self._clock())
        if sent:
            await self._note(tx, mailbox, "export.asked")
        return Done(EXPORT_SENT if sent else EXPORT_NOT_SENT)

    async def _note(self, tx: Transaction, mailbox: str, act: str, lists: Sequence[str] = ()) -> None:
        """Write down what a reader of the mailbox did; who of its readers it was nobody knows."""
        reader = Actor("person", mailbox, "a reader of the mailbox", "the link in a mail")
        subject, details = f"mailbox:{mailbox}", {"lists": list[JsonValue](lists)}
        await record(tx.connection, reader, act, subject, at=self._clock(), details=details, mailbox=mailbox)

    def _export_link(self, mailbox: str) -> str:
        return f"{self._public_url}/kept/{self._links.sign(preferences.EXPORT_PURPOSE, {'mailbox': mailbox})}"

    async def _page(self, token: str, mailbox: str, subscription: str, done: Done | None = None) -> HTMLResponse:
        async with self._database.connection() as connection:
            standing = await preferences.standing(connection, mailbox, subscription)
            acts = await concerning(connection, mailbox, at_most=ACTS_SHOWN)
        return self._pages.render(
            "preferences.html",
            headers=NO_STORE,
            token=token,
            subscription=subscription,
            standing=standing,
            acts=acts,
            doers=DOERS,
            done=done,
            form_token=self._links.sign(FORM_PURPOSE, [mailbox, subscription]),
            person_token=self._links.sign(PERSON_PURPOSE, {"mailbox": mailbox}),
        )


ASKED_TO_ERASE = "Staff were told that you want to be erased. They may ask which person of this address you are."
ASKED_BEFORE = "Staff know already that you want to be erased."
KEPT = "Nothing will be erased."
NOT_ASKED = "Nobody had asked to be erased."
EXPORT_SENT = (
    "A mail goes to this address, with a link to everything that is kept about it. The link is good for a day."
)
EXPORT_NOT_SENT = "No mail was sent: one went within the last hour, or nobody is known who reads this address."


def named(lists: Sequence[str]) -> str:
    """Subscriptions in a sentence."""
    titles = [title_of(one) for one in lists]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


def read_token(links: SignedLinks, token: str) -> tuple[str, str]:
    """Mailbox and subscription of an unsubscribe link, which never expires.

    Raises:
        Refused: 404, it is not one of ours.
    """
    try:
        mailbox, subscription = links.read(PURPOSE, token)
    except (BadLink, ValueError, TypeError) as error:
        raise Refused(404, NOT_OURS) from error
    return str(mailbox), str(subscription)


NOT_OURS = (
    "This link is not one of ours, or a part of it is missing: open it from the mail again. If that does not help,"
    " answer the mail and say that you want no more of it."
)
