"""A process that runs an embedded stack until SIGINT: what the tests kill.

Arguments: the data directory, then any of kafka, postgres, mail, outside (PostgreSQL's second way as root).
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from clarion.runtime.embedded import EmbeddedStack, PostgresServer


async def main() -> None:
    """Start, say where, wait, stop."""
    directory, words = Path(sys.argv[1]), set(sys.argv[2:])
    stack = EmbeddedStack(directory, kafka="kafka" in words, postgres="postgres" in words, mail="mail" in words)
    if "outside" in words:
        stack.postgres = PostgresServer(directory / "postgres", _refuse_user_namespace=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)
    async with stack:
        told = {
            "kafka": stack.kafka and [stack.kafka.pid, stack.kafka.bootstrap],
            "postgres": stack.postgres and [stack.postgres.pid, stack.postgres.url],
            "mail": stack.mail and stack.mail.url,
        }
        sys.stdout.write(f"ready {json.dumps(told)}\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
