"""Write the JSON Schemas of all contracts to clarion/schemas/json."""

from pathlib import Path

from clarion.schemas.documents import json_schemas

FOLDER = Path(__file__).parent.parent / "clarion" / "schemas" / "json"

if __name__ == "__main__":
    for name, text in json_schemas():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
