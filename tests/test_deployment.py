"""docker-compose.yml and Dockerfile say what the code does: versions, commands, ports and variables."""

import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from typer.testing import CliRunner

from clarion.runtime.settings import Settings
from clarion.services.cli import app
from clarion.services.running import BUILDERS, NAMES, NEEDED

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
JARS = (ROOT / "clarion/runtime/embedded/jars-4.3.1.txt").read_text("utf-8")


def test_the_broker_is_the_version_that_tests_run_on() -> None:
    tested = re.search(r"^org\.apache\.kafka:kafka_2\.13:(\S+)", JARS, re.MULTILINE)
    assert tested
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested[1]}"


async def test_the_database_is_the_major_version_that_tests_run_on(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert SERVICES["postgres"]["image"] == f"postgres:{connection.get_server_version().major}"
    finally:
        await connection.close()


def test_a_container_runs_for_each_service_and_the_site() -> None:
    assert set(OURS) == {*NAMES, "prepare"}
    assert {name: service["command"][1] for name, service in OURS.items() if name != "prepare"} == {
        name: name for name in NAMES
    }


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_that_the_command_line_has(name: str) -> None:
    command, *arguments = OURS[name]["command"]
    known = CliRunner().invoke(app, [command, "--help"])
    assert known.exit_code == 0, known.output
    for argument in arguments:
        if argument.startswith("--"):
            assert argument in known.output


@pytest.mark.parametrize("name", OURS)
def test_each_service_is_given_all_it_needs_and_nothing_unknown(name: str) -> None:
    given = {variable.removeprefix("CLARION_").lower() for variable in OURS[name]["environment"]}
    assert given <= set(Settings.model_fields)
    assert given >= set(NEEDED)


def test_addresses_point_at_services_of_this_file() -> None:
    for service in OURS.values():
        environment = service["environment"]
        assert re.search(r"@(\w+):5432/", environment["CLARION_DATABASE_URL"])[1] in SERVICES  # type: ignore[index]
        assert environment["CLARION_KAFKA_BOOTSTRAP"].split(":")[0] in SERVICES
        assert environment["CLARION_SMTP_URL"].removeprefix("smtp://").split(":")[0] in SERVICES


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for secret in ("CLARION_DATABASE_PASSWORD", "CLARION_SECRET_KEY"):
        assert set(re.findall(rf"\$\{{{secret}(..)", text)) == {":?"}


def test_everything_others_wait_for_has_a_health_check_and_every_volume_is_used() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert name in SERVICES
            assert wanted["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_ports_are_published_on_loopback_alone() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_image_installs_from_the_lock_with_hashes_and_runs_as_nobody_special() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "uv pip sync --require-hashes requirements.lock" in dockerfile
    assert re.search(r"^USER clarion$", dockerfile, re.MULTILINE)
    assert 'ENTRYPOINT ["clarion"]' in dockerfile


def test_every_service_has_a_builder() -> None:
    assert set(NAMES) == {*BUILDERS, "web"}
