"""Rates that all senders share, breakers for who blocks us, and mailboxes that do not exist."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from clarion.services.notifications.breakers import Breakers
from clarion.services.notifications.domain.breakers import WHOLE_RELAY, Pace
from clarion.services.notifications.domain.outcomes import Accepted, Declined
from clarion.services.notifications.domain.rates import Rate, Rates, read_rates
from clarion.services.notifications.limits import Asked, Limits, Wait
from clarion.services.notifications.repository import queries
from tests.services.notifications.conftest import House, batch, official, recipient
from tests.services.notifications.relays import Turn, listening

QUICK_PACE = Pace(domain=0.3, relay=0.3, limit=1.0, probe=0.3)


class Way:
    """A connection that is never used."""

    relay_name = "relay"

    def hand_over(self, *_mails: Any) -> None:
        raise AssertionError

    def release(self) -> None:
        raise AssertionError


def limits_of(house: House, rates: Rates) -> Limits:
    return Limits(house.database, Breakers(Pace()), rates)


async def admitted(limits: Limits, domains: list[str], lane: int = 2) -> list[Any]:
    asked = [Asked(domain, lane) for domain in domains]
    return await limits.admit(asked, [Way() for _ in asked], None)  # type: ignore[arg-type]


def test_rates_are_read_strictly() -> None:
    rates = read_rates(" gmail.com=20/s, *.example=60/m,relay:main = 500/s ,", ["main"])
    assert {rate.name: (rate.per_second, rate.burst) for rate in rates} == {
        "gmail.com": (20, 20),
        "*.example": (1, 1),
        "relay:main": (500, 500),
    }
    assert not read_rates("", [])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gmail.com", "'gmail.com' is not like"),
        ("gmail.com=20", "'gmail.com=20' is not like"),
        ("gmail.com=20/w", "'gmail.com=20/w' is not like"),
        ("gmail.com=-1/s", "is not like"),
        ("gmail.com=0/s", "lets nothing through"),
        ("a.example=1/s, a.example=2/s", "a.example twice"),
        ("relay:other=5/s", "'relay:other=5/s' names no relay; there is: main"),
        ("*=5/s", "names no domain"),
        ("a..b=5/s", "names no domain"),
        ("café.example=5/s", "names no domain"),
    ],
)
def test_a_rate_that_cannot_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="CLARION_SMTP_LIMITS") as raised:
        read_rates(text, ["main"])
    assert named in str(raised.value)


def test_the_nearest_rate_holds_for_a_domain() -> None:
    rates = read_rates("a.example=1/s, *.example=2/s, *.b.example=3/s", [])
    found = {
        domain: rates.of_domain(domain) for domain in ("a.example", "x.example", "x.b.example", "example", "a.test")
    }
    assert {domain: rate and rate.per_second for domain, rate in found.items()} == {
        "a.example": 1,
        "x.example": 2,
        "x.b.example": 3,
        "example": None,
        "a.test": None,
    }


async def test_nothing_is_asked_where_nothing_is_limited() -> None:
    nowhere: Any = None
    limits = Limits(nowhere, Breakers(Pace()), read_rates("gmail.com=1/s", []))
    places = await admitted(limits, ["alder.example"] * 5)
    assert not any(isinstance(place, Wait) for place in places)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(per_second=st.sampled_from([3.0, 20.0, 200.0]), wanted=st.lists(st.integers(1, 40), min_size=4, max_size=30))
async def test_two_replicas_never_let_more_through_than_the_rate_in_any_window(
    house: House, per_second: float, wanted: list[int]
) -> None:
    rate = Rate("gmail.com", per_second)
    let_through: list[tuple[float, float, int]] = []

    async def replica(rounds: list[int]) -> None:
        limits = limits_of(house, Rates([rate]))
        for count in rounds:
            asked_at = time.monotonic()
            places = await admitted(limits, ["gmail.com"] * count)
            granted = sum(not isinstance(place, Wait) for place in places)
            let_through.append((asked_at, time.monotonic(), granted))

    await asyncio.gather(replica(wanted[::2]), replica(wanted[1::2]))
    await house.execute("DELETE FROM buckets")
    for start, *_ in let_through:
        for _, end, _ in let_through:
            inside = sum(count for at, until, count in let_through if start <= at and until <= end)
            assert inside <= rate.burst + rate.per_second * max(end - start, 0) + 1e-6


async def test_a_replica_waits_for_the_tokens_that_another_is_taking(house: House, until: Any) -> None:
    row = {"name": "slow.example", "rate": 0.001, "burst": 5, "wanted": [0, 0, 5, 0]}

    async def take() -> int:
        async with house.database.connection() as connection:
            (found,) = [found async for found in queries.take_tokens(connection, rows=[row])]
            return int(found["granted"])

    async def waits() -> list[Any]:
        return await house.rows("SELECT FROM pg_locks WHERE NOT granted")

    await house.execute("INSERT INTO buckets VALUES ('slow.example', 5, now(), array_fill(now(), ARRAY[4]))")
    async with house.database.transaction() as tx:
        assert [found["granted"] async for found in queries.take_tokens(tx.connection, rows=[row])] == [5]
        other = asyncio.create_task(take())
        await until(waits)
    assert await other == 0


async def test_mail_beyond_the_rate_stands_in_line_and_other_domains_are_not_held_up(house: House) -> None:
    limits = limits_of(house, read_rates("slow.example=2/s", []))
    places = await admitted(limits, ["slow.example", "alder.example"] * 6)
    waits = [place for place in places if isinstance(place, Wait)]
    assert [isinstance(place, Wait) for place in places] == [False, False, False, False, *[True, False] * 4]
    assert [round(wait.seconds, 1) for wait in waits] == [0.5, 1.0, 1.5, 2.0]
    more = await admitted(limits, ["slow.example"] * 2)
    assert [2.0 < place.seconds <= 3.0 for place in more] == [True, True]


async def test_an_urgent_lane_is_served_first_and_has_a_line_of_its_own(house: House) -> None:
    limits = limits_of(house, read_rates("slow.example=2/s", []))
    asked = [Asked("slow.example", lane) for lane in (3, 3, 3, 0, 0, 0)]
    places = await limits.admit(asked, [Way() for _ in asked], None)  # type: ignore[arg-type]
    assert [isinstance(place, Wait) for place in places] == [True, True, True, False, False, True]
    assert [round(place.seconds, 1) for place in places if isinstance(place, Wait)] == [0.5, 1.0, 1.5, 0.5]


async def test_a_relays_rate_holds_for_all_domains(house: House) -> None:
    limits = limits_of(house, read_rates("relay:relay=3/s, a.example=1/s", ["relay"]))
    places = await admitted(limits, ["a.example", "a.example", "b.example", "c.example", "d.example"])
    assert [isinstance(place, Wait) for place in places] == [False, True, False, False, True]


async def test_limited_mail_goes_out_at_its_rate_and_the_rest_at_once(house: House, until: Any) -> None:
    async with listening() as relay:
        house.relay_url = relay.url
        slow = [official(number, email=f"o{number}@slow.example") for number in range(8)]
        await house.know(*slow, *(official(number) for number in range(100, 140)))
        started = time.monotonic()
        await house.ask(batch([*range(8), *range(100, 140)]))
        async with house.sending(senders=2, rates=read_rates("slow.example=5/s", [])):

            async def all_sent() -> bool:
                return await house.states() == {"sent": 48}

            await until(lambda: len(relay.mails) >= 45)
            assert sum("slow" in mail.to for mail in relay.mails) <= 5 + 5 * (time.monotonic() - started)
            await until(all_sent)
        assert time.monotonic() - started >= 3 / 5
    claims = await house.rows("SELECT claim FROM ledger ORDER BY claim DESC")
    assert claims[0]["claim"] <= 6


async def test_a_dead_mailbox_is_suppressed_with_the_outcome_and_its_queued_mail_ends(house: House, until: Any) -> None:
    def script(turn: Turn) -> str | None:
        return "550 5.1.1 <o1@city.example>: no such user" if turn.step == "RCPT" and "o1@" in turn.said else None

    async with listening(script) as relay:
        house.relay_url = relay.url
        await house.call([1, 2])
        async with house.sending():

            async def ended() -> bool:
                return await house.states() == {"failed": 1, "sent": 1}

            await until(ended)
            await house.ask(batch([1, 2], matter="campaign:c2"))

            async def suppressed() -> bool:
                return await house.states() == {"failed": 1, "sent": 2, "suppressed": 1}

            await until(suppressed)
    (row,) = await house.rows("SELECT mailbox, kind, reason FROM suppressions")
    assert tuple(row) == (recipient(1)["mailbox"], "hard-bounce", "there is no such mailbox (550 5.1.1)")
    assert "there is no such mailbox (550 5.1.1)" in [one["reason"] for one in await house.delivered()]
    assert len(relay.mails) == 2


async def test_a_full_mailbox_is_tried_again_even_if_said_for_good(house: House, until: Any) -> None:
    async with listening(lambda turn: "552 5.2.2 full" if turn.step == "RCPT" else None) as relay:
        house.relay_url = relay.url
        await house.call([1])
        async with house.sending():

            async def deferred() -> bool:
                return await house.states() == {"deferred": 1}

            await until(deferred)
    (row,) = await house.rows("SELECT due_at - state_at AS wait, reason, relay FROM ledger")
    assert row["wait"].total_seconds() >= 60 * 0.05
    assert row["reason"] == "the mailbox is full"
    assert row["relay"] == f"127.0.0.1:{relay.port}"
    assert await house.rows("SELECT FROM suppressions") == []


async def test_a_block_stops_the_domain_alone_and_a_probe_opens_it_again(house: House, until: Any) -> None:
    blocking = True
    seen: Counter[str] = Counter()

    def script(turn: Turn) -> str | None:
        if turn.step != "RCPT" or "@strict.example" not in turn.said:
            return None
        seen["blocked" if blocking else "taken"] += 1
        return "550 5.7.1 <x@strict.example> is blocked by policy" if blocking else None

    async with listening(script) as relay:
        house.relay_url = relay.url
        strict = [official(number, email=f"o{number}@strict.example") for number in range(12)]
        await house.know(*strict, *(official(number) for number in range(100, 130)))
        await house.ask(batch([*range(12), *range(100, 130)]))
        with capture_logs() as logs:
            async with house.sending(connections=2, pace=QUICK_PACE):

                async def others_sent() -> bool:
                    return (await house.states()).get("sent") == 30

                await until(others_sent)
                assert seen["blocked"] <= 8
                assert (await house.states()).keys() <= {"sent", "queued", "deferred", "claimed", "sending"}
                blocking = False

                async def all_sent() -> bool:
                    return await house.states() == {"sent": 42}

                await until(all_sent)
                # The news of it goes with the next renewal of the lease.
                await until(lambda: nobody_blocks(house))
    (alert, *_) = [entry for entry in logs if entry["event"] == "relay.domain_blocked"]
    assert (alert["log_level"], alert["domain"], alert["said"]) == ("warning", "strict.example", "550 5.7.1")
    assert "@" not in str(logs)


async def nobody_blocks(house: House) -> bool:
    return not await house.rows("SELECT FROM breakers")


async def test_a_domain_that_blocks_one_relay_gets_its_mail_by_another(house: House, until: Any) -> None:
    def script(turn: Turn) -> str | None:
        return "550 5.7.1 blocked" if turn.step == "RCPT" and "@strict.example" in turn.said else None

    async with listening(script) as first, listening() as second:
        house.relay_url = f"{first.url}?name=first {second.url}?name=second"
        await house.know(*(official(number, email=f"o{number}@strict.example") for number in range(6)))
        await house.know(*(official(number) for number in range(100, 110)))
        await house.ask(batch([*range(6), *range(100, 110)]))
        async with house.sending(connections=2):

            async def sent() -> bool:
                return (await house.states()).get("sent", 0) >= 14

            await until(sent)
    relays = await house.rows("SELECT relay, count(*) AS n FROM ledger WHERE state = 'sent' GROUP BY 1 ORDER BY 1")
    assert [row["relay"] for row in relays] == ["first", "second"]
    assert all("strict" in mail.to for mail in second.mails)


async def test_one_probe_at_a_time_goes_to_a_domain_whatever_the_number_of_replicas(house: House) -> None:
    clock = [100.0]
    replicas = [Breakers(Pace(domain=10, probe=5), lambda: clock[0]) for _ in range(2)]
    blocked = Declined("blocked", "RCPT: 550 5.7.1 no")
    replicas[0].learn([("main", "o1@strict.example")], [blocked])
    async with house.database.transaction() as tx:
        news = await replicas[0].write(tx)
        await replicas[1].read(tx)
    replicas[0].written(news)
    assert [one.gate("main", "strict.example") for one in replicas] == ["open", "open"]
    await house.execute("UPDATE breakers SET until = now() - interval '1 second'")
    async with house.database.transaction() as tx:
        for one in replicas:
            await one.read(tx)
        assert [one.gate("main", "strict.example") for one in replicas] == ["half-open", "half-open"]
        probes = [await one.take_probes(tx, [("main", "strict.example")]) for one in replicas]
    assert probes == [{("main", "strict.example")}, set()]
    replicas[0].learn([("main", "o1@strict.example")], [blocked])
    async with house.database.transaction() as tx:
        await replicas[0].write(tx)
    (row,) = await house.rows("SELECT tries, until - opened_at AS length FROM breakers")
    assert (row["tries"], round(row["length"].total_seconds())) == (2, 20)


async def test_what_went_out_before_a_breaker_opened_does_not_close_it() -> None:
    clock = [100.0]
    breakers = Breakers(Pace(domain=10, relay=20), lambda: clock[0])
    breakers.learn([("main", "o1@strict.example")] * 2, [Declined("blocked", "550 5.7.1"), Accepted("250")])
    assert breakers.gate("main", "strict.example") == "open"
    clock[0] += 10
    breakers.learn([("main", "o1@strict.example")], [Accepted("250")])
    assert breakers.gate("main", "strict.example") == "closed"
    assert not breakers


async def test_a_relay_that_refuses_our_address_is_left_alone_while_mail_waits(house: House, until: Any) -> None:
    refusing = True

    def script(turn: Turn) -> str | None:
        return "550 5.7.1 not your address" if refusing and turn.step == "MAIL" else None

    async with listening(script) as relay:
        house.relay_url = f"{relay.url}?name=main"
        await house.call(range(6))
        with capture_logs() as logs:
            async with house.sending(connections=1, pace=QUICK_PACE):

                async def known() -> list[Any]:
                    return await house.rows("SELECT FROM breakers WHERE relay = 'main' AND domain = ''")

                await until(known)
                assert sum(line.startswith("MAIL") for line in relay.lines) <= 4
                refusing = False

                async def sent() -> bool:
                    return await house.states() == {"sent": 6}

                await until(sent)
                await until(lambda: nobody_blocks(house))
    assert ("error", "relay.refuses_us", "main") in {
        (entry["log_level"], entry["event"], entry.get("relay")) for entry in logs
    }
    assert {row["attempts"] for row in await house.rows()} == {1}


def test_a_whole_relay_is_left_alone_longer_than_a_domain() -> None:
    assert Pace().first(WHOLE_RELAY) > Pace().first("strict.example")
