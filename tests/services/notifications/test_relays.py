"""Relays as the setting names them, and what a connection does with a good one, a bad one and several."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarion.services.notifications.breakers import Breakers
from clarion.services.notifications.channels.pool import Pool, Relays
from clarion.services.notifications.channels.relays import Relay, Timeouts, by_weight, read_relays, trusted
from clarion.services.notifications.channels.smtp import (
    BEYOND_ASCII,
    NOT_FOR_THE_WIRE,
    LoginRefused,
    Mail,
    RelayDown,
    SmtpConnection,
)
from clarion.services.notifications.domain.breakers import Pace
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome
from tests.services.notifications.relays import (
    ScriptedRelay,
    Turn,
    after,
    and_die,
    certificate,
    drop,
    listening,
    stall,
    taking,
    trickle,
)

SHORT = Timeouts(connect=0.3, command=0.3, content=0.3, quit=0.3)
SENDER = "calls@clarion.example"
MAIL = [b"Subject: x\r\n\r\n", b"Hello\r\n"]


def relay_at(url: str, timeouts: Timeouts = SHORT, **changes: Any) -> Relay:
    return replace(Relay.from_url(url), timeouts=timeouts, **changes)


async def delivered(relay: Relay, address: str = "ada@alder.example", sender: str = SENDER) -> Outcome:
    connection = SmtpConnection(relay)
    await connection.open()
    try:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        connection.hand_over(iter([Mail(sender, address, MAIL, ended.set_result)]))
        return await ended
    finally:
        await connection.quit()


def test_several_relays_stand_in_order_of_preference() -> None:
    first, second, third = read_relays(
        " smtp://u:p%40ss@a.example?name=primary, smtps://b.example:4465?weight=2 smtp://[::1]:2525?starttls=none"
    )
    assert (first.name, first.host, first.port, first.user, first.password) == (
        "primary",
        "a.example",
        587,
        "u",
        "p@ss",
    )
    assert (second.name, second.tls, second.port, second.weight) == ("b.example:4465", True, 4465, 2.0)
    assert (third.host, third.port, third.starttls) == ("::1", 2525, False)
    assert "p@ss" not in repr(first)


def test_a_password_may_hold_a_comma() -> None:
    (only,) = read_relays("smtp://user:a,b@a.example")
    assert only.password == "a,b"


@pytest.mark.parametrize(
    ("urls", "named"),
    [
        ("", "names no relay"),
        ("mail.example:25", "smtp://host:port"),
        ("http://a.example", "smtp://host:port"),
        ("smtp://a.example?starttls=maybe", "starttls=maybe"),
        ("smtp://a.example?tls=1", "tls is not known"),
        ("smtp://a.example?weight=-1", "weight=-1"),
        ("smtp://a.example?name=a%20b", "name="),
        ("smtp://a.example smtp://a.example", "two relays are called a.example:25"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(urls: str, named: str) -> None:
    with pytest.raises(ValueError, match="CLARION_SMTP_URL") as raised:
        read_relays(urls)
    assert named in str(raised.value)


def test_weights_say_who_is_asked_first_and_the_rest_stand_by() -> None:
    relays = read_relays("smtp://a?weight=3 smtp://b?weight=1 smtp://c")
    assert [[one.host for one in by_weight(relays, dice)] for dice in (0.0, 0.74, 0.76)] == [
        ["a", "b", "c"],
        ["a", "b", "c"],
        ["b", "a", "c"],
    ]
    unweighted = read_relays("smtp://a smtp://b")
    assert by_weight(unweighted, 0.99) == unweighted


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_relay_with_and_without_extensions_takes_mail(extensions: Sequence[str]) -> None:
    async with listening(extensions=tuple(extensions)) as relay:
        assert await delivered(relay_at(relay.url)) == Accepted("250 2.0.0 taken")
    assert [mail.to for mail in relay.mails] == ["ada@alder.example"]


async def test_a_reply_that_comes_byte_by_byte_is_read() -> None:
    def script(turn: Turn) -> Any:
        if turn.step in {"MAIL", "RCPT"}:
            return taking(trickle("250 ok"))
        return taking(trickle("250-one\r\n250 two")) if turn.step == "content" else None

    async with listening(script) as relay:
        outcome = await delivered(relay_at(relay.url))
    assert outcome == Accepted("250 one two")


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("act", [stall, drop, "421 4.3.2 going down", "250 what?"])
async def test_what_is_lost_before_the_content_is_not_tried(step: str, act: Any, extensions: tuple[str, ...]) -> None:
    if step != "DATA" and act == "250 what?":
        act = "354 what?"
    async with listening(lambda turn: act if turn.step == step else None, extensions=extensions) as relay:
        assert isinstance(await delivered(relay_at(relay.url)), NotTried)
    assert relay.mails == []


@pytest.mark.parametrize("act", [stall, drop])
async def test_what_is_lost_after_the_content_is_in_doubt(act: Any) -> None:
    async with listening(lambda turn: act if turn.step == "content" else None) as relay:
        assert isinstance(await delivered(relay_at(relay.url)), InDoubt)


async def test_a_relay_that_says_250_to_the_content_and_dies_has_taken_it() -> None:
    async with listening(lambda turn: taking(and_die("250 ok")) if turn.step == "content" else None) as relay:
        assert await delivered(relay_at(relay.url)) == Accepted("250 ok")


async def test_a_farewell_right_behind_the_last_word_takes_nothing_back() -> None:
    both = "250 2.0.0 taken\r\n421 4.3.2 idle for too long"
    async with listening(lambda turn: both if turn.step == "content" else None) as relay:
        connection = SmtpConnection(relay_at(relay.url))
        await connection.open()
        ended: list[Outcome] = []
        connection.hand_over(iter([Mail(SENDER, "ada@alder.example", MAIL, ended.append)]))
        while not ended:
            await asyncio.sleep(0)
        assert ended == [Accepted("250 2.0.0 taken")]
        assert not connection.usable


async def test_a_reply_that_comes_before_its_question_is_no_answer_to_it() -> None:
    early = "354 go on\r\n250 2.0.0 taken"
    async with listening(lambda turn: early if turn.step == "DATA" else None) as relay:
        assert isinstance(await delivered(relay_at(relay.url)), NotTried)
    assert relay.mails == []


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@pytest.mark.parametrize("step", ["RCPT", "DATA", "content"])
async def test_after_a_refusal_the_next_mail_goes_over_the_same_connection(
    step: str, extensions: tuple[str, ...]
) -> None:
    refusing = lambda turn: "451 4.3.0 later" if (turn.step, turn.mail) == (step, 1) else None  # noqa: E731
    async with listening(refusing, extensions=extensions) as relay:
        connection = SmtpConnection(relay_at(relay.url))
        await connection.open()
        outcomes = []
        for _ in range(2):
            ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            connection.hand_over(iter([Mail(SENDER, "ada@alder.example", MAIL, ended.set_result)]))
            assert connection.busy
            outcomes.append(await ended)
            assert not connection.busy
        await connection.quit()
    said = "451 4.3.0 later" if step == "content" else f"{step}: 451 4.3.0 later"
    assert outcomes == [Declined("later", said), Accepted("250 2.0.0 taken")]
    assert (relay.sessions, len(relay.mails)) == (1, 1)


async def test_a_relay_that_waits_for_content_after_a_refusal_is_left_at_once() -> None:
    async with listening(lambda turn: "451 4.3.0 later" if turn.step == "MAIL" else None) as relay:
        assert await delivered(relay_at(relay.url, Timeouts())) == Declined("later", "MAIL: 451 4.3.0 later")
    assert relay.mails == []


@pytest.mark.parametrize(("extensions", "together"), [(("PIPELINING",), True), ((), False)])
async def test_commands_go_together_only_where_that_is_offered(extensions: tuple[str, ...], *, together: bool) -> None:
    more = []

    async def listen(session: Any) -> None:
        while said := await session.reader.read(4096):
            more.append(said)
        raise ConnectionResetError

    async with listening(lambda turn: listen if turn.step == "MAIL" else None, extensions=extensions) as relay:
        await delivered(relay_at(relay.url))
    assert bool(more) == together


async def test_a_421_after_the_content_is_no_fault_of_the_recipient() -> None:
    async with listening(lambda turn: "421 4.3.2 leaving" if turn.step == "content" else None) as relay:
        assert await delivered(relay_at(relay.url)) == Declined("leaving", "421 4.3.2 leaving")


def test_the_last_word_may_take_as_long_as_the_rfc_allows() -> None:
    assert (Timeouts().content, Timeouts().command) == (600, 300)


async def test_login_and_its_refusal() -> None:
    wanted = "smtp://user:secret@127.0.0.1:{port}?starttls=none"
    async with listening(extensions=("AUTH PLAIN",)) as relay:
        assert isinstance(await delivered(relay_at(wanted.format(port=relay.port))), Accepted)
    refusing = lambda turn: "535 5.7.8 wrong" if turn.step == "AUTH" else None  # noqa: E731
    async with listening(refusing, extensions=("AUTH PLAIN",)) as relay:
        with pytest.raises(LoginRefused, match=r"535 5\.7\.8 wrong"):
            await delivered(relay_at(wanted.format(port=relay.port)))


async def test_tls_that_is_required_and_not_offered_lets_nothing_out() -> None:
    async with listening() as relay:
        with pytest.raises(RelayDown, match="STARTTLS"):
            await delivered(relay_at(f"{relay.url}?starttls=required"))
    assert not [line for line in relay.lines if line.startswith(("MAIL", "AUTH"))]


@pytest.mark.parametrize("how", ["required", "offered"])
async def test_a_bad_certificate_keeps_us_from_a_relay_and_a_private_authority_lets_us_in(
    how: str, tmp_path: Path
) -> None:
    made, context = certificate(tmp_path)
    async with listening(tls=context) as relay:
        url = f"{relay.url}?starttls={how}"
        with pytest.raises(RelayDown, match="certificate cannot be trusted: self-signed"):
            await delivered(relay_at(url))
        assert not [line for line in relay.lines if line.startswith(("MAIL", "AUTH"))]
        assert isinstance(await delivered(relay_at(url, ca_file=made)), Accepted)


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    made, context = certificate(tmp_path, "127.0.0.2")
    async with listening(tls=context) as relay:
        with pytest.raises(RelayDown, match="certificate cannot be trusted"):
            await delivered(relay_at(f"{relay.url}?starttls=required", ca_file=made))


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CLARION_SMTP_CA_FILE"):
        trusted(tmp_path / "none.pem")


async def test_a_relay_that_greets_with_a_refusal_or_not_at_all_is_down() -> None:
    for act, reason in (("554 no", "554 no"), (stall, "ready|time"), (drop, "connect")):
        async with listening(lambda turn, act=act: act if turn.step == "connect" else None) as relay:
            with pytest.raises(RelayDown, match=reason):
                await delivered(relay_at(relay.url))


async def test_an_address_beyond_ascii_goes_by_smtputf8_or_fails_clearly() -> None:
    async with listening() as relay:
        assert isinstance(await delivered(relay_at(relay.url), "josé@alder.example"), Accepted)
    assert "MAIL FROM:<calls@clarion.example> BODY=8BITMIME SMTPUTF8" in relay.lines
    assert "RCPT TO:<josé@alder.example>" in relay.lines
    async with listening(extensions=("PIPELINING", "8BITMIME")) as relay:
        assert await delivered(relay_at(relay.url), "josé@alder.example") == Declined("refused", BEYOND_ASCII)
    assert not [line for line in relay.lines if line.startswith("MAIL")]


async def test_an_address_with_quotes_reaches_the_relay_as_it_is() -> None:
    async with listening() as relay:
        assert isinstance(await delivered(relay_at(relay.url), '"ada b"@alder.example'), Accepted)
    assert 'RCPT TO:<"ada b"@alder.example>' in relay.lines


@pytest.mark.parametrize(
    "bad", ["a@b.example>\r\nRCPT TO:<eve@evil.example", "a\nb@c.example", "a\x00@b.example", "\x85@b"]
)
async def test_no_address_can_bring_a_command_of_its_own(bad: str) -> None:
    async with listening() as relay:
        assert await delivered(relay_at(relay.url), bad) == Declined("refused", NOT_FOR_THE_WIRE)
        assert await delivered(relay_at(relay.url), sender=bad) == Declined("refused", NOT_FOR_THE_WIRE)
    assert not [line for line in relay.lines if line.startswith(("MAIL", "RCPT"))]


def pool_of(*relays: ScriptedRelay, names: str = "abc") -> Pool:
    named = [relay_at(f"{relay.url}?name={name}") for relay, name in zip(relays, names, strict=False)]
    return Pool(Relays(named, Breakers(Pace())), 4)


async def names_of(pool: Pool, wanted: int = 2, **how: Any) -> list[str]:
    return [connection.relay_name for connection in await pool.ready(wanted, **how)]


async def test_a_relay_that_is_down_is_passed_over_and_gone_back_to(until: Any) -> None:
    async with listening() as first, listening() as second:
        pool = pool_of(first, second)
        assert await names_of(pool) == ["a", "a"]
        assert await names_of(pool, avoid={"a"}) == ["b", "b"]
        await pool.close()
    async with second.listening():
        pool = pool_of(first, second)
        assert await names_of(pool) == ["b", "b"]
        async with first.listening():

            async def first_again() -> bool:
                return await names_of(pool) == ["a", "a"]

            await until(first_again, 5)
        await pool.close()


async def test_with_no_relay_left_each_ones_reason_is_told() -> None:
    first, second = ScriptedRelay(port=1), ScriptedRelay(port=2)
    pool = pool_of(first, second)
    with pytest.raises(RelayDown, match=r"a: .*1.*; b: .*2"):
        await pool.ready(1)


async def test_a_relay_that_refuses_the_login_is_left_alone_and_another_takes_over() -> None:
    def refuse(turn: Turn) -> str | None:
        return "535 5.7.8 wrong" if turn.step == "AUTH" else None

    async with listening(refuse, extensions=("AUTH PLAIN",)) as first, listening() as second:
        refusing = relay_at(f"smtp://u:p@127.0.0.1:{first.port}?starttls=none&name=a")
        relays = Relays([refusing, relay_at(f"{second.url}?name=b")], Breakers(Pace()))
        pool = Pool(relays, 4)
        for _ in range(3):
            assert await names_of(pool) == ["b", "b"]
        assert first.sessions == 2
        assert relays.breakers.gate("a") == "open"
        with pytest.raises(RelayDown, match=r"a: 535 5\.7\.8 wrong"):
            await pool.ready(1, avoid={"b"})
        await pool.close()


async def test_a_slow_relay_is_waited_for_as_long_as_it_may_take() -> None:
    spoken = asyncio.Event()
    slow = lambda turn: taking(after(spoken, "250 at last")) if turn.step == "content" else None  # noqa: E731
    async with listening(slow) as relay:
        sending = asyncio.create_task(delivered(relay_at(relay.url, Timeouts())))
        while not relay.mails:
            await asyncio.sleep(0)
        spoken.set()
        assert await sending == Accepted("250 at last")
