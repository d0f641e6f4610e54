"""Ask for known vulnerabilities of all that requirements.lock pins, of the tools too.

A finding fails unless .ci/audit-exceptions.toml lets it pass for now. What could not be looked up is said loudly and
fails nothing, but nothing is called clean that was not looked up.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
EXCEPTIONS = ROOT / ".ci" / "audit-exceptions.toml"
PROGRAM = os.environ.get("PIP_AUDIT", str(Path(sys.executable).parent / "pip-audit"))
COMMAND = (PROGRAM, "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "-r")
PATIENCE_SECONDS = 300
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==", re.MULTILINE)


@dataclass
class Verdict:
    """What the audit came to."""

    failures: list[str] = field(default_factory=list)
    let_pass: list[str] = field(default_factory=list)
    looked_up: int = 0
    unknown: list[str] = field(default_factory=list)


def judge(
    report: Mapping[str, Any], pinned: Sequence[str], exceptions: Sequence[Mapping[str, Any]], today: date
) -> Verdict:
    """What pip-audit reported, by the exceptions of today; a package that it does not mention was not looked up."""
    verdict, used = Verdict(), list[Mapping[str, Any]]()
    answered = {normal(each["name"]): each for each in report.get("dependencies", []) if "vulns" in each}
    verdict.looked_up = len(answered)
    verdict.unknown = [name for name in pinned if normal(name) not in answered]
    for name, each in answered.items():
        for found in each["vulns"]:
            names = {found["id"], *found.get("aliases", [])}
            passing = [one for one in exceptions if normal(one["package"]) == name and one["id"] in names]
            used += passing
            told = (
                f"{name} {each['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version'}"
            )
            if any(today <= one["until"] for one in passing):
                verdict.let_pass.append(f"{told}; let pass until {passing[0]['until']}: {passing[0]['reason']}")
            else:
                verdict.failures.append(told)
    ended = [one for one in exceptions if one not in used and today > one["until"]]
    verdict.failures += [f"the exception for {one['id']} of {one['package']} ended: remove it" for one in ended]
    return verdict


def normal(name: str) -> str:
    """A package's name as all spellings of it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_exceptions(path: Path = EXCEPTIONS) -> list[dict[str, Any]]:
    """The exceptions.

    Raises:
        ValueError: one lacks its package, reason or last day.
    """
    found: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8")).get("exception", [])
    for one in found:
        if not (one.get("id") and one.get("package") and one.get("reason") and type(one.get("until")) is date):
            raise ValueError(f"{path.name}: an exception has id, package, reason and until (a date): {one}")
    return found


def ask() -> tuple[dict[str, Any], str]:
    """What pip-audit reports, and why not if it does not."""
    try:
        run = subprocess.run(
            [*COMMAND, LOCK], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, cwd=ROOT
        )
        report: dict[str, Any] = json.loads(run.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, str(error)
    except ValueError:
        return {}, (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return report, ""


def main() -> int:
    """Say what was found; 1 if something is to be mended."""
    report, trouble = ask()
    pinned = PINNED.findall(LOCK.read_text(encoding="utf-8"))
    verdict = judge(report, pinned, read_exceptions(), datetime.now(UTC).date())
    for line in verdict.let_pass:
        print(f"let pass: {line}")
    for line in verdict.failures:
        print(f"VULNERABLE: {line}")
    print(
        f"audit: {verdict.looked_up} of {len(pinned)} pinned packages were looked up, {len(verdict.failures)} findings"
    )
    if verdict.unknown:
        some = ", ".join(verdict.unknown[:5]) + (" ..." if len(verdict.unknown) > 5 else "")
        print(
            f"NOT AUDITED: nothing is known of {len(verdict.unknown)} packages ({some}): their source did not answer."
        )
        print(f"{trouble or 'It knows none of these.'} Run `make audit` where it can be reached before you release.")
    return bool(verdict.failures)


if __name__ == "__main__":
    sys.exit(main())
