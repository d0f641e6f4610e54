"""A command starts without the code that it does not need, of which there is a second's worth."""

import subprocess
import sys

import pytest

LOADING = """
import sys
from clarion.services.cli import COMMANDS
for name in sys.argv[1:]:
    COMMANDS[name].load(name)
print(*sys.modules)
"""
BUILDING = "import sys, clarion.services.running, clarion.services.legislation.app; print(*sys.modules)"
LIGHT = ("up", "demo", "serve", "migrate", "topics", "health", "publish", "replay", "dead-letters")


def modules(code: str, *words: str) -> set[str]:
    """What is read by a process of its own that does this."""
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("heavy", ["fastapi", "faststream", "icalendar", "clarion.services.running"])
def test_help_is_there_without_the_services_code(heavy: str, light: set[str]) -> None:
    assert heavy not in light


@pytest.fixture(scope="session")
def light() -> set[str]:
    return modules(LOADING, *LIGHT)


def test_a_process_reads_the_code_of_those_services_alone_that_it_builds() -> None:
    read = modules(BUILDING)
    assert "clarion.services.legislation.app" in read
    assert not {"clarion.services.notifications.app", "clarion.services.campaigns.app", "clarion.services.web"} & read
