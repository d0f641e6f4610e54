"""In whatever order and however often reports of one mail come, what they leave is the same."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.runtime.clock import system_clock
from clarion.services.notifications.bounces import operations
from clarion.services.notifications.bounces.return_path import About
from clarion.services.notifications.domain.messages import thread_of
from tests.services.notifications.came_back import arf, dsn, handled, plain, recipient_fields
from tests.services.notifications.conftest import House, batch, mailbox_of

REPORTS = {
    # No recipient is named, so each is about the mailbox, whatever its key.
    "hard": dsn([("Action", "failed"), ("Status", "5.1.1")]),
    "soft": dsn([("Action", "failed"), ("Status", "4.2.2")]),
    "blocked": dsn([("Action", "failed"), ("Status", "5.7.1")]),
    "delayed": dsn([("Action", "delayed"), ("Status", "4.4.1")]),
    "complaint": arf("abuse"),
    "opt-out": arf("opt-out"),
    "auto-reply": plain("Away.", Auto_Submitted="auto-replied"),
    "unclear": plain("Please call me instead."),
    "broken": b"\0\xff" + dsn(recipient_fields()),
}
BOUNCED = {"hard", "soft", "blocked"}


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(came=st.lists(st.sampled_from(sorted(REPORTS)), min_size=1, max_size=8), sent_after=st.integers(0, 8))
async def test_what_reports_leave_is_the_same_in_any_order(house: House, came: list[str], sent_after: int) -> None:
    for table in ("returns", "ledger", "threads", "contents", "suppressions", "unsubscribed", "outbox"):
        await house.execute(f"DELETE FROM {table}")
    await house.call([1])
    about, now = About(thread_of("campaign:c1", mailbox_of(1)), 1), system_clock()
    for place, name in enumerate(came):
        if place == sent_after:
            await house.pretend("claimed", "sending", "sent")
        content: bytes = b"X-Place: %d\r\n" % place + REPORTS[name] if name != "broken" else REPORTS[name]
        async with house.database.transaction() as tx:
            await operations.keep(tx, "mail", content, now, about=about)
        while await handled(house, now):
            pass
    if sent_after >= len(came):
        await house.pretend("claimed", "sending", "sent")
    while await handled(house, now + timedelta(hours=1)):
        pass
    kinds = set(came)
    assert await house.states() == ({"bounced": 1} if kinds & BOUNCED else {"sent": 1})
    assert len(await house.delivered()) == bool(kinds & BOUNCED)
    suppressions: list[Any] = await house.rows("SELECT kind FROM suppressions")
    expected = {kind for kind, name in (("hard-bounce", "hard"), ("complaint", "complaint")) if name in kinds}
    assert len(suppressions) == bool(expected)
    assert {row["kind"] for row in suppressions} <= expected
    left = await house.rows("SELECT FROM unsubscribed")
    assert len(left) == bool(kinds & {"complaint", "opt-out"})
    assert await house.rows("SELECT FROM returns WHERE due_at IS NOT NULL") == []


async def test_mail_that_is_asked_for_after_a_complaint_is_not_sent(house: House, until: Any) -> None:
    await house.call([1])
    await house.pretend("claimed", "sending", "sent")
    async with house.database.transaction() as tx:
        about = About(thread_of("campaign:c1", mailbox_of(1)), 1)
        await operations.keep(tx, "mail", REPORTS["complaint"], system_clock(), about=about)
    while await handled(house):
        pass
    await house.ask(
        batch([1], matter="campaign:c2"), batch([1], matter="news:1", subscription="newsletter", lane="bulk")
    )
    async with house.sending():

        async def over() -> bool:
            return await house.states() == {"sent": 1, "unneeded": 1, "suppressed": 1}

        await until(over)
