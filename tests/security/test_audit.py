"""`make audit`: a finding fails, an exception has its reason and its day, and silence is not called clean."""

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from scripts.audit import judge, read_exceptions
from tests.conftest import REPOSITORY

TODAY = date(2027, 2, 1)
FOUND = {
    "dependencies": [
        {"name": "fine", "version": "1.0", "vulns": []},
        {
            "name": "holed",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-1", "aliases": ["GHSA-1"], "fix_versions": ["2.1"]}],
        },
    ]
}
PINNED = ["fine", "holed"]
EXCEPTION = {"id": "GHSA-1", "package": "holed", "reason": "we never call it", "until": date(2027, 2, 1)}


def audited(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """The audit with another program in the place of pip-audit."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return subprocess.run(
        [sys.executable, "scripts/audit.py"],
        env=os.environ | {"PIP_AUDIT": str(program)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_finding_fails_and_says_what_mends_it() -> None:
    verdict = judge(FOUND, PINNED, [], TODAY)
    assert verdict.failures == ["holed 2.0: PYSEC-1, mended in 2.1"]
    assert verdict.looked_up == 2


def test_an_exception_holds_for_its_package_until_its_day() -> None:
    assert judge(FOUND, PINNED, [EXCEPTION], TODAY).failures == []
    assert len(judge(FOUND, PINNED, [EXCEPTION], date(2027, 2, 2)).failures) == 1
    assert len(judge(FOUND, PINNED, [EXCEPTION | {"package": "fine"}], TODAY).failures) == 1
    [ended] = judge({}, [], [EXCEPTION], date(2027, 2, 2)).failures
    assert "remove it" in ended


def test_an_exception_without_reason_or_day_is_refused(tmp_path: Path) -> None:
    for text in ('id = "X"\npackage = "p"\nuntil = 2027-01-01', 'id = "X"\npackage = "p"\nreason = "r"'):
        file = tmp_path / "exceptions.toml"
        file.write_text(f"[[exception]]\n{text}\n")
        with pytest.raises(ValueError, match="an exception has"):
            read_exceptions(file)


def test_the_exceptions_in_use_are_well_formed() -> None:
    assert isinstance(read_exceptions(), list)


@pytest.mark.parametrize(
    "script",
    [
        "echo no route to host >&2; exit 1",
        "exit 127",
        """echo '{"dependencies": [{"name": "aiokafka", "skip_reason": "not there"}]}'""",
    ],
)
def test_a_source_that_does_not_answer_is_told_and_neither_fails_nor_counts_as_clean(
    tmp_path: Path, script: str
) -> None:
    run = audited(tmp_path, script)
    assert run.returncode == 0
    assert re.search(r"audit: 0 of \d+ pinned packages were looked up", run.stdout)
    assert "NOT AUDITED" in run.stdout


def test_the_command_fails_for_a_finding(tmp_path: Path) -> None:
    run = audited(tmp_path, f"echo '{json.dumps(FOUND)}'")
    assert run.returncode == 1
    assert "VULNERABLE: holed 2.0: PYSEC-1" in run.stdout


def test_it_is_part_of_ci_and_all_tools_are_pinned_with_hashes() -> None:
    assert "make audit" in (REPOSITORY / ".ci" / "run").read_text()
    lock = (REPOSITORY / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9_.-]+)==\S+.*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]\S*==", lock, re.MULTILINE))
    wanted = re.findall(r'^    "([A-Za-z0-9-]+)', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)
    assert {"pip-audit", "pytest", "ruff"} <= {name.lower() for name in wanted} & set(pins)


def test_types_are_checked_in_ci() -> None:
    assert "make check" in (REPOSITORY / ".ci" / "run").read_text()
    assert "$(BIN)/mypy" in (REPOSITORY / "Makefile").read_text()
    assert "[tool.mypy]" in (project := (REPOSITORY / "pyproject.toml").read_text())
    assert "strict = true" in project
