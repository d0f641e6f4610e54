"""`clarion directory import` as a person runs it."""

import json

import pytest
from typer.testing import CliRunner

from clarion.services.directory.commands import directory

DIVISIONS = "slug,name\na,Alpha\nb,Beta\n,Nobody\n"


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)
    (tmp_path / "divisions.csv").write_text(DIVISIONS)

    def invoke(*words):
        return CliRunner().invoke(directory, ["import", *words])

    return invoke


def test_json_has_the_counts_and_each_rejection(run):
    result = run("divisions", "divisions.csv", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert {name: report[name] for name in ("kind", "added", "changed", "unchanged", "rejected")} == {
        "kind": "divisions",
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "rejected": 1,
    }
    assert report["rejections"] == [{"file": "divisions.csv", "line": 4, "reason": "slug: is missing"}]


def test_people_read_file_line_and_reason(run):
    result = run("divisions", "divisions.csv")
    assert result.exit_code == 0
    assert "divisions.csv, line 4: slug: is missing" in result.stdout
    assert result.stderr == ""


def test_nothing_imported_is_a_failure(run, tmp_path):
    (tmp_path / "bad.csv").write_text("slug,name\n,Nobody\n")
    result = run("divisions", "bad.csv")
    assert (result.exit_code, result.stderr) == (1, "nothing was imported\n")
    assert "bad.csv, line 2" in result.stdout


def test_a_file_that_cannot_be_read_is_a_failure_in_words(run, tmp_path):
    (tmp_path / "bad.csv").write_text("name\nA\n")
    result = run("divisions", "bad.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "bad.csv: missing columns slug; known: slug, name, manager_name, manager_email, manager_phone\n"
    )


def test_an_unknown_kind_is_wrong_use(run):
    assert run("planets", "divisions.csv").exit_code == 2


def test_without_a_database_it_says_what_to_do(run, monkeypatch):
    monkeypatch.delenv("CLARION_DATABASE_URL")
    result = run("divisions", "divisions.csv")
    assert result.exit_code == 1
    assert "CLARION_DATABASE_URL not set" in result.stderr


def test_help_has_an_example():
    result = CliRunner().invoke(directory, ["import", "--help"])
    assert "Example: clarion directory import officials roster.csv" in result.stdout
