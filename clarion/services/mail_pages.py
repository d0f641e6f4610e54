"""Pages over what the embedded mail catcher holds, for whoever runs Clarion on one machine."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response

from clarion.runtime.embedded import MailStore
from clarion.runtime.web.headers import CONTENT_SECURITY_POLICY
from clarion.runtime.web.pages import Pages

PAGE_SIZE = 50
MOST = 2**63 - 1
"""So large a number the store can hold."""
SHOWN_HEADERS = (
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Clarion-Thread",
    "Clarion-Revision",
)
# A mail brings its own style and must run nothing and fetch nothing.
MAIL_HEADERS = {
    "content-security-policy": "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}
FRAMING_HEADERS = {"content-security-policy": f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"}


def parsed(content: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    return message_from_bytes(content, policy=default)


def body(message: EmailMessage, kind: str) -> str:
    """The part of the mail that is `plain` or `html`, or nothing."""
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def mail_router(store: MailStore, pages: Pages) -> APIRouter:
    """`/mail`, one mail, its HTML alone and its source."""
    router = APIRouter(include_in_schema=False)

    def found(mail_id: int) -> tuple[EmailMessage, bytes]:
        mail = store.get(mail_id) if abs(mail_id) <= MOST else None
        if mail is None:
            raise HTTPException(404, f"the mail catcher holds no mail {mail_id}")
        return parsed(mail.content), mail.content

    @router.get("/mail")
    def list_mail(
        q: Annotated[str, Query(max_length=200)] = "", before: Annotated[int | None, Query(ge=1, le=MOST)] = None
    ) -> HTMLResponse:
        mails = store.list(limit=PAGE_SIZE + 1, before_id=before, query=q or None)
        shown = mails[:PAGE_SIZE]
        older = shown[-1].id if len(mails) > PAGE_SIZE else None
        return pages.render("mail_list.html", mails=shown, older=older, query=q, total=store.count())

    @router.get("/mail/{mail_id}")
    def show_mail(mail_id: int) -> HTMLResponse:
        message, _ = found(mail_id)
        shown = [(name, str(message[name])) for name in SHOWN_HEADERS if message[name]]
        return pages.render(
            "mail_show.html",
            mail={"id": mail_id, "subject": str(message["Subject"] or "")},
            shown_headers=shown,
            text=body(message, "plain"),
            has_html=message.get_body(("html",)) is not None,
            headers=FRAMING_HEADERS,
        )

    @router.get("/mail/{mail_id}/html")
    def show_html(mail_id: int) -> HTMLResponse:
        message, _ = found(mail_id)
        return HTMLResponse(body(message, "html"), headers=MAIL_HEADERS)

    @router.get("/mail/{mail_id}/source")
    def show_source(mail_id: int) -> Response:
        _, content = found(mail_id)
        return Response(content, media_type="text/plain; charset=utf-8")

    return router
