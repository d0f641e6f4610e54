"""Mail to the bounce address over real SMTP and LMTP: kept before it is answered, or not taken."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import aiosmtplib
import pytest
import uvloop

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, mailbox_key
from clarion.runtime.database.pool import connect_login
from clarion.runtime.settings import Settings
from clarion.runtime.web.links import SignedLinks
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications import app
from clarion.services.notifications.bounces import operations
from clarion.services.notifications.bounces import server as server_module
from clarion.services.notifications.bounces.server import (
    LINE_OCTETS,
    MAIL_OCTETS,
    Allowance,
    BounceServer,
    Listener,
    read_listeners,
)
from clarion.services.notifications.bounces.worker import ReturnsWorker
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.sender import Sender
from tests.services.notifications.came_back import PATH, arf, dsn, plain, recipient_fields, told
from tests.services.notifications.conftest import SECRET, House, batch, official, recipient
from tests.services.notifications.test_rendering import message

HARD = dsn(recipient_fields())
SENT = PATH.of(UUID(int=7), 1)
LISTENERS = [Listener("smtp", "127.0.0.1", 0), Listener("lmtp", "127.0.0.1", 0)]


@dataclass
class Door:
    """A bounce server that runs, and how to come to it."""

    server: BounceServer
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def give(self, content: bytes, *to: str, sender: str = "") -> tuple[int, str]:
        """Hand a mail over by SMTP, as a mail server does."""
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.server.ports["smtp"], start_tls=False, timeout=20)
        async with client:
            await client.mail(sender)
            for one in to:
                try:
                    await client.rcpt(one)
                except aiosmtplib.SMTPRecipientRefused as refusal:
                    return refusal.code, refusal.message
            try:
                answer = await client.data(content)
            except aiosmtplib.SMTPDataError as refusal:
                return refusal.code, refusal.message
            return answer.code, answer.message


@contextlib.asynccontextmanager
async def opened(house: House, until: Any, **changes: Any) -> AsyncIterator[Door]:
    server = BounceServer(house.database, PATH, LISTENERS, system_clock)
    for name, value in changes.items():
        setattr(server, name, value)
    stopping = asyncio.Event()
    running = asyncio.create_task(server.run(stopping))
    try:
        await until(lambda: len(server.ports) == 2)
        yield Door(server)
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await running


@pytest.fixture
async def door(house: House, until: Any) -> AsyncIterator[Door]:
    async with opened(house, until) as found:
        yield found


async def kept(house: House) -> list[tuple[Any, Any]]:
    return [tuple(row) for row in await house.rows("SELECT thread_id, revision FROM returns ORDER BY id")]


async def test_a_mail_goes_out_under_its_own_envelope_sender_and_what_comes_back_there_bounces_it(
    house: House, door: Door, mail_catcher: Any, until: Any
) -> None:
    async with house.database.connection() as connection:
        key = await mailbox_key(connection)
    mayor = official(1, mailbox=mailbox("o1@city.example", key))
    await house.know(mayor)
    await house.ask(batch([1], recipients=[recipient(1, mailbox=mayor.mailbox)]))
    house.renderer = Renderer(
        SignedLinks([SECRET]),
        mail_from="Calls <calls@league.example>",
        public_url="https://league.example",
        postal_address=None,
        return_path=PATH,
    )
    async with house.sending():
        await until(lambda: mail_catcher.store.count() == 1)
    (mail,) = mail_catcher.store.list(limit=5)
    named = PATH.read(mail.sender)
    (row,) = await house.rows()
    assert named is not None
    assert (named.thread_id, named.revision) == (row["thread_id"], 1)
    worker, stopping = ReturnsWorker(house.database, PATH, system_clock), asyncio.Event()
    working = asyncio.create_task(worker.run(stopping))
    assert await door.give(HARD, mail.sender.upper()) == (250, "2.6.0 it is kept")

    async def bounced() -> bool:
        return await house.states() == {"bounced": 1}

    await until(bounced)
    await until(lambda: worker.counted == {("mail", "hard"): 1})
    stopping.set()
    await working


async def test_only_addresses_that_we_made_are_taken(house: House, door: Door) -> None:
    forged = SENT.replace(PATH.read(SENT).thread_id.hex, UUID(int=8).hex)  # type: ignore[union-attr]
    for address, code, why in [
        (forged, 550, "forged"),
        ("bounces+x@mail.league.example", 550, "forged"),
        ("o1@mail.league.example", 550, "not-ours"),
        (SENT.replace("mail.league", "elsewhere"), 550, "not-ours"),
    ]:
        before = door.server.refused[why]
        assert (await door.give(HARD, address))[0] == code
        assert door.server.refused[why] == before + 1
    assert await kept(house) == []
    assert (await door.give(HARD, SENT))[0] == 250
    assert (await door.give(plain("Hello?"), "Bounces@MAIL.league.example", sender="o1@city.example"))[0] == 250
    assert await kept(house) == [(UUID(int=7), 1), (None, None)]


async def test_the_same_mail_again_is_kept_once_and_one_for_several_is_kept_for_each(house: House, door: Door) -> None:
    other = PATH.of(UUID(int=9), 2)
    for _ in range(2):
        assert (await door.give(HARD, SENT, other, SENT.upper()))[0] == 250
    assert await kept(house) == [(UUID(int=7), 1), (UUID(int=9), 2)]


async def lmtp(port: int, *lines: bytes) -> list[bytes]:
    """Say this and read until the other side is done."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\r\n".join([*lines, b"QUIT", b""]))
    await writer.drain()
    heard = await reader.read()
    writer.close()
    await writer.wait_closed()
    return heard.splitlines()


