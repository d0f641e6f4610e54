"""What waits in a ledger that was restored: sent where a log names it, unknown else, and never sent by itself."""

from datetime import timedelta
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.services.notifications.resending import Resend, send_again
from clarion.services.notifications.restoring import (
    Name,
    count_waiting,
    forget_senders,
    names_in,
    settle_sent,
    settle_unknown,
)
from tests.services.notifications.conftest import House, batch, official

WHY = "restored from a dump"


async def names(house: House, *officials: str) -> list[str]:
    """The lines of a relay's log about the mail to these."""
    rows = await house.rows("SELECT thread_id, revision FROM ledger WHERE officials && $1", list(officials))
    return [f"4F: message-id=<{row['thread_id'].hex}.{row['revision']}@clarion.example>" for row in rows]


async def stories(house: House) -> dict[str, list[str]]:
    """The states that each message went through."""
    rows = await house.rows("SELECT officials[1] AS official, (moves[place]).state FROM ledger,"
                            " generate_subscripts(moves, 1) AS place ORDER BY officials, place")  # fmt: skip
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(row["official"], []).append(row["state"])
    return told


async def in_doubt(house: House, official_id: str) -> None:
    """As a mail whose sender died in the middle."""
    await house.execute(
        "UPDATE ledger SET state = 'uncertain', doubts = 1, moves = moves || ARRAY[ROW('claimed', now(), NULL)::move,"
        " ROW('sending', now(), NULL)::move, ROW('uncertain', now(), NULL)::move] WHERE officials = ARRAY[$1]",
        official_id,
    )


def test_message_ids_are_found_in_any_text() -> None:
    thread = "0f8fad5bd9cb469fa165408f17a1a2b3"
    lines = [
        f"Apr 2 cleanup[7]: message-id=<{thread}.2@clarion.example>",
        f'{{"id": "<{thread}.3.1@clarion.example>"}} <{thread}.4@x>',
        "message-id=<20270402.1@elsewhere.example>, deadbeef.1@x",
    ]
    assert [(one.thread.hex, one.revision, one.resend) for one in names_in(lines)] == [
        (thread, 2, 0),
        (thread, 3, 1),
        (thread, 4, 0),
    ]


async def test_what_a_log_names_is_sent_and_the_rest_is_unknown_to_whoever_asked(house: House) -> None:
    await house.call(range(4))
    await in_doubt(house, "o2")
    log = names_in(await names(house, "o0", "o2"))
    assert await settle_sent(house.database, log, system_clock()) == 2
    assert await settle_unknown(house.database, system_clock(), WHY) == {"campaign:c1": 2}
    assert await stories(house) == {
        "o0": ["queued", "claimed", "sending", "sent"],
        "o1": ["queued", "claimed", "unknown"],
        "o2": ["queued", "claimed", "sending", "uncertain", "sent"],
        "o3": ["queued", "claimed", "unknown"],
    }
    told = {one["officials"][0]: (one["state"], one["reason"]) for one in await house.delivered()}
    assert told == {"o0": ("sent", None), "o1": ("unknown", WHY), "o2": ("sent", None), "o3": ("unknown", WHY)}
    assert await settle_unknown(house.database, system_clock(), WHY) == {}
    async with house.sending():
        pass
    assert await house.states() == {"sent": 2, "unknown": 2}


async def test_a_log_of_the_first_mail_says_nothing_of_one_that_was_sent_again(house: House) -> None:
    await house.call([0])
    await house.execute("UPDATE ledger SET resend = 1")
    log = [*names_in(await names(house, "o0"))]
    assert await settle_sent(house.database, log, system_clock()) == 0
    again = [Name(one.thread, one.revision, 1) for one in log]
    assert await settle_sent(house.database, again, system_clock()) == 1


async def test_only_what_came_since_is_doubted_where_the_rest_is_to_be_sent(house: House, until: Any) -> None:
    await house.call([0], matter="campaign:c1")
    began_at = system_clock()
    await house.know(official(1))
    await house.ask(batch([1], matter="campaign:c2"), at=began_at + timedelta(seconds=1))
    assert await settle_unknown(house.database, system_clock(), WHY, since=began_at) == {"campaign:c2": 1}
    assert await count_waiting(house.database) == {"campaign:c1": 1}
    async with house.sending():

        async def sent() -> bool:
            return await house.states() == {"sent": 1, "unknown": 1}

        await until(sent)


@pytest.mark.parametrize("revision", [1, 2])
async def test_staff_may_send_it_and_a_change_is_told_to_all(house: House, until: Any, revision: int) -> None:
    await house.call([0])
    await settle_unknown(house.database, system_clock(), WHY)
    if revision == 1:
        async with house.database.transaction() as tx:
            assert await send_again(tx, Resend("campaign:c1", in_doubt=True), "staff", system_clock()) == {"unknown": 1}
    else:
        facts = [{"key": "when", "label": "When", "text": "Thursday 9:30"}]
        await house.ask(batch([0], revision=2, facts=facts))
    async with house.sending():

        async def sent() -> bool:
            return (await house.states()).get("sent") == 1

        await until(sent)


async def test_senders_of_the_dump_are_forgotten(house: House) -> None:
    await house.call([0])
    await house.execute(
        "INSERT INTO workers (id, lease_until, held, held_revisions, held_claims)"
        " SELECT gen_random_uuid(), now() + interval '1 hour', ARRAY[thread_id], ARRAY[1], ARRAY[1] FROM ledger"
    )
    async with house.database.transaction() as tx:
        await forget_senders(tx)
    assert await house.rows("SELECT FROM workers") == []
    assert await settle_unknown(house.database, system_clock(), WHY) == {"campaign:c1": 1}
