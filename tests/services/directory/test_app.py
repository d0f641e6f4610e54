"""The directory as a process runs it."""

import pytest

from clarion.runtime.settings import MissingSetting, Settings
from clarion.services.directory.app import build


async def test_the_directory_is_a_service_that_listens_to_nobody(database_url):
    settings = Settings(
        _env_file=None, database_url=database_url, public_url="http://clarion.example", secret_key=("a secret",)
    )
    service = await build(settings)
    assert (service.name, list(service.subscriptions)) == ("directory", [])
    await service.close()


async def test_without_a_database_it_does_not_start():
    with pytest.raises(MissingSetting, match="CLARION_DATABASE_URL"):
        await build(Settings(_env_file=None, database_url=None))
