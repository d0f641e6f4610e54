"""The mail catcher keeps what it is given, and refuses when it is told to."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from clarion.runtime.embedded import HangUp, MailCatcher, MailStore, PortTaken

NOW = datetime(2027, 4, 21, 20, 30, tzinfo=UTC)
FROM, TO = "calls@league.example", "mayor@city.example"


@pytest.fixture
async def store() -> AsyncIterator[MailStore]:
    kept = MailStore()
    yield kept
    kept.close()


@pytest.fixture
async def catcher(store: MailStore) -> AsyncIterator[MailCatcher]:
    server = MailCatcher(store, clock=lambda: NOW)
    await server.start()
    yield server
    await server.stop()


def mail(subject: str = "SB 79", *, thread: str = "t1", revision: str = "1", text: str = "Please write.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = FROM, TO, subject
    message["Message-ID"] = f"<{thread}.{revision}@league.example>"
    message["Clarion-Thread"], message["Clarion-Revision"] = thread, revision
    message.set_content(text)
    return message.as_bytes()


def client(catcher: MailCatcher) -> aiosmtplib.SMTP:
    port = int(catcher.url.rpartition(":")[2])
    return aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)


async def deliver(catcher: MailCatcher, content: bytes, *recipients: str) -> None:
    async with client(catcher) as smtp:
        await smtp.sendmail(FROM, recipients or (TO,), content)


async def test_a_mail_is_kept_as_it_came(catcher: MailCatcher) -> None:
    content = mail("Moved: Anhörung über SB 79: jetzt Donnerstag, nicht mehr am Mittwoch um halb zwei", revision="2")
    await deliver(catcher, content, TO, "clerk@city.example")
    (caught,) = catcher.store.list()
    assert caught.subject == "Moved: Anhörung über SB 79: jetzt Donnerstag, nicht mehr am Mittwoch um halb zwei"
    assert (caught.sender, caught.recipients) == (FROM, (TO, "clerk@city.example"))
    assert (caught.thread, caught.revision, caught.message_id) == ("t1", 2, "<t1.2@league.example>")
    assert caught.received_at == NOW
    assert caught.content == b""
    whole = catcher.store.get(caught.id)
    assert whole is not None
    assert whole.content == content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b".\r\n", b"..\r\n.a\r\n\r\n.\r\n", b"x." * 400 + b".\r\n", b"a.\r\nb.\r\n"]
)
async def test_dots_and_empty_lines_come_through(catcher: MailCatcher, body: bytes) -> None:
    content = b"Subject: dots\r\n\r\n" + body
    await deliver(catcher, content)
    kept = catcher.store.get(1)
    assert kept is not None
    assert kept.content == content


async def test_a_body_of_one_dot_line_and_no_headers_comes_through(catcher: MailCatcher) -> None:
    await deliver(catcher, b".\r\n")
    kept = catcher.store.get(1)
    assert kept is not None
    assert kept.content == b".\r\n"


async def test_it_announces_what_senders_use(catcher: MailCatcher) -> None:
    async with client(catcher) as smtp:
        await smtp.ehlo()
        assert all(smtp.supports_extension(name) for name in ("8BITMIME", "SMTPUTF8", "PIPELINING"))


async def test_a_pipelined_transaction_is_answered_in_order(catcher: MailCatcher) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(catcher.url.rpartition(":")[2]))
    writer.write(b"EHLO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n")
    while not (await reader.readline()).startswith(b"250 HELP"):
        pass
    assert [(await reader.readline())[:3] for _ in range(3)] == [b"250", b"250", b"354"]
    writer.write(b"Subject: x\r\n\r\n.\r\nMAIL FROM:<a@a.example>\r\nQUIT\r\n")
    assert [(await reader.readline())[:3] for _ in range(3)] == [b"250", b"250", b"221"]
    writer.close()
    await writer.wait_closed()
    assert catcher.store.count() == 1


async def test_a_test_can_refuse_at_rcpt_and_at_data(catcher: MailCatcher) -> None:
    def reply(address: str, content: bytes) -> str | None:
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        return "451 4.3.0 later" if content and address.startswith("slow") else None

    catcher.reply_to = reply
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await deliver(catcher, mail(), "gone@city.example")
    assert refused.value.recipients[0].code == 550
    with pytest.raises(aiosmtplib.SMTPDataError) as deferred:
        await deliver(catcher, mail(), "slow@city.example")
    assert (deferred.value.code, deferred.value.message) == (451, "4.3.0 later")
    await deliver(catcher, mail())
    assert [caught.recipients for caught in catcher.store.list()] == [(TO,)]


@pytest.mark.parametrize("kept", [False, True])
async def test_a_test_can_hang_up_before_the_reply(catcher: MailCatcher, kept: bool) -> None:
    def hang_up(_address: str, content: bytes) -> None:
        if content:
            raise HangUp(kept=kept)

    catcher.reply_to = hang_up
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, ConnectionError)):
        await deliver(catcher, mail())
    assert catcher.store.count() == int(kept)


async def test_stopping_ends_open_connections_and_starting_keeps_the_port(catcher: MailCatcher) -> None:
    before = catcher.url
    smtp = client(catcher)
    await smtp.connect()
    await catcher.stop()
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, ConnectionError)):
        await smtp.mail(FROM)
    smtp.close()
    await catcher.start()
    await deliver(catcher, mail())
    assert catcher.url == before


async def test_a_taken_port_is_said(store: MailStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken"):
            await MailCatcher(store, port=port).start()


async def test_mails_outlast_the_process_and_are_found_again(tmp_path: Path) -> None:
    kept = MailStore(tmp_path / "mail.sqlite")
    for number in range(5):
        kept.add(FROM, [f"person{number}@city.example", "clerk@city.example"], mail(f"Bill {number}"), NOW)
    kept.close()
    again = MailStore(tmp_path / "mail.sqlite")
    try:
        assert again.count() == 5
        assert [m.id for m in again.list(2)] == [5, 4]
        assert [m.id for m in again.list(2, before_id=4)] == [3, 2]
        assert [m.id for m in again.list(2, offset=3)] == [2, 1]
        assert [m.id for m in again.list(to="PERSON3@city.example")] == [4]
        assert [m.id for m in again.list(query="bill 2")] == [3]
        assert len(again.list(to="clerk@city.example", query="T1")) == 5
        assert again.list(query="100%") == []
        again.clear()
        assert again.count() == 0
        assert again.get(5) is None
        assert again.add(FROM, [TO], mail(), NOW) == 6
    finally:
        again.close()


def test_times_are_kept_in_utc(tmp_path: Path) -> None:
    kept = MailStore(tmp_path / "mail.sqlite")
    local = NOW.astimezone(timezone(timedelta(hours=-7)))
    kept.add(FROM, [TO], mail(), local)
    (caught,) = kept.list()
    kept.close()
    assert caught.received_at == NOW
    assert caught.received_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        (b"", ""),
        (b"no headers at all", ""),
        (b"Subject:\r\n\r\nx", ""),
        (b"Subject: =?nope?q?a?=\r\n\r\n", "=?nope?q?a?="),
        (b"Subject: =?utf-8?b?a?=\r\n\r\n", "=?utf-8?b?a?="),
        (b"Subject: caf\xe9\r\n\r\n", "caf\ufffd"),
        (b"X: y\r\n\r\nSubject: of the body\r\n", ""),
        (b"Subject: first\r\nSubject: second\r\nClarion-Revision: many\r\n\r\n", "first"),
        (b"SUBJECT: folded\r\n line\r\n\r\n", "folded line"),
    ],
)
def test_any_content_is_kept(content: bytes, subject: str) -> None:
    kept = MailStore()
    caught = kept.get(kept.add(FROM, [TO], content, NOW))
    kept.close()
    assert caught is not None
    assert (caught.subject, caught.content, caught.revision) == (subject, content, None)


async def test_many_senders_at_once_lose_nothing(catcher: MailCatcher) -> None:
    async def sender(number: int) -> None:
        async with client(catcher) as smtp:
            for count in range(50):
                await smtp.sendmail(FROM, [f"p{number}.{count}@city.example"], mail(text="line\n" * 60))

    began = time.monotonic()
    await asyncio.gather(*map(sender, range(20)))
    assert catcher.store.count() == 1000
    assert len({recipient for m in catcher.store.list(2000) for recipient in m.recipients}) == 1000
    assert time.monotonic() - began < 20
