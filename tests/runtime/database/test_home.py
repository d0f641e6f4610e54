"""A database knows where it lives: a copy of it is refused until somebody settled what went out since."""

from datetime import timedelta

import asyncpg
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database.home import begin_taking_up, check_home, is_at_home, move_in
from clarion.runtime.database.pool import connect_login
from clarion.runtime.refusals import Refused
from tests.conftest import cloned


async def test_a_copy_is_refused_until_it_is_taken_up(database_url: str, postgres_url: str) -> None:
    await check_home(database_url)
    await check_home(database_url)
    name = database_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    async with cloned(postgres_url, name) as copy:
        with pytest.raises(Refused, match="run clarion restored"):
            await check_home(copy)
        connection = await connect_login(copy)
        now = system_clock()
        assert await begin_taking_up(connection, now) == now
        assert await begin_taking_up(connection, now + timedelta(hours=1)) == now, "the first attempt counts"
        assert not await is_at_home(connection)
        await move_in(connection)
        assert await is_at_home(connection)
        await connection.close()
        await check_home(copy)
    await check_home(database_url)


async def test_a_database_of_a_version_before_is_left_to_the_migrations(empty_url: str) -> None:
    await check_home(empty_url)


async def test_where_the_server_keeps_its_number_to_itself_nobody_can_tell(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public")
        await connection.execute("GRANT USAGE ON SCHEMA clarion TO clarion_legislation")
        await connection.execute("GRANT ALL ON clarion.home TO clarion_legislation")
        await connection.execute("SET ROLE clarion_legislation")
        now = system_clock()
        assert await begin_taking_up(connection, now) == now
        assert await is_at_home(connection)
        await move_in(connection)
    finally:
        await connection.close()
