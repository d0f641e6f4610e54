"""The sample association's staff."""

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.staff.accounts import find_account_by_email, list_accounts
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.staff.rights import Act, Role, may
from clarion.services.directory.operations import import_kind
from clarion.services.directory.sample import sample_source
from clarion.services.directory.staff.operations import Hand, remove_staff
from clarion.services.directory.staff.sample import ADMINISTRATOR, add_sample_staff


async def test_there_is_one_of_each_role_and_somebody_to_approve_in_every_division(database: Database) -> None:
    await import_kind(database, "divisions", [sample_source("divisions", 0, 0)], clock=system_clock)
    hand = Hand(command_actor(), system_clock())
    async with database.transaction() as tx:
        added = await add_sample_staff(tx, hand)
        accounts = await list_accounts(tx.connection)
        divisions = [row["id"] for row in await tx.connection.fetch("SELECT id FROM entities WHERE kind = 'division'")]
        assert added == len(accounts)
        assert {account.staff.role for account in accounts} == set(Role)
        assert all(account.staff.email.endswith(".example") for account in accounts)
        for division in divisions:
            managers = [one.staff for one in accounts if one.staff.role is Role.MANAGER]
            assert sum(may(one, Act.APPROVE_WAVE, division) for one in managers) == 2, division


async def test_who_was_removed_from_the_sample_stays_removed(database: Database) -> None:
    await import_kind(database, "divisions", [sample_source("divisions", 0, 0)], clock=system_clock)
    hand = Hand(command_actor(), system_clock())
    async with database.transaction() as tx:
        await add_sample_staff(tx, hand)
        viewer = await find_account_by_email(tx.connection, "sky.sample@league.example")
        assert viewer is not None
        await remove_staff(tx, hand, viewer.staff.id)
        assert await add_sample_staff(tx, hand) == 0
        assert await find_account_by_email(tx.connection, ADMINISTRATOR) is not None
