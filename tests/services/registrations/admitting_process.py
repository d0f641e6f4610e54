"""A process that admits until it is killed: `python -m ... SETTINGS_AS_JSON`."""

import asyncio
import signal
import sys

from clarion.runtime.process import run_services
from clarion.runtime.settings import Settings
from clarion.services.registrations.app import build


async def admit(settings: Settings) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await run_services([await build(settings)], settings, stopping=stopping)


if __name__ == "__main__":
    asyncio.run(admit(Settings.model_validate_json(sys.argv[1])))
