"""Alert rules and dashboard ask for figures that there are, by labels that they have, and say what to do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from typer.testing import CliRunner

from clarion.services.cli import app
from clarion.services.notifications.bounces.said import KINDS
from clarion.services.notifications.domain.lanes import ORDER
from clarion.services.notifications.domain.replies import Kind
from clarion.services.notifications.domain.states import MOVES
from tests.services.figures import FAMILIES

DEPLOY = Path(__file__).parent.parent / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/clarion.rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/clarion.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
BY_SCRAPING = {"job", "instance"}
LABELS: dict[str, set[str]] = {
    **{name: set(family.labels) for name, family in FAMILIES.items()},
    **{f"clarion_handler_seconds_{part}": {"service", "topic", "le"} for part in ("bucket", "count", "sum")},
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
}
VALUES = {
    "lane": set(ORDER),
    "outcome": {*get_args(Kind), "accepted", "in-doubt", "out-of-time", "not-tried"},
    "service": {"legislation", "directory", "campaigns", "notifications", "registrations"},
    "what": {"relays", "domains", "pauses"},
    "job": {"clarion"},
    "state": {*MOVES, "busy", "idle", "most", "waiting", "unread"},
    "kind": set(KINDS),
    "why": {"forged", "not-ours", "too-many", "connections", "away"},
}
METRIC = re.compile(r"\b(clarion_\w+|up|process_\w+)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|ignoring|on)\s*\(([^)]*)\)")


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


ASKED = [pytest.param(expr, id=f"{name}: {expr[:30]}") for name, expr in expressions()]


@pytest.mark.parametrize("expr", ASKED)
def test_each_expression_asks_for_figures_and_labels_that_there_are(expr: str) -> None:
    used = METRIC.findall(expr)
    assert used
    for name, matchers in used:
        assert name in LABELS, f"{name} is no figure"
        for label, _, wanted in MATCHER.findall(matchers):
            assert label in LABELS[name] | BY_SCRAPING, f"{name} has no label {label}"
            assert set(wanted.split("|")) <= VALUES[label], f"{label} is never {wanted}"
    labels = set().union(*(LABELS[name] for name, _ in used)) | BY_SCRAPING
    for group in GROUPED.findall(expr):
        assert {label.strip() for label in group.split(",")} <= labels


def test_a_counter_is_asked_for_its_growth_alone() -> None:
    counters = [name for name, family in FAMILIES.items() if family.kind == "counter"]
    assert all(name.endswith("_total") for name in counters)
    assert not [name for name, family in FAMILIES.items() if family.kind == "gauge" and name.endswith("_total")]
    for _, expr in expressions():
        for name in counters:
            for found in re.finditer(rf"\b{name}\b", expr):
                assert re.search(r"(rate|increase)\($", expr[: found.start()]), expr


def test_every_figure_is_looked_at_by_an_alert_or_on_the_dashboard() -> None:
    asked = " ".join(expr for _, expr in expressions())
    unseen = {name for name in FAMILIES if not re.search(rf"\b{name}\b", asked)}
    assert unseen <= {"clarion_build_info", "clarion_consumer_partitions", "clarion_ledger_pool_connections"}


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in RULES])
def test_each_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert len(rule["annotations"]["summary"]) > 20
    action = rule["annotations"]["action"]
    assert action
    labels = set().union(*(LABELS[name] for name, _ in METRIC.findall(rule["expr"]))) | BY_SCRAPING
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"] + action):
        assert label in labels
    for command in re.findall(r"clarion ((?:[a-z-]+ ?){1,2})", action):
        words = command.split()
        known = CliRunner().invoke(app, [words[0], "--help"])
        assert known.exit_code == 0, f"there is no clarion {words[0]}"


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    mentioned = re.findall(r"\bClarion[A-Z]\w+", json.dumps([rule["annotations"] for rule in RULES]))
    assert set(mentioned) <= set(names)


def test_panels_do_not_overlap_and_each_asks_the_chosen_prometheus() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + column, place["y"] + line) for column in range(place["w"]) for line in range(place["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}


def test_prometheus_scrapes_the_port_where_health_is_served() -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    assert scraped["rule_files"] == ["clarion.rules.yml"]
    (job,) = scraped["scrape_configs"]
    targets = {target.split(":")[0] for target in job["static_configs"][0]["targets"]}
    assert targets == {*VALUES["service"], "web"}