async def test_lmtp_answers_for_each_recipient(house: House, door: Door) -> None:
    to = [f"RCPT TO:<{one}>".encode() for one in (SENT, "nobody@x.example", PATH.of(UUID(int=9), 2))]
    heard = await lmtp(
        door.server.ports["lmtp"], b"LHLO mx.example", b"MAIL FROM:<>", *to, b"DATA", *HARD.splitlines(), b"."
    )
    codes = [line[:4] for line in heard if line[3:4] == b" "]
    assert codes == [b"220 ", b"250 ", b"250 ", b"250 ", b"550 ", b"250 ", b"354 ", b"250 ", b"250 ", b"221 "]
    assert len(await kept(house)) == 2
    assert b"500" in (await lmtp(door.server.ports["lmtp"], b"EHLO mx.example"))[1]


async def test_while_the_database_is_away_mail_is_to_come_again(
    house: House, door: Door, postgres_url: str, until: Any
) -> None:
    name = house.database.url.rpartition("/")[2].partition("?")[0]
    keeper = await connect_login(postgres_url)
    try:
        await keeper.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await keeper.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        code, said = await door.give(HARD, SENT)
        assert (code, "come again" in said) == (451, True)
        assert (await door.give(HARD, "nobody@mail.league.example"))[0] == 550
        await keeper.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    finally:
        await keeper.close()

    async def taken() -> bool:
        return (await door.give(HARD, SENT))[0] == 250

    await until(taken)
    assert await kept(house) == [(UUID(int=7), 1)]
    assert door.server.refused["away"] >= 1


