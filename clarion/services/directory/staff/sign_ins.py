"""Signing in by a link in a mail: asked for, looked at as often as one likes, used once."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from clarion.runtime.database import Connection, Transaction, load_queries, mailbox_key
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.staff.accounts import find_account_by_email
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.rights import Staff
from clarion.runtime.staff.sessions import digest, end_session_of, is_token, open_session
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.messages import MessageBatch, Recipient, SignInContent
from clarion.schemas.topics import DIRECTORY_NOTICES
from clarion.services.directory.staff.words import spoken_browser, spoken_minutes

GOOD_FOR = timedelta(minutes=10)
"""How long a link can be used."""
WINDOW = timedelta(minutes=15)
OF_ONE_ADDRESS = 5
OF_ONE_CLIENT = 60
"""How often links are asked for within the window: by a client, since a whole office may have one address."""
BY_MAIL = "mail link"
TEMPLATE = "sign-in"

queries = load_queries(__package__)


@dataclass(frozen=True, slots=True)
class Browser:
    """Who asks: the secret that its cookie holds, from where, and how it describes itself."""

    secret: str
    address: str
    agent: str


class LinkState(StrEnum):
    """What can be done with a link."""

    GOOD = "good"
    ELSEWHERE = "elsewhere"
    USED = "used"
    OVER = "over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who has signed in: the session's token, and where they were going."""

    staff_id: str
    name: str
    token: str
    next_path: str


async def is_too_often(tx: Transaction, email: str, client: str, now: datetime) -> bool:
    """Count that a link is asked for; whether that is too often, for the address or from the client.

    Addresses are counted whether they are known or not, so that the answer says nothing of it.
    """
    key = await mailbox_key(tx.connection)
    asked = []
    for subject in (f"address:{email.casefold()}", f"client:{client}"):
        found = hmac.digest(key, subject.encode(), "sha256")
        asked.append(await queries.count_asking(tx.connection, subject_hash=found, now=now, window_start=now - WINDOW))
    return bool(asked[0] > OF_ONE_ADDRESS or asked[1] > OF_ONE_CLIENT)


async def ask_for_link(
    tx: Transaction, email: str, browser: Browser, *, next_path: str, public_url: str, now: datetime
) -> None:
    """Have a link mailed if there is such an account; whoever asks is told the same if there is none."""
    account = await find_account_by_email(tx.connection, email)
    if account is None or account.removed_at is not None:
        return
    staff, token = account.staff, new_secret()
    bound = {"staff_id": staff.id, "browser_hash": digest(browser.secret), "now": now}
    await queries.replace_links(tx.connection, **bound)
    await queries.insert_link(
        tx.connection, token_hash=digest(token), next_path=next_path, ends_at=now + GOOD_FOR, **bound
    )
    key = await mailbox_key(tx.connection)
    batch = link_mail(staff, mailbox(staff.email, key), f"{public_url.rstrip('/')}/sign-in/{token}", browser, now)
    [recipient] = batch.recipients
    await enqueue(tx, [Outgoing(DIRECTORY_NOTICES, recipient.mailbox, "messages.requested", batch)])


def link_mail(staff: Staff, to: str, url: str, browser: Browser, now: datetime) -> MessageBatch:
    """The request for the mail with a link, to the mailbox of somebody's address."""
    content = SignInContent(
        url=url,
        site=urlsplit(url).netloc,
        good_for=spoken_minutes(GOOD_FOR),
        asked_from=f"{spoken_browser(browser.agent)}, at {browser.address}",
    )
    return MessageBatch(
        matter=f"sign-in:{new_id()}",
        revision=1,
        template=TEMPLATE,
        lane="sign-in",
        not_after=now + GOOD_FOR,
        facts=[],
        content=content.model_dump(mode="json"),
        recipients=[Recipient(mailbox=to, address=staff.email, name=staff.name)],
    )


async def look_at_link(connection: Connection, token: str, browser_secret: str, now: datetime) -> LinkState:
    """What can be done with a link in this browser; looking changes nothing."""
    row = await queries.find_link(connection, token_hash=digest(token)) if is_token(token) else None
    if row is None:
        return LinkState.UNKNOWN
    if row["used_at"] is not None:
        return LinkState.USED
    if row["ends_at"] <= now or row["removed_at"] is not None:
        return LinkState.OVER
    is_same = hmac.compare_digest(row["browser_hash"], digest(browser_secret))
    return LinkState.GOOD if is_same else LinkState.ELSEWHERE


async def use_link(tx: Transaction, token: str, browser: Browser, *, ending: str, now: datetime) -> Entered | LinkState:
    """Sign in with a link, once, in the browser that asked for it; `ending` is the session that the browser had.

    Gives the link's state where it cannot be used.
    """
    bound = {"token_hash": digest(token), "browser_hash": digest(browser.secret), "now": now}
    row = await queries.spend_link(tx.connection, **bound) if is_token(token) else None
    if row is None:
        return await look_at_link(tx.connection, token, browser.secret, now)
    session = await enter(tx, row["id"], row["name"], browser, BY_MAIL, ending=ending, now=now)
    return Entered(row["id"], row["name"], session, row["next_path"])


async def enter(
    tx: Transaction, staff_id: str, name: str, browser: Browser, method: str, *, ending: str, now: datetime
) -> str:
    """Begin a session and give its token, whichever way they signed in; the session that was there before ends."""
    await end_session_of(tx.connection, ending)
    session_id, token = await open_session(
        tx.connection, staff_id, now, address=browser.address, agent=browser.agent, method=method
    )
    actor = Actor("staff", staff_id, name, browser.address)
    details = {"method": method, "browser": spoken_browser(browser.agent), "session": session_id}
    await record(tx.connection, actor, "session.begun", f"staff:{staff_id}", at=now, details=details)
    return token
