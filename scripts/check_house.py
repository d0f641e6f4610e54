"""Hold the code to the house's sizes and to its one-place rules; say each breach with its line."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 50
ONE_PLACE = {
    r"datetime\.(now|utcnow|today)\(": "clarion/runtime/clock.py",
    r"\buuid4\(|\bsecrets\.token": "clarion/runtime/ids.py",
    r"\.subscriber\(": "clarion/runtime/messaging/",
    r"AIOKafkaProducer\(|\.publish\(": "clarion/runtime/messaging/",
}
SQL_IN_CODE = re.compile(r"f?\"+\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s", re.IGNORECASE)
SQL_ALLOWED = ("clarion/runtime/database/", "clarion/runtime/embedded/")


def breaches(path: Path) -> Iterator[str]:
    """Every breach in one file, as `file:line what`."""
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > MOST_FILE_LINES:
        yield f"{name}:1 has {len(lines)} lines: split it (at most {MOST_FILE_LINES})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                yield f"{name}:{node.lineno} {node.name} has {length} lines (at most {MOST_FUNCTION_LINES})"
    if not name.startswith("clarion/"):
        return
    for number, line in enumerate(lines, 1):
        for pattern, home in ONE_PLACE.items():
            if re.search(pattern, line) and not name.startswith(home):
                yield f"{name}:{number} belongs in {home}: {line.strip()}"
        if SQL_IN_CODE.search(line) and not name.startswith(SQL_ALLOWED):
            yield f"{name}:{number} SQL belongs in a named file: {line.strip()}"


if __name__ == "__main__":
    files = sorted(path for folder in ("clarion", "scripts", "tests") for path in (ROOT / folder).rglob("*.py"))
    found = [breach for path in files for breach in breaches(path)]
    print("\n".join(found) or f"the house is in order: {len(files)} files")
    sys.exit(bool(found))
