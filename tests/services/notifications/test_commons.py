"""What recipients are told and asked alike stands in the ledger once; whoever reads a message sees no difference."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from clarion.runtime.clock import system_clock
from clarion.runtime.people import Person
from clarion.schemas.messages import Recipient, Withdrawal
from clarion.services.notifications import operations, people
from clarion.services.notifications.domain.commons import kept
from clarion.services.notifications.domain.messages import NOTHING, Claimed, common_of, joined
from clarion.services.notifications.reports import find_story
from clarion.services.notifications.repository import Workers
from tests.services.notifications.conftest import House, batch, mailbox_of, recipient

TOWN = [{"kind": "author", "text": "Senator Y, its author, represents Alder."}]
OWN = [{"kind": "statewide", "text": "You said that you would write."}]
LETTER = [{"kind": "letter", "bill": "SB 79"}]
PHONE = [{"kind": "phone", "bill": "SB 79"}]


async def claimed(house: House) -> dict[str, Claimed]:
    """What a worker has in hand, by the mailbox's first official."""
    worker = uuid4()
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(minutes=1))
        found = await operations.claim(tx, worker, 100, system_clock())
    return {one.recipient.officials[0]: one for one in found}


async def story(house: House, thread_id: UUID) -> dict[str, Any]:
    async with house.database.connection() as connection:
        found = await find_story(connection, thread_id, None)
    assert found is not None
    return found


def person(number: int) -> Person:
    return Person(f"o{number}@city.example", mailbox_of(number), (f"o{number}",), (f"Ada Nr{number}",), alone=True)


async def test_what_several_are_told_is_kept_once_and_each_of_them_is_told_it(house: House) -> None:
    town = [recipient(n, reasons=TOWN, asks=PHONE, told_elsewhere=["when"]) for n in (3, 4)]
    asked = [recipient(1), *town, recipient(2), recipient(5, reasons=OWN, name="Bo"), recipient(6, reasons=[], asks=[])]
    await house.ask(batch([], recipients=asked))
    assert len(await house.rows("SELECT FROM commons")) == 2
    found = await claimed(house)
    for wanted in asked:
        one = found[wanted["officials"][0]]
        assert one.recipient == Recipient.model_validate(wanted)
        seen = await story(house, one.thread_id)
        assert seen["reasons"] == [reason["text"] for reason in wanted["reasons"]]
        assert seen["asks"] == [f"{ask['kind']}: {ask['bill']}" for ask in wanted["asks"]]


async def test_who_comes_again_with_something_else_in_common_has_both(house: House) -> None:
    again = [recipient(n, officials=[f"o{n + 10}"], reasons=TOWN, asks=PHONE) for n in (1, 2)]
    alike = [recipient(n, officials=[f"o{n + 20}"]) for n in (1, 2)]
    await house.ask(batch([1, 2]), batch([], recipients=again), batch([], recipients=alike))
    whole = (await claimed(house))["o1"].recipient
    assert whole.officials == ["o1", "o11", "o21"]
    assert [one.kind for one in whole.reasons] == ["committee", "author"]
    assert [one.kind for one in whole.asks] == ["letter", "phone"]


async def test_whoever_is_told_that_it_ended_keeps_why_they_were_asked(house: House) -> None:
    await house.call([1, 2])
    await house.pretend("claimed", "sending", "sent")
    gone = Withdrawal(matter="campaign:c1", revision=2, mailboxes=[mailbox_of(1)])
    async with house.database.transaction() as tx:
        await operations.withdraw(tx, gone, system_clock())
    (one,) = (await claimed(house)).values()
    assert (one.revision, [reason.kind for reason in one.recipient.reasons]) == (2, ["committee"])


async def test_rows_from_before_have_it_in_their_parts(house: House) -> None:
    await house.call([1, 2])
    await house.execute(
        "UPDATE ledger SET common_id = NULL, parts = jsonb_build_array("
        "(SELECT part FROM commons) || jsonb_build_object('officials', officials))"
    )
    whole = (await claimed(house))["o2"].recipient
    assert (whole.officials, len(whole.reasons), len(whole.asks)) == (["o2"], 1, 1)


async def test_what_is_kept_about_a_person_says_why_they_were_asked(house: House) -> None:
    await house.call([1, 2])
    async with house.database.connection() as connection:
        found = await people.export(connection, person(1))
    assert "sits on the committee" in str(found)


async def erase(house: House, number: int) -> None:
    async with house.database.transaction() as tx:
        await people.erase(tx, person(number), system_clock())


async def test_who_is_erased_has_nothing_in_common_with_anybody_and_the_others_keep_it(house: House) -> None:
    await house.call([1, 2])
    await erase(house, 1)
    (erased,) = await house.rows("SELECT parts, common_id FROM ledger WHERE officials = '{}'")
    assert (erased["parts"], erased["common_id"]) == ([{}], None)
    assert [one.kind for one in (await claimed(house))["o2"].recipient.reasons] == ["committee"]


async def test_what_only_the_erased_one_is_left_to_have_goes_too(house: House) -> None:
    await house.call([1, 2])
    await house.call([1, 2], matter="campaign:c2")
    for table in ("ledger", "threads"):
        await house.execute(f"DELETE FROM {table} WHERE mailbox = $1 AND matter = 'campaign:c1'", mailbox_of(2))
    await erase(house, 1)
    assert [row["matter"] for row in await house.rows("SELECT matter FROM commons")] == ["campaign:c2"]


SAID = st.lists(st.sampled_from(["one", "two", "three"]), max_size=2)
ASKED = st.fixed_dictionaries(
    {
        "name": st.none() | st.just("Ada"),
        "reasons": SAID.map(lambda said: [{"kind": "author", "text": one} for one in said]),
        "asks": SAID.map(lambda said: [{"kind": "letter", "bill": one} for one in said]),
        "told_elsewhere": SAID,
    }
)


@given(asked=st.lists(ASKED, max_size=6))
def test_whatever_is_asked_of_several_each_is_read_as_asked(asked: list[dict[str, Any]]) -> None:
    recipients = [Recipient.model_validate(recipient(number, **one)) for number, one in enumerate(asked)]
    parts, common_ids, shared = kept("campaign:c1", recipients)
    commons = {common_id: common_of(json.loads(part)) for common_id, part in shared.items()}
    read = [
        joined(one.mailbox, one.officials, [part], NOTHING if common_id is None else commons[common_id])
        for one, part, common_id in zip(recipients, json.loads(parts), common_ids, strict=True)
    ]
    assert read == recipients
    assert all(common_ids.count(common_id) > 1 for common_id in shared), "what one alone is told stays with that one"
