"""docker-compose.yml and Dockerfile say what the code does: versions, commands, ports and variables."""

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from clarion.runtime.embedded.postgres import MAX_CONNECTIONS
from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.process import DRAIN_SECONDS
from clarion.runtime.settings import Settings, slips
from clarion.services.builders import BUILDERS, NAMES, NEEDED
from clarion.services.cli import app

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
ONCE = ("migrate", "topics")
SITE_SECONDS = 5
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
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


def test_a_container_runs_for_each_service_and_the_site_after_two_that_prepare() -> None:
    assert set(OURS) == {*NAMES, *ONCE}
    assert {name: service["command"][:2] for name, service in OURS.items() if name in NAMES} == {
        name: ["serve", name] for name in NAMES
    }
    for name in NAMES:
        waited_for = OURS[name]["depends_on"]
        assert {one: waited_for[one]["condition"] for one in ONCE} == dict.fromkeys(
            ONCE, "service_completed_successfully"
        )
    for name in ONCE:
        assert OURS[name]["command"] == [name]
        assert OURS[name]["restart"] == "no"
        assert OURS[name]["healthcheck"] == {"disable": True}


def test_everything_that_stays_comes_back_has_limits_and_is_asked_how_it_is() -> None:
    for name, service in SERVICES.items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
        if name not in ONCE:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"][0] == "CMD"


def test_containers_of_ours_may_do_little() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_container_is_given_the_time_that_draining_may_take() -> None:
    for service in OURS.values():
        assert int(service["stop_grace_period"].removesuffix("s")) > 3 * DRAIN_SECONDS + SITE_SECONDS


def test_only_services_reach_broker_and_database() -> None:
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    for name in ("kafka", "postgres"):
        assert SERVICES[name]["networks"] == ["servers"]
        assert "ports" not in SERVICES[name]


def test_the_database_takes_as_many_connections_as_the_one_tested() -> None:
    assert f"max_connections={MAX_CONNECTIONS}" in SERVICES["postgres"]["command"]


async def test_every_setting_of_the_broker_is_one_that_it_has(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    finally:
        await admin.close()
    known = {entry[0] for entry in answer.resources[0][4]}
    given = set(SERVICES["kafka"]["environment"]) - {"KAFKA_HEAP_OPTS"}
    assert {name.removeprefix("KAFKA_").lower().replace("_", ".") for name in given} <= known
    assert f"{SERVICES['kafka']['environment']['KAFKA_LOG_DIRS']}" in SERVICES["kafka"]["volumes"][0]


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
    values = {variable: substituted(value) for variable, value in OURS[name]["environment"].items()}
    # what is empty in the environment is not set
    said = {key.removeprefix("CLARION_").lower(): each for key, each in values.items() if each}
    settings = Settings(_env_file=None, **said)
    assert kafka_options(settings)["bootstrap_servers"] == "kafka:9092"
    assert slips(values) == {}


def substituted(text: str) -> str:
    """With what a careful operator fills in."""
    return re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)\}", lambda found: "filled-in" if found[1] is None else found[1], text)


def test_what_is_asked_for_is_in_the_example_and_says_what_it_is() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    example = (ROOT / ".env.example").read_text("utf-8")
    asked = set(re.findall(r"\$\{(CLARION_\w+)", text))
    assert asked == set(re.findall(r"^#?(CLARION_\w+)=", example, re.MULTILINE))
    assert set(re.findall(r"^(CLARION_\w+)=$", example, re.MULTILINE)) == set(re.findall(r"\{(\w+):\?set ", text))
    assert slips(dict.fromkeys(asked, "")) == {}


def test_addresses_point_at_services_of_this_file() -> None:
    for service in OURS.values():
        environment = service["environment"]
        assert re.search(r"@(\w+):5432/", environment["CLARION_DATABASE_URL"])[1] in SERVICES  # type: ignore[index]
        assert environment["CLARION_KAFKA_BOOTSTRAP"].split(":")[0] in SERVICES
        assert substituted(environment["CLARION_SMTP_URL"]).removeprefix("smtp://").split(":")[0] in SERVICES


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
    _, build, final = DOCKERFILE.split("\nFROM ")
    installed = [line for line in build.replace("\\\n", " ").splitlines() if "--constraint" in line]
    assert "".join(installed).count("--constraint requirements.lock") == 2
    assert "".join(installed).count("--require-hashes") == 2
    assert not re.search(r"apt-get|build-essential|gcc|pip|uv ", final)
    assert re.search(r"^USER [1-9]\d*$", final, re.MULTILINE)
    assert 'ENTRYPOINT ["clarion"]' in final


def test_the_image_is_asked_as_the_containers_are_and_where_the_process_answers() -> None:
    command = json.loads(re.search(r"HEALTHCHECK .* CMD (\[.*\])", DOCKERFILE)[1])  # type: ignore[index]
    checks = {tuple(OURS[name]["healthcheck"]["test"][1:]) for name in NAMES}
    assert checks == {tuple(command)}
    assert CliRunner().invoke(app, [*command[1:], "--help"]).exit_code == 0
    ports = {OURS[name]["environment"]["CLARION_HEALTH_PORT"] for name in NAMES}
    assert ports == set(re.findall(r"CLARION_HEALTH_PORT=(\d+)", DOCKERFILE))
    exposed = set(re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[1].split())  # type: ignore[index]
    assert exposed == ports | {published.split(":")[-1] for published in OURS["web"]["ports"]}


def test_what_the_image_copies_is_let_through_and_nothing_else_is() -> None:
    first, *allowed = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert first == "*"
    assert {name.removeprefix("!") for name in allowed if name.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_every_service_has_a_builder() -> None:
    assert set(NAMES) == {*BUILDERS, "web"}
