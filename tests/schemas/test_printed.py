"""What operators' commands print as JSON: the committed schemas are current, golden documents still read the same."""

import json
from pathlib import Path

import pytest

import clarion.schemas
from clarion.schemas.commands import PRINTED, printed_schemas

FOLDER = Path(clarion.schemas.__file__).parent / "json" / "commands"


def test_the_committed_schemas_of_commands_are_those_of_the_code() -> None:
    committed = {path.name: path.read_text("utf-8") for path in (FOLDER / "schemas").iterdir()}
    assert committed == dict(printed_schemas()), "run `make schemas` and commit what changed"


def test_every_command_has_a_golden_document() -> None:
    assert {path.stem for path in (FOLDER / "golden").iterdir()} == set(PRINTED)


@pytest.mark.parametrize("command", PRINTED)
def test_a_golden_document_of_a_command_reads_as_it_was_written(command: str) -> None:
    text = (FOLDER / "golden" / f"{command}.json").read_text("utf-8")
    read = PRINTED[command].model_validate_json(text)
    assert read.model_dump(mode="json") == PRINTED[command].model_validate(json.loads(text)).model_dump(mode="json")
    assert set(json.loads(text)) == set(type(read).model_fields)
