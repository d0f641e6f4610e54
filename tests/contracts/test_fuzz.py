"""Requests made from the description, right and wrong ones, against the whole site on a real PostgreSQL."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts.conftest import Site

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
EXAMPLES = os.environ.get("TEST_FUZZ_EXAMPLES", "4")
# What is right by the schema may still be refused: a year out of reach, two questions of one name, an event too large.
NOT_CHECKED = "positive_data_acceptance"


# An update has five types in three envelopes, a draft forty fields: to try each bound of each of them takes minutes.
# What is too long for an address is refused before anything in it is looked at.
SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "413", "414", "422", "429"]

[[operations]]
include-operation-id = ["post_updates", "create_campaign", "count_campaign"]
phases.coverage.enabled = false
"""


def with_short_lists(node: Any) -> Any:
    """The description without the lengths of its longest lists: such bodies are too large anyway, and slow to make."""
    if isinstance(node, dict):
        return {key: with_short_lists(value) for key, value in node.items() if key != "maxItems" or value <= 20}
    return [with_short_lists(value) for value in node] if isinstance(node, list) else node


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_answers_as_it_describes_whatever_is_asked(site: Site, tmp_path: Path) -> None:
    description = httpx.get(f"{site.url}/api/openapi.json").json()
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    (tmp_path / "openapi.json").write_text(json.dumps(with_short_lists(description)))
    found = subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            "openapi.json",
            f"--url={site.url}",
            "--header",
            f"Authorization: Bearer {site.key}",
            "--checks=all",
            f"--exclude-checks={NOT_CHECKED}",
            f"--max-examples={EXAMPLES}",
            "--seed=79",
            "--generation-database=none",
            "--exclude-tag=operation",
            "--continue-on-failure",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr
