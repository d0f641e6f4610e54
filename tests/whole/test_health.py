"""`clarion health` asks the process that serves: well, frozen, gone."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from clarion.runtime.settings import Settings
from tests.conftest import Until
from tests.whole.world import World, world


def health(port: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command says of the process at this port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    command = [sys.executable, "-m", "clarion", "health", *arguments]
    environment = kept | {"CLARION_HEALTH_PORT": port}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=40, check=False)


def address_of(here: World) -> str:
    """Where the newest process says that it answers."""
    found = re.findall(r'"health": "(http://127\.0\.0\.1:\d+)"', here.log.read_text("utf-8"))
    return str(found[-1])


@pytest.mark.timeout(180)
async def test_the_process_that_serves_is_asked_at_its_health_port(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, 50) as here:
        here.start_services()
        await until(here.is_ready, 60)
        address = address_of(here)
        port = address.rpartition(":")[2]
        async with httpx.AsyncClient(base_url=address) as client:

            async def looked() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await until(looked, 30)
            figures = (await client.get("/metrics")).text
            assert 'clarion_service_alive{service="notifications"} 1.0' in figures
            assert 'clarion_outbox_relay_leads{service="campaigns"}' in figures
            assert (await client.get("/operators")).status_code == 404, "only with web"
        well = health(port, "--ready", "--json")
        assert well.returncode == 0, well.stderr
        assert {one["name"] for one in json.loads(well.stdout)["services"]} >= {"notifications", "campaigns"}
        assert here.process is not None
        here.process.send_signal(signal.SIGSTOP)
        frozen = health(port)
        here.process.send_signal(signal.SIGCONT)
        assert frozen.returncode == 1
        assert "nobody answers" in frozen.stderr
        assert here.end_services(signal.SIGTERM) == 0
        assert health(port).returncode == 1


@pytest.mark.timeout(120)
async def test_where_the_site_is_public_the_operators_page_is_at_the_health_port(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, 50) as here:
        command = [sys.executable, "-m", "clarion", "serve", "web", "--port", "0"]
        environment = here.environment() | {"CLARION_PUBLIC_URL": "https://calls.cities.example"}
        with here.log.open("ab") as log:
            here.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        await until(here.is_ready, 60)
        async with httpx.AsyncClient(base_url=address_of(here)) as client:
            page = await client.get("/operators")
            assert page.status_code == 200
            assert "Dead letters" in page.text
            assert (await client.get(re.findall(r'href="(/static/[^"]+)"', page.text)[0])).status_code == 200
            elsewhere = await client.get(
                "/operators", headers={"x-forwarded-for": "203.0.113.9", "accept": "text/html"}
            )
            assert elsewhere.status_code == 403
            assert "<h1>Forbidden</h1>" in elsewhere.text


def test_without_a_port_the_command_says_what_to_set(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    environment = kept | {"CLARION_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "clarion", "health"]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=40, check=False)
    assert asked.returncode == 2
    assert "CLARION_HEALTH_PORT" in asked.stderr
