"""`clarion bench pipeline` runs the real path and prints what the contract names; `serve --workers` is a part of it."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import Until

NAMED = {
    "mails_per_second",
    "cpu_seconds_per_1000",
    "peak_memory_mb",
    "seconds_to_first",
    "seconds_to_last",
    "ceilings",
    "ratio_to_slowest_ceiling",
}


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_one_alert_is_measured_to_the_last_mail_with_two_processes_that_send() -> None:
    bench = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clarion", "bench", "pipeline", "--recipients", "300", "--workers", "2", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await bench.communicate()
    assert bench.returncode == 0, complaint.decode()
    report = json.loads(said)
    assert report.keys() >= NAMED
    assert (report["mails"], report["missing"], report["workers"]) == (300, 0, 2)
    assert report["ceilings"].keys() == {"render", "smtp", "ledger", "fan_out"}
    assert 0 < report["seconds_to_first"] <= report["seconds_to_half"] <= report["seconds_to_last"]


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_bench_that_is_killed_leaves_no_service_and_no_sink_at_work(tmp_path: Path, until: Until) -> None:
    bench = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clarion", "bench", "pipeline", "--recipients", "100000", "--json"),
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        working = await until(lambda: three_at_work(bench.pid), 90)
    finally:
        bench.kill()
        await bench.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, working, 60)
    assert not alive


def three_at_work(bench: int) -> list[psutil.Process]:
    """The two services that a bench runs and its sink, once all are there."""
    found = []
    for one in psutil.Process(bench).children():
        # Some of its children end by themselves.
        with contextlib.suppress(psutil.NoSuchProcess):
            if {"serve", "clarion.services.benchmarks.sink_process"} & set(one.cmdline()):
                found.append(one)
    return found if len(found) == 3 else []


async def test_a_sink_that_cannot_be_had_is_said_in_a_line() -> None:
    bench = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clarion", "bench", "pipeline", "--sink", "nowhere"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await bench.communicate()
    assert bench.returncode == 1
    assert (
        complaint.decode().strip() == "'nowhere' is no sink: it is smtp-sink, an smtp:// URL, or left out for our own"
    )
