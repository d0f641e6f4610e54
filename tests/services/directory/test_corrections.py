"""Corrections: what counts at once, what waits, taking it back, and what an import does to them."""

import pytest
import pytest_asyncio

from clarion.runtime.database import mailbox_key
from clarion.runtime.staff.audit import Actor
from clarion.schemas.mailboxes import mailbox
from clarion.services.directory import corrections
from clarion.services.directory.corrections import Settled, UnknownOfficial
from clarion.services.directory.domain.corrections import Unfit, Wish
from tests.services.directory.site import bring, directory_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
STAFF = Actor("staff", "s-1", "Sam Sample", "192.0.2.7")
PERSON = Actor("person", "box", "the link in a mail", "192.0.2.8")
HEADER = "id,name,city,roles,email,testifies,elected\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url):
    async with directory_of(postgres_url) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def official(directory, request):
    """One of this test's own, and the line that states them."""
    key = f"c-{abs(hash(request.node.name))}"
    line = f"{key},Jo Before,Napa,mayor,{key}@napa.ca.example,no,yes\n"
    await bring(directory, "officials", HEADER + line)
    return key, line


async def known(directory, key):
    async with directory.connection() as connection:
        return await corrections.find_official(connection, key)


async def published(directory, key):
    async with directory.connection() as connection:
        rows = await connection.fetch(
            "SELECT body FROM outbox WHERE convert_from(key, 'UTF8') = $1 ORDER BY id", f"official:{key}"
        )
    return [bytes(row["body"]).decode() for row in rows]


async def say(directory, key, wish, value="", actor=STAFF, **by):
    async with directory.transaction() as tx:
        return await corrections.correct(tx, key, wish, value, actor, **by)


async def settle(directory, how, said, actor=STAFF):
    async with directory.transaction() as tx:
        return await how(tx, said.id, actor)


async def test_who_left_gets_nothing_from_the_commit_on_and_is_back_when_it_is_undone(directory, official):
    key, _ = official
    said = await say(directory, key, Wish.LEFT)
    assert not (await known(directory, key))["active"]
    assert '"active":false' in (await published(directory, key))[-1].replace(" ", "")
    await settle(directory, corrections.undo, said)
    assert (await known(directory, key))["active"]
    assert '"active":true' in (await published(directory, key))[-1].replace(" ", "")
    with pytest.raises(Settled):
        await settle(directory, corrections.undo, said)


async def test_what_left_holds_against_the_same_line_and_ends_with_another(directory, official):
    key, line = official
    await say(directory, key, Wish.LEFT)
    same = await bring(directory, "officials", HEADER + line)
    assert (same.held, same.unchanged, same.changed) == (1, 1, 0)
    assert not (await known(directory, key))["active"]
    other = await bring(directory, "officials", HEADER + line.replace("mayor", "city clerk"))
    assert (other.held, other.changed) == (0, 1)
    assert (await known(directory, key))["active"]
    async with directory.connection() as connection:
        listed = await corrections.list_corrections(connection, official=key)
    assert [one["holds"] for one in listed] == [False]


async def test_a_corrected_name_holds_while_another_field_of_the_line_changes(directory, official):
    key, line = official
    await say(directory, key, Wish.NAME, "Jo After")
    await bring(directory, "officials", HEADER + line.replace("mayor", "city clerk"))
    entry = await known(directory, key)
    assert (entry["name"], entry["roles"]) == ("Jo After", ["city clerk"])
    await bring(directory, "officials", HEADER + line.replace("Jo Before", "Jo Newest"))
    assert (await known(directory, key))["name"] == "Jo Newest"


async def test_what_an_import_ended_cannot_be_undone(directory, official):
    key, line = official
    said = await say(directory, key, Wish.NAME, "Jo After")
    await bring(directory, "officials", HEADER + line.replace("Jo Before", "Jo Newest"))
    with pytest.raises(Settled, match="newer"):
        await settle(directory, corrections.undo, said)


async def test_of_two_corrections_undoing_the_newer_brings_back_the_older(directory, official):
    key, _ = official
    await say(directory, key, Wish.ADDRESS, "first@napa.ca.example")
    second = await say(directory, key, Wish.ADDRESS, "second@napa.ca.example")
    await settle(directory, corrections.undo, second)
    entry = await known(directory, key)
    async with directory.connection() as connection:
        assert entry["mailbox"] == mailbox("first@napa.ca.example", await mailbox_key(connection))
        listed = await corrections.list_corrections(connection, official=key)
    assert entry["email"] == "first@napa.ca.example"
    assert [(one["state"], one["holds"]) for one in listed] == [("undone", False), ("in-force", True)]


