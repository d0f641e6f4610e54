"""Write the documents of all contracts to clarion/schemas/json: JSON Schemas and AsyncAPI."""

from collections.abc import Iterator

from clarion.runtime.documents import FOLDER, examples
from clarion.schemas.commands import printed_schemas
from clarion.schemas.documents import documents


def written() -> Iterator[tuple[str, str]]:
    """Each document's place under the folder, and its text."""
    yield from documents(examples())
    for name, text in printed_schemas():
        yield f"commands/schemas/{name}", text


if __name__ == "__main__":
    for name, text in written():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
