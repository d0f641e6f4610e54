"""Write the JSON Schemas of all contracts to clarion/schemas/json."""

from pathlib import Path

from clarion.schemas.commands import printed_schemas
from clarion.schemas.documents import json_schemas

FOLDER = Path(__file__).parent.parent / "clarion" / "schemas" / "json"

if __name__ == "__main__":
    printed = [(f"commands/schemas/{name}", text) for name, text in printed_schemas()]
    for name, text in [*json_schemas(), *printed]:
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
