"""Run the benches and keep what they say in docs/benchmarks, with the date and the kind of machine.

scripts/record_benches.py [--recipients N] [--rows N] [NAME...]: pipeline, fanout, registrations, ledger, directory;
all if none is named.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from clarion.services.benchmarks.meters import interpreter

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "docs" / "benchmarks"
CLARION = Path(sys.executable).parent / "clarion"
SYSTEM_FOLDERS = "/usr/sbin:/usr/libexec/postfix"


def machine() -> str:
    """What it ran on, without its name."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, {interpreter()}"


def commands(recipients: int, rows: int) -> dict[str, list[str]]:
    """The benches and their arguments."""
    sink = "smtp-sink" if shutil.which("smtp-sink") or shutil.which("smtp-sink", path=SYSTEM_FOLDERS) else "ours"
    workers = str(os.cpu_count() or 1)
    sizes = ["--recipients", str(recipients), "--sink", sink, "--workers", workers, "--connections", "200"]
    return {
        "pipeline": ["pipeline", *sizes],
        "fanout": ["fanout", "--recipients", str(recipients)],
        "registrations": ["registrations"],
        "ledger": ["ledger", "--rows", str(rows)],
        "directory": ["directory"],
    }


def record(name: str, arguments: list[str]) -> int:
    """Run one and keep its result; its exit code."""
    print(f"clarion bench {' '.join(arguments)}", flush=True)
    done = subprocess.run([CLARION, "bench", *arguments, "--json"], capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        print(done.stderr, file=sys.stderr)
        return done.returncode or 1
    said = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "command": arguments,
        **json.loads(done.stdout),
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(said, indent=1), flush=True)
    return done.returncode


def main() -> int:
    """All benches that were asked for; the worst exit code."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--recipients", type=int, default=100_000)
    asked.add_argument("--rows", type=int, default=50_000_000)
    asked.add_argument("names", nargs="*")
    given = asked.parse_args()
    benches = commands(given.recipients, given.rows)
    code = max(record(name, benches[name]) for name in given.names or benches)
    subprocess.run([sys.executable, ROOT / "scripts" / "write_guides.py"], check=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
