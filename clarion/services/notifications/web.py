"""HTTP in: what a mailbox gets, and leaving it."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import HTMLResponse

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.services.notifications import operations
from clarion.services.notifications.domain.subscriptions import PURPOSE, title_of
from clarion.services.notifications.repository import Ledger

FORM_PURPOSE = "preferences-form"
FORM_SECONDS = 24 * 3600.0
ONE_CLICK = "One-Click"


def preferences_router(database: Database, links: SignedLinks, clock: Clock) -> APIRouter:
    """`/u/{token}`: the pages behind the unsubscribe links."""
    router = APIRouter(include_in_schema=False)
    pages = Pages("clarion.services.notifications")

    async def page(token: str, mailbox: str, subscription: str) -> HTMLResponse:
        async with database.connection() as connection:
            left = await Ledger(connection).left(mailbox)
        return pages.render(
            "preferences.html",
            headers={"cache-control": "no-store"},
            token=token,
            title=title_of(subscription),
            left_at=left.get(subscription),
            form_token=links.sign(FORM_PURPOSE, [mailbox, subscription]),
        )

    # RFC 8058 needs POST: mail scanners follow GET links and would unsubscribe people.
    @router.get("/u/{token}")
    async def show(token: str) -> HTMLResponse:
        return await page(token, *read_token(links, token))

    @router.post("/u/{token}")
    async def leave_by_one_click(
        token: str, wish: Annotated[str | None, Form(alias="List-Unsubscribe")] = None
    ) -> HTMLResponse:
        mailbox, subscription = read_token(links, token)
        if wish != ONE_CLICK:
            raise Refused(400, "Send List-Unsubscribe=One-Click, or use the button on the page.")
        async with database.transaction() as tx:
            await operations.leave(tx, mailbox, subscription, clock())
        return await page(token, mailbox, subscription)

    @router.post("/u/{token}/preferences")
    async def choose(token: str, wish: Annotated[str, Form()], form_token: Annotated[str, Form()]) -> HTMLResponse:
        mailbox, subscription = read_token(links, token)
        check_form(links, form_token, [mailbox, subscription])
        async with database.transaction() as tx:
            if wish == "leave":
                await operations.leave(tx, mailbox, subscription, clock())
            elif wish == "return":
                await operations.come_back(tx, mailbox, subscription)
            else:
                raise Refused(422, "Choose to leave or to return.")
        return await page(token, mailbox, subscription)

    return router


def read_token(links: SignedLinks, token: str) -> tuple[str, str]:
    """Mailbox and subscription of an unsubscribe link, which never expires.

    Raises:
        Refused: 404, it is not one of ours.
    """
    try:
        mailbox, subscription = links.read(PURPOSE, token)
    except (BadLink, ValueError, TypeError) as error:
        raise Refused(404, "This link is not one of ours: open it from the mail again.") from error
    return str(mailbox), str(subscription)


def check_form(links: SignedLinks, form_token: str, expected: Any) -> None:
    """Raises Refused (403) unless the form came from the page of this link, within a day."""
    try:
        if links.read(FORM_PURPOSE, form_token, FORM_SECONDS) == expected:
            return
    except BadLink:
        pass
    raise Refused(403, "This form is too old or not ours: open the link in the mail again.")
