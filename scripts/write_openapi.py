"""Write the site's OpenAPI description to clarion/schemas/json/openapi.json, as the site itself gives it.

The services build their routes on a database, so an embedded one is started for as long.
"""

import asyncio
import tempfile
from pathlib import Path

from clarion.runtime.database import migrate
from clarion.runtime.documents import FOLDER
from clarion.runtime.embedded import PostgresServer
from clarion.runtime.process import Running
from clarion.runtime.settings import Settings
from clarion.runtime.telemetry import configure_logs
from clarion.runtime.watch import Watch
from clarion.schemas.documents import printed
from clarion.services.running import open_services
from clarion.services.web import build_site


async def described(directory: Path) -> str:
    """The description of a whole site, on a database of its own."""
    server = PostgresServer(directory, fsync=False)
    try:
        await server.start()
        await migrate(server.url)
        settings = Settings(
            _env_file=None,
            database_url=server.url,
            smtp_url="smtp://127.0.0.1:25",
            public_url="http://clarion.example",
            secret_key=("description",),
            mail_from="Clarion <calls@clarion.example>",
        )
        async with open_services(settings) as services:
            return printed(build_site(services, Watch(Running(), settings, services)).openapi())
    finally:
        await server.remove()


if __name__ == "__main__":
    configure_logs("ERROR", as_json=False)
    with tempfile.TemporaryDirectory(prefix="clarion-openapi-") as folder:
        text = asyncio.run(described(Path(folder) / "postgres"))
    (FOLDER / "openapi.json").write_text(text, encoding="utf-8")