async def test_a_name_by_a_link_waits_for_staff(directory, official):
    key, _ = official
    box = (await known(directory, key))["mailbox"]
    said = await say(directory, key, Wish.NAME, "Jo Renamed", PERSON, mailbox=box)
    assert (await known(directory, key))["name"] == "Jo Before"
    await settle(directory, corrections.accept, said)
    assert (await known(directory, key))["name"] == "Jo Renamed"


@pytest.mark.parametrize(
    ("new", "at_once"), [("jo.new@NAPA.ca.example", True), ("jo@stranger.example", False), ("jo@ca.example", False)]
)
async def test_a_new_address_by_a_link_counts_once_confirmed_if_it_is_in_the_same_domain(
    directory, official, new, at_once
):
    key, _ = official
    old = await known(directory, key)
    said = await say(directory, key, Wish.ADDRESS, new, PERSON, mailbox=old["mailbox"])
    assert (await known(directory, key))["mailbox"] == old["mailbox"]
    await settle(directory, corrections.confirm, said, PERSON)
    assert ((await known(directory, key))["mailbox"] != old["mailbox"]) is at_once
    if not at_once:
        await settle(directory, corrections.accept, said)
        assert (await known(directory, key))["mailbox"] != old["mailbox"]


async def test_a_confirmation_that_comes_late_does_not_undo_what_staff_said_meanwhile(directory, official):
    key, _ = official
    old = await known(directory, key)
    said = await say(directory, key, Wish.ADDRESS, "late@napa.ca.example", PERSON, mailbox=old["mailbox"])
    await say(directory, key, Wish.ADDRESS, "right@napa.ca.example")
    with pytest.raises(Settled, match="another address since"):
        await settle(directory, corrections.confirm, said, PERSON)
    assert (await known(directory, key))["email"] == "right@napa.ca.example"


async def test_what_was_refused_changes_nothing_and_stays_refused(directory, official):
    key, _ = official
    box = (await known(directory, key))["mailbox"]
    said = await say(directory, key, Wish.NAME, "Jo Wrong", PERSON, mailbox=box)
    await settle(directory, corrections.refuse, said)
    assert (await known(directory, key))["name"] == "Jo Before"
    for how in (corrections.accept, corrections.undo, corrections.confirm):
        with pytest.raises(Settled):
            await settle(directory, how, said)


async def test_a_link_speaks_only_for_the_people_of_its_mailbox(directory, official):
    key, _ = official
    with pytest.raises(UnknownOfficial):
        await say(directory, key, Wish.LEFT, actor=PERSON, mailbox="0" * 32)
    assert (await known(directory, key))["active"]


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        (Wish.NAME, ""),
        (Wish.NAME, "Jo Before"),
        (Wish.NAME, "Jo\nBcc: all@napa.ca.example"),
        (Wish.NAME, "x" * 201),
        (Wish.NAME, "Jo \x00"),
        (Wish.ADDRESS, "nobody"),
        (Wish.ADDRESS, "a@b.example\r\nBcc: x@y.example"),
    ],
)
async def test_what_is_no_name_or_address_is_refused(directory, official, wish, value):
    key, _ = official
    with pytest.raises(Unfit):
        await say(directory, key, wish, value)


async def test_the_record_names_who_whom_and_where_but_no_address(directory, official):
    key, _ = official
    box = (await known(directory, key))["mailbox"]
    await say(directory, key, Wish.ADDRESS, "secret@napa.ca.example")
    async with directory.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM clarion.audit WHERE subject = $1", f"official:{key}")
    assert (row["act"], row["actor_name"], row["divisions"], row["mailbox"]) == (
        "correction.said", "Sam Sample", ["north-bay"], box,
    )  # fmt: skip
    assert "secret" not in str(dict(row))


async def test_erasing_an_official_takes_what_was_said_of_them_along(directory, official):
    key, _ = official
    await say(directory, key, Wish.NAME, "Jo After")
    async with directory.connection() as connection:
        await connection.execute("DELETE FROM entities WHERE kind = 'official' AND id = $1", key)
        assert await corrections.list_corrections(connection, official=key) == []
        assert await connection.fetchval("SELECT count(*) FROM cards WHERE id = $1", key) == 0
