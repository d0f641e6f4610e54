"""Updates and registrations are kept for their time: what is over goes, what waits or counts stays."""

from datetime import timedelta

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries


async def test_updates_go_by_age_but_those_that_wait_stay(database_url: str) -> None:
    database = await Database.connect(database_url, "legislation")
    before = system_clock() - timedelta(days=400)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO history (source, event_id, type, stated_at, received_at, outcome)"
            " SELECT 's', outcome || age, 'hearing.scheduled', now(), now() - make_interval(days => age), outcome"
            " FROM unnest(ARRAY['alerted', 'rejected', 'waiting', 'received']) AS outcome,"
            " unnest(ARRAY[399, 401]) AS age"
        )
        purge = load_queries("clarion.services.legislation").purge_history
        assert [await purge(connection, before=before, at_most=1) for _ in range(3)] == [1, 1, 0]
        left = {row["event_id"] for row in await connection.fetch("SELECT event_id FROM history")}
    await database.close()
    assert left == {"alerted399", "rejected399", "waiting399", "received399", "waiting401", "received401"}


async def test_registrations_go_once_their_event_is_long_past_and_its_counts_stay(database_url: str) -> None:
    database = await Database.connect(database_url, "registrations")
    before = system_clock() - timedelta(days=400)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO webinars (id, slug, starts_at, ends_at, closes_at, capacity, description, confirmed,"
            " created_at, changed_at)"
            " SELECT 'w' || age, 'w' || age, now() - make_interval(days => age),"
            " now() - make_interval(days => age) + interval '1 hour', now(), 9, '{}', 2, now(), now()"
            " FROM unnest(ARRAY[399, 402]) AS age"
        )
        await connection.execute(
            "INSERT INTO registrations (id, event_id, mailbox, token, name, email, own, status, received_at)"
            " SELECT w.id || n, w.id, n::text, w.id || n, 'Ada', 'ada@city.example', true, 'confirmed', now()"
            " FROM webinars AS w, generate_series(1, 2) AS n"
        )
        await connection.execute("INSERT INTO early_cancellations SELECT id, 'x', now() FROM webinars")
        purge = load_queries("clarion.services.registrations").purge_registrations
        assert await purge(connection, before=before, at_most=10) == 3
        assert await purge(connection, before=before, at_most=10) == 0
        left = await connection.fetch(
            "SELECT w.id, w.confirmed, count(r.id) AS people FROM webinars AS w"
            " LEFT JOIN registrations AS r ON r.event_id = w.id GROUP BY w.id ORDER BY w.id"
        )
    await database.close()
    assert [tuple(row) for row in left] == [("w399", 2, 2), ("w402", 2, 0)]


async def test_calls_go_once_their_campaign_is_closed_for_long_and_the_campaign_stays(database_url: str) -> None:
    database = await Database.connect(database_url, "campaigns")
    before = system_clock() - timedelta(days=400)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO hearings (id, revision, jurisdiction, session, ends_at, alert)"
            " SELECT status || age, 1, 'j', 's', now(), '{}'"
            " FROM unnest(ARRAY['closed', 'launched']) AS status, unnest(ARRAY[399, 401]) AS age"
        )
        await connection.execute(
            "INSERT INTO campaigns (id, hearing, revision, status, waits_for_directory, title, bills, held, ends_at,"
            " hearing_revision, positions, officials, created_at, changed_at)"
            " SELECT status || age, status || age, 1, status, false, 't', '{}', 'h', past, 1, '{}', 2, past, past"
            " FROM unnest(ARRAY['closed', 'launched']) AS status, unnest(ARRAY[399, 401]) AS age,"
            " LATERAL (SELECT now() - make_interval(days => age) AS past) AS at"
        )
        await connection.execute(
            "INSERT INTO calls (campaign, official, city, division, mailbox, letter, testimony, asked_at)"
            " SELECT c.id, 'o' || n, 'c', 'd', 'm' || n, true, false, now()"
            " FROM campaigns AS c, generate_series(1, 2) AS n"
        )
        await connection.execute(
            "INSERT INTO threads (campaign, bucket, mailbox, division, revision, standing)"
            " SELECT campaign, 0, mailbox, 'd', 1, true FROM calls"
        )
        purge = load_queries("clarion.services.campaigns").purge_calls
        assert [await purge(connection, before=before, at_most=10) for _ in range(2)] == [4, 0]
        left = await connection.fetch(
            "SELECT c.id, c.officials, count(k.official) AS calls FROM campaigns AS c"
            " LEFT JOIN calls AS k ON k.campaign = c.id GROUP BY c.id ORDER BY c.id"
        )
    await database.close()
    assert [tuple(row) for row in left] == [
        ("closed399", 2, 2),
        ("closed401", 2, 0),
        ("launched399", 2, 2),
        ("launched401", 2, 2),
    ]


async def test_what_readers_wished_for_is_known_for_a_while(database_url: str) -> None:
    database = await Database.connect(database_url, "notifications")
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO wishes SELECT 'm' || age, 'erasure', now() - make_interval(days => age)"
            " FROM unnest(ARRAY[89, 91]) AS age"
        )
        purge = load_queries("clarion.services.notifications").purge_wishes
        assert await purge(connection, before=system_clock() - timedelta(days=90), at_most=10) == 1
        assert await connection.fetchval("SELECT mailbox FROM wishes") == "m89"
    await database.close()
