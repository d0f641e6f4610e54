"""`clarion doctor`."""

import asyncio
from typing import Annotated

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.output import print_json
from clarion.runtime.settings import load_settings
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.commands import Finding
from clarion.services.doctor.examination import examine
from clarion.services.doctor.findings import Patient
from clarion.services.doctor.names import DnsNames

MARKS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}


def doctor(
    dns_server: Annotated[
        str | None, typer.Option("--dns-server", metavar="HOST[:PORT]", help="ask this name server")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Look at database, broker, topics, relays, DNS, clocks, disk and settings, and say what to do.

    Nothing is changed and no mail is sent. The exit code is 1 if there is a problem.

    Example: clarion doctor --json
    """
    configure_logs("CRITICAL", as_json=False)
    findings = asyncio.run(examine(Patient(load_settings(), system_clock, DnsNames(dns_server))))
    if as_json:
        print_json(findings)
    else:
        _print(findings)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{MARKS[finding.level]} {finding.area}: {finding.what}")
        if finding.todo:
            typer.echo(f"        -> {finding.todo}")
    counts = [sum(finding.level == level for finding in findings) for level in ("problem", "warning")]
    typer.echo(f"{counts[0]} problems, {counts[1]} warnings")