async def test_what_is_too_large_or_too_much_is_not_taken(house: House, until: Any) -> None:
    async with opened(house, until, allowance=Allowance(0, 2)) as door:
        lines = b"Subject: x\r\n\r\n" + (b"y" * 998 + b"\r\n") * (MAIL_OCTETS // 1_000 + 1)
        assert (await door.give(lines, SENT))[0] == 552
        assert (await door.give(b"Subject: x\r\n\r\n" + b"y" * (LINE_OCTETS + 10) + b"\r\n", SENT))[0] == 500
        assert [(await door.give(HARD, SENT))[0] for _ in range(3)] == [250, 250, 451]
        many = [PATH.of(UUID(int=number), 1) for number in range(101)]
        assert (await door.give(HARD, *many))[0] == 452


async def test_too_many_connections_are_sent_away_and_all_end_with_the_server(
    house: House, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS", 2)
    async with opened(house, until) as door:
        ways = [await asyncio.open_connection("127.0.0.1", door.server.ports["smtp"]) for _ in range(2)]
        for reader, _ in ways:
            assert (await reader.readline()).startswith(b"220")
        reader, writer = await asyncio.open_connection("127.0.0.1", door.server.ports["smtp"])
        assert (await reader.readline()).startswith(b"421")
        writer.close()
    for reader, writer in ways:
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


def test_it_limits_and_ends_connections_on_the_loop_of_services_too(
    keeping_nothing: BounceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS", 1)

    async def come_and_go() -> tuple[bytes, bytes, bytes]:
        stopping = asyncio.Event()
        running = asyncio.create_task(keeping_nothing.run(stopping))
        async with asyncio.timeout(10):
            while len(keeping_nothing.ports) < 2:
                await asyncio.sleep(0.01)
            first, one = await asyncio.open_connection("127.0.0.1", keeping_nothing.ports["smtp"])
            greeting = await first.readline()
            second, other = await asyncio.open_connection("127.0.0.1", keeping_nothing.ports["smtp"])
            refusal = await second.readline()
            stopping.set()
            await running
            try:
                rest = await first.read()
            except ConnectionError:
                rest = b""
            for writer in (one, other):
                writer.close()
        return greeting, refusal, rest

    greeting, refusal, rest = uvloop.run(come_and_go())
    assert (greeting[:3], refusal[:3], rest) == (b"220", b"421", b"")


@pytest.fixture
def keeping_nothing() -> BounceServer:
    """One that keeps nothing."""
    return BounceServer(cast("Database", None), PATH, LISTENERS, system_clock)


def test_so_many_at_once_and_so_many_a_second_after() -> None:
    allowance = Allowance(2.0, 3)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(0.5), allowance.take(0.5), allowance.take(100.0)] == [True, False, True]
    assert [allowance.take(100.0) for _ in range(3)] == [True, True, False]


def test_listeners_are_on_this_machine_unless_another_address_is_named() -> None:
    assert read_listeners("smtp://:2525 lmtp://[::1]:24") == [
        Listener("smtp", "127.0.0.1", 2525),
        Listener("lmtp", "::1", 24),
    ]
    assert read_listeners("off") == []
    for wrong in ("127.0.0.1:25", "smtp://x", "http://x:1", "smtp://:70000", "smtp://a b:1"):
        with pytest.raises(ValueError, match="CLARION_BOUNCE_LISTEN"):
            read_listeners(wrong)


async def test_one_that_cannot_be_handled_is_put_aside_in_the_end_and_the_others_go_on(house: House) -> None:
    worker = ReturnsWorker(house.database, PATH, system_clock)
    await house.execute(
        "INSERT INTO returns (way, digest, content, received_at, due_at, tries)"
        " VALUES ('ses', 'a', '{}', now(), now() - interval '1 minute', 10), ('mail', 'b', '', now(), now(), 0)"
    )
    while await worker.handle_one():
        pass
    rows = await house.rows("SELECT kind, said, content IS NOT NULL AS readable FROM returns ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("unclear", "it could not be handled: Malformed", True),
        ("unclear", "it is no report and no automatic reply", True),
    ]


async def test_the_service_takes_bounces_once_there_is_a_bounce_address(settings: Settings) -> None:
    more = {"smtp_url": "smtp://127.0.0.1:9", "public_url": "https://x.example", "secret_key": (SECRET,)}
    given = settings.model_copy(update=more | {"mail_from": "calls@x.example"})
    for bounce_address, listen, doors in [
        (None, "smtp://:0", 0),
        ("bounces@x.example", "smtp://:0 lmtp://:0", 1),
        ("bounces@x.example", "off", 0),
    ]:
        changes = {"bounce_address": bounce_address, "bounce_listen": listen}
        service = await app.build(given.model_copy(update=changes))
        try:
            names = [worker.name for worker in service.workers]
            assert (names.count("bounces"), names.count("returns")) == (doors, 1)
            (sender,) = [worker for worker in service.workers if isinstance(worker, Sender)]
            claimed = message(thread_id=UUID(int=7))
            made = sender.renderer.envelope_sender(claimed)
            assert made.startswith("bounces+" if bounce_address else "calls@")
        finally:
            await service.close()


async def test_several_workers_handle_each_report_once_whatever_comes_twice(
    house: House, key: bytes, until: Any
) -> None:
    await told(house, key, *range(1, 21))
    rows = await house.rows("SELECT thread_id, officials FROM ledger")
    mails = {row["officials"][0]: PATH.of(row["thread_id"], 1) for row in rows}
    async with house.database.transaction() as tx:
        for official_id, sender in mails.items():
            report = dsn(recipient_fields(final=f"{official_id}@city.example"))
            for content in (report, arf("abuse"), b"X-Again: yes\r\n" + report):
                await operations.keep(tx, "mail", content, system_clock(), about=PATH.read(sender))
    workers = [ReturnsWorker(house.database, PATH, system_clock) for _ in range(3)]
    stopping = asyncio.Event()
    working = [asyncio.create_task(worker.run(stopping)) for worker in workers]

    async def all_handled() -> bool:
        return await house.rows("SELECT FROM returns WHERE due_at IS NOT NULL") == []

    await until(all_handled)
    stopping.set()
    await asyncio.gather(*working)
    assert await house.states() == {"bounced": 20}
    assert len(await house.rows("SELECT FROM suppressions")) == len(await house.rows("SELECT FROM unsubscribed")) == 20
    assert len(await house.delivered()) == 20
    counted = sum((worker.counted for worker in workers), Counter[tuple[str, str]]())
    assert counted == {("mail", "hard"): 20, ("mail", "complaint"): 20}
