"""`clarion directory import` as a person runs it."""

import json

import pytest
from typer.testing import CliRunner

from clarion.runtime.staff.audit import Actor
from clarion.services.directory.commands import EXAMPLES, directory
from clarion.services.directory.domain.rows import COLUMNS

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


def test_help_has_an_example_and_the_columns_of_each_kind():
    result = CliRunner().invoke(directory, ["import", "--help"])
    assert "Example: clarion directory import officials roster.csv" in result.stdout
    for kind in EXAMPLES:
        assert all("".join(line.split()) in "".join(result.stdout.split()) for line in EXAMPLES[kind])


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_example_of_the_help_is_a_line_that_can_be_taken(understand, kind):
    columns, line = EXAMPLES[kind]
    assert set(columns.split(",")) == set(COLUMNS[kind].model_fields)
    _, rejections = understand(kind, f"{columns}\n{line}\n")
    assert all("is not known" in found.reason or "no legislator" in found.reason for found in rejections)


def test_a_dry_run_names_what_would_happen_and_leaves_it(run, tmp_path):
    run("divisions", "divisions.csv")
    (tmp_path / "next.csv").write_text("slug,name\na,Alef\nc,Gamma\n")
    result = run("divisions", "next.csv", "--full", "--dry-run", "--yes")
    assert result.exit_code == 0
    assert [line.split("  ")[-1].strip() for line in result.stdout.splitlines() if ": " in line] == [
        "left: b Beta",
        "changed: a Alef (name)",
        "added: c Gamma",
    ]
    assert json.loads(run("divisions", "divisions.csv", "--json").stdout)["unchanged"] == 2


def test_too_many_missing_is_a_failure_that_says_what_to_do(run, tmp_path):
    run("divisions", "divisions.csv")
    (tmp_path / "next.csv").write_text("slug,name\na,Alpha\n")
    result = run("divisions", "next.csv", "--full", "--json")
    assert result.exit_code == 1
    assert "1 of 2 are missing" in result.stderr
    assert "--yes" in result.stderr
    report = json.loads(result.stdout)
    assert (report["left"], report["import_id"]) == (1, None)
    assert report["effects"] == [{"effect": "left", "id": "b", "name": "Beta", "fields": []}]
    assert run("divisions", "next.csv", "--full", "--yes").exit_code == 0


async def test_an_import_by_command_is_in_the_record_of_acts(bring, database):
    report = await bring("divisions", DIVISIONS, actor=Actor("command", "ada", "ada", "terminal"))
    async with database.connection() as connection:
        act = await connection.fetchrow("SELECT * FROM clarion.audit WHERE act = 'directory.imported'")
    assert (act["subject"], act["actor_id"], act["details"]["added"]) == (f"import:{report.import_id}", "ada", 2)


async def test_a_dry_run_is_no_act(bring, database):
    await bring("divisions", DIVISIONS, dry_run=True, actor=Actor("command", "ada", "ada", "terminal"))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM clarion.audit") == 0
