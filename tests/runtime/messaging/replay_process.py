"""A process that replays echo's log, to be killed while it does."""

import asyncio

from clarion.runtime.messaging.replaying import Asked, replay
from clarion.runtime.settings import load_settings
from tests.runtime.messaging.conftest import ECHO

if __name__ == "__main__":
    asyncio.run(replay(load_settings(), ["echo"], {}, Asked(), topics=[ECHO]))
