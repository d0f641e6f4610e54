"""Each mail has the wording that was in force when it was asked for; none is lost by what staff wrote."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.services.notifications.domain.messages import thread_of
from clarion.services.notifications.reports import find_story
from clarion.services.notifications.repository import queries
from clarion.services.notifications.wordings import operations
from clarion.services.notifications.wordings.faults import Faulty
from clarion.services.notifications.wordings.limits import TOO_LONG
from clarion.services.notifications.wordings.operations import NoSuchWording, Outdated, Reader, Saved, start
from clarion.services.notifications.wordings.samples import samples
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.mails import RenderedMail, read_mail
from tests.services.notifications.conftest import CONTENT, House, batch, mailbox_of, official, recipient

pytestmark = pytest.mark.usefixtures("tried_here")

ADA = Actor("command", "ada", "ada", "terminal")
SETTINGS = Settings(mail_from="Clarion <calls@clarion.example>", public_url="https://clarion.example")


def worded(word: str, subject: str = "{{ subject }}") -> Draft:
    """A wording for calls that can be told by a word in it."""
    return Draft("call", subject, f"{start('call').body}\n\nWORDED {word}\n")


async def save(house: House, draft: Draft, **changes: Any) -> Saved:
    return await operations.save(house.database, SETTINGS, ADA, draft, **changes)


async def mails(house: House, mail_catcher: Any, until: Any, count: int) -> list[RenderedMail]:
    """All mails that were sent, oldest first, once there are so many."""
    async with house.sending():
        await until(lambda: mail_catcher.store.count() >= count)
        await until(lambda: idle(house))
    found = sorted(mail_catcher.store.list(), key=lambda one: one.id)
    return [read_mail(mail_catcher.store.get(one.id).content) for one in found]


async def idle(house: House) -> bool:
    return not await house.rows("SELECT 1 FROM messages WHERE state IN ('queued', 'claimed', 'sending', 'deferred')")


async def acts(house: House) -> list[str]:
    return [row["act"] for row in await house.rows("SELECT act FROM clarion.audit ORDER BY id")]


async def test_a_mail_has_the_wording_that_was_in_force_when_it_was_asked_for(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call([1], matter="campaign:before")
    assert await save(house, worded("one")) == Saved(1, new=True)
    await house.call([2], matter="campaign:first")
    assert await save(house, worded("two")) == Saved(2, new=True)
    await house.call([3], matter="campaign:second")
    texts = {mail.text.split(",")[0].split()[-1]: mail.text for mail in await mails(house, mail_catcher, until, 3)}
    said = {name: [word for word in ("one", "two") if f"WORDED {word}" in text] for name, text in texts.items()}
    assert said == {"Nr1": [], "Nr2": ["one"], "Nr3": ["two"]}


async def test_asked_for_again_a_mail_keeps_its_wording(house: House, mail_catcher: Any, until: Any) -> None:
    await save(house, worded("one"))
    await house.call([1])
    await save(house, worded("two"))
    await house.ask(batch([1]))
    (mail,) = await mails(house, mail_catcher, until, 1)
    assert "WORDED one" in mail.text


async def test_of_each_mail_it_is_known_in_which_version_it_was(house: House) -> None:
    await house.call([1], matter="campaign:before")
    await save(house, worded("one"))
    await save(house, Draft("over", "{{ subject }}", f"{start('over').body}\n\nWORDED over\n"))
    await house.call([2], matter="campaign:after")
    await house.pretend("claimed", "sending", "sent")
    cancelled = [{"key": "status", "label": "Status", "text": "Cancelled"}]
    await save(house, worded("two"))
    await house.ask(batch([2], matter="campaign:after", revision=2, facts=cancelled))
    async with house.database.connection() as connection:
        before = await find_story(connection, thread_of("campaign:before", mailbox_of(1)), 1)
        after = await find_story(connection, thread_of("campaign:after", mailbox_of(2)), 1)
        ended = await find_story(connection, thread_of("campaign:after", mailbox_of(2)), 2)
    said = [story["wording"] for story in (before, after, ended) if story is not None]
    assert said == ["the project's own", "version 1 of call", "version 1 of over"]


async def test_going_back_is_a_new_version_with_the_words_of_the_old_one(house: House) -> None:
    await save(house, worded("one"), note="first try")
    await save(house, worded("two"))
    assert await operations.restore(house.database, SETTINGS, ADA, "call", 1) == Saved(3, new=True)
    assert await operations.find_draft(house.database, "call", None) == await operations.find_draft(
        house.database, "call", 1
    )
    assert await operations.restore(house.database, SETTINGS, ADA, "call", 0) == Saved(4, new=True)
    assert await operations.find_draft(house.database, "call", None) is None
    async with house.database.connection() as connection:
        kept = await operations.versions(connection, "call")
    assert [(one["version"], one["restores"], one["note"], one["made_by"]) for one in kept] == [
        (4, 0, "", "ada"),
        (3, 1, "", "ada"),
        (2, None, "", "ada"),
        (1, None, "first try", "ada"),
    ]
    assert await acts(house) == ["wording.saved", "wording.saved", "wording.restored", "wording.restored"]


async def test_the_projects_own_wording_again_is_the_mail_of_the_project(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await save(house, worded("one"))
    await operations.restore(house.database, SETTINGS, ADA, "call", 0)
    await house.call([1])
    (mail,) = await mails(house, mail_catcher, until, 1)
    assert "WORDED" not in mail.text


async def test_the_same_words_again_are_no_new_version(house: House) -> None:
    assert await save(house, worded("one")) == Saved(1, new=True)
    assert await save(house, worded("one")) == Saved(1, new=False)
    assert await operations.restore(house.database, SETTINGS, ADA, "call", 1) == Saved(1, new=False)


async def test_who_saves_over_a_version_that_they_have_not_seen_is_told(house: House) -> None:
    await save(house, worded("one"), base=0)
    with pytest.raises(Outdated, match="ada saved version 1 at"):
        await save(house, worded("two"), base=0)
    assert await save(house, worded("two"), base=1) == Saved(2, new=True)


async def test_of_two_who_save_at_once_the_second_is_told(house: House, until: Any) -> None:
    async def second() -> Saved:
        async with house.database.transaction() as tx:
            return await operations.put(tx, ADA, "call", worded("two"), note="", base=0)

    async with house.database.transaction() as tx:
        await operations.put(tx, ADA, "call", worded("one"), note="", base=0)
        late = asyncio.create_task(second())
        await until(lambda: waits(house))
    with pytest.raises(Outdated, match="ada saved version 1 at"):
        await late


async def waits(house: House) -> bool:
    return bool(await house.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))


async def test_what_code_asks_for_that_knows_no_wordings_is_told_in_the_projects(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await save(house, worded("one"))
    await house.call([1])
    await house.execute("UPDATE contents SET edition = DEFAULT")
    (mail,) = await mails(house, mail_catcher, until, 1)
    assert "WORDED" not in mail.text


async def test_what_cannot_be_used_is_not_saved(house: House) -> None:
    with pytest.raises(Faulty, match=r"unknown placeholder \{\{ frist_name \}\}"):
        await save(house, worded("{{ frist_name }}"))
    with pytest.raises(NoSuchWording, match="there are call, over"):
        await save(house, Draft("sign-in", "x", "y"))
    assert await house.rows("SELECT 1 FROM wordings") == []
    assert await acts(house) == []


async def test_a_wording_that_makes_too_long_a_mail_is_refused_with_the_mail_of_which_it_does(house: House) -> None:
    long = worded("{% for bill in bills %}{% for other in bills %}{{ other.why }}\n\n{% endfor %}{% endfor %}")
    with pytest.raises(Faulty, match=r"with 30 bills: it would have more than 40,000 characters"):
        await save(house, long)
    wordy = worded("word " * 3_400)
    with pytest.raises(Faulty, match="longer than it may be"):
        await save(house, wordy)


async def test_a_mail_that_a_wording_cannot_be_used_for_goes_out_in_the_projects(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await save(house, worded("one"))
    bills = [
        {**CONTENT["bills"][0], "bill": f"SB {number}", "points": "- a point\n" * 400, "letter": None}
        for number in range(90)
    ]
    await house.execute("UPDATE wordings SET body = body || $1", "{% for b in bills %}{{ b.nothing }}{% endfor %}")
    await house.call([1, 2], content={**CONTENT, "bills": bills})
    found = await mails(house, mail_catcher, until, 2)
    assert ["WORDED" in mail.text for mail in found] == [False, False]
    (noted,) = await house.rows("SELECT template, edition, reason FROM wording_fallbacks")
    assert (noted["template"], "unknown placeholder" in noted["reason"]) == ("call", True)
    async with house.database.connection() as connection:
        (version,) = await operations.versions(connection, "call")
        story = await find_story(connection, thread_of("campaign:c1", mailbox_of(1)), 1)
    assert story is not None
    assert story["wording"].startswith("the project's own: version 1 of call could not be used, unknown placeholder")
    assert version["fallbacks"] == 1
    assert "unknown placeholder" in version["fallback_reason"]


async def test_a_mail_that_would_be_too_long_only_with_what_is_sent_goes_out_in_the_projects(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await save(house, worded("word " * 2_500))
    reasons = [{"kind": "committee", "text": f"{number} " + "a reason " * 40} for number in range(40)]
    hostile = samples("call")["markup in every text"]
    asks = [ask.model_dump() for ask in hostile.recipients[0].asks]
    asked = [recipient(1, reasons=reasons, asks=asks)]
    await house.call([1], content=hostile.content, reply_to=hostile.reply_to, recipients=asked)
    await house.call([2], matter="campaign:short")
    found = await mails(house, mail_catcher, until, 2)
    assert sorted("WORDED" in mail.text for mail in found) == [False, True]
    assert all(mail.bytes_ < 40_000 for mail in found)
    (noted,) = await house.rows("SELECT reason FROM wording_fallbacks")
    assert noted["reason"] == TOO_LONG


async def test_a_change_is_said_in_the_subject_whatever_the_wording_has_there(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await save(house, worded("one", "Your city's letter"))
    await house.call([1])
    moved = "Thursday, April 22, 2027, 9:30 am PDT"
    first = await mails(house, mail_catcher, until, 1)
    facts = [{"key": "when", "label": "When", "text": moved}]
    await house.ask(batch([1], revision=2, content={**CONTENT, "when": moved}, facts=facts))
    second = (await mails(house, mail_catcher, until, 2))[1]
    assert first[0].subject == "Your city's letter"
    assert second.subject.startswith("Moved: ")
    assert "WORDED one" in second.text


async def test_what_ends_a_call_is_told_in_the_wording_of_what_ends_calls(
    house: House, mail_catcher: Any, until: Any
) -> None:
    over = start("over")
    await save(house, Draft("over", "{{ subject }}", f"{over.body}\n\nWORDED over\n"))
    await house.call([1])
    await mails(house, mail_catcher, until, 1)
    cancelled = [{"key": "status", "label": "Status", "text": "Cancelled"}]
    await house.ask(batch([1], revision=2, facts=cancelled))
    found = await mails(house, mail_catcher, until, 2)
    assert [("WORDED over" in mail.text) for mail in found] == [False, True]


async def test_a_trial_goes_to_one_of_staff_alone_and_puts_nothing_in_force(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    asked = samples("call")["sample"]
    async with house.database.transaction() as tx:
        name = await operations.send_trial(tx, ADA, worded("trial"), asked, Reader("Ada", "ada@staff.example"))
    await house.call([1])
    found = await mails(house, mail_catcher, until, 2)
    assert sorted((mail.subject.startswith("Test: "), "WORDED trial" in mail.text) for mail in found) == [
        (False, False),
        (True, True),
    ]
    recipients = sorted(one.recipients for one in mail_catcher.store.list())
    assert recipients == [("ada@staff.example",), ("o1@city.example",)]
    (row,) = await house.rows("SELECT thread_id, revision FROM ledger WHERE matter LIKE 'wording:%'")
    assert name == f"{row['thread_id'].hex}.{row['revision']}"
    assert await operations.find_draft(house.database, "call", None) is None
    assert await acts(house) == ["wording.tried"]


@pytest.mark.parametrize("template", ["call", "over", "registration", "notice"])
async def test_each_template_can_be_tried_out(house: House, mail_catcher: Any, until: Any, template: str) -> None:
    draft = start(template)
    await operations.check(draft, SETTINGS, system_clock())
    async with house.database.transaction() as tx:
        await operations.send_trial(tx, ADA, draft, samples(template)["sample"], Reader("Ada", "ada@staff.example"))
    (mail,) = await mails(house, mail_catcher, until, 1)
    assert mail.subject.startswith("Test: ")


async def test_a_trials_wording_goes_with_its_mail(house: House) -> None:
    async with house.database.transaction() as tx:
        await operations.send_trial(tx, ADA, worded("x"), samples("call")["sample"], Reader("Ada", "a@staff.example"))
    later = system_clock() + timedelta(days=1)
    async with house.database.connection() as connection:
        assert await queries.purge_tried(connection, before=later, at_most=10) == 0
        await connection.execute("DELETE FROM contents")
        assert await queries.purge_tried(connection, before=later, at_most=10) == 1
