"""Write into docs/operators.md what comes from elsewhere: the settings from the code, the figures from the benches.

With --check only say whether they are current.
"""

import ast
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from clarion.runtime.settings import Settings, variable_of
from clarion.services.builders import BUILDERS, NEEDED

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "operators.md"
BENCHES = ROOT / "docs" / "benchmarks"
EMBEDDED = ("clarion/runtime/embedded/", "clarion/services/stack.py", "clarion/services/up.py")
DOCTOR = "clarion/services/doctor/"
ASIDE = ("clarion/services/benchmarks/", "clarion/services/demonstration/", "clarion/runtime/settings.py")


def readers() -> dict[str, set[str]]:
    """Which part of the code reads each setting."""
    found: dict[str, set[str]] = {name: set() for name in Settings.model_fields}
    for path in sorted((ROOT / "clarion").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(ASIDE):
            continue
        for name in read_in(path):
            found[name].add(part_of(place))
    return found


def read_in(path: Path) -> Iterator[str]:
    """The settings that a file reads, as attributes of something called settings."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in Settings.model_fields:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name.lstrip("_") == "settings":
                yield node.attr


def part_of(place: str) -> str:
    """Who runs the code of a file: a service, `up`, `doctor`, or every process."""
    if place.startswith(EMBEDDED):
        return "up"
    if place.startswith(DOCTOR):
        return "doctor"
    return next((name for name in BUILDERS if place.startswith(f"clarion/services/{name}/")), "all")


def told_readers(parts: set[str]) -> str:
    """The same for people: the services where there are some, else whoever there is."""
    if "all" in parts or parts >= set(BUILDERS):
        return "all"
    return ", ".join(sorted(parts & set(BUILDERS)) or sorted(parts))


def told_default(name: str, field: FieldInfo) -> str:
    """What holds where it is not set."""
    if name in NEEDED:
        return "required"
    default = field.get_default(call_default_factory=True)
    return "" if default in (None, "", ()) else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def table() -> str:
    """The settings in the order of the code; secrets are marked."""
    lines = ["| variable | default | what for | read by |", "|---|---|---|---|"]
    by_whom = readers()
    for name, field in Settings.model_fields.items():
        secret = "" if field.repr else " (secret)"
        what = str(field.description).replace("|", "\\|")
        parts = told_readers(by_whom[name])
        lines.append(f"| `{variable_of(name)}`{secret} | {told_default(name, field)} | {what} | {parts} |")
    return "\n".join(lines) + "\n"


def bench(name: str) -> dict[str, Any]:
    """What a bench said last."""
    said: dict[str, Any] = json.loads((BENCHES / f"{name}.json").read_bytes())
    return said


def figures() -> str:
    """What was measured, in sentences."""
    mail, ledger = bench("pipeline"), bench("ledger")
    cpu = mail["cpu_seconds_per_1000_of"]
    sentences = (
        f"Measured on {mail['machine'].partition(',')[0]}, with database, broker and relay on the same machine:",
        f"{mail['mails_per_second']:,} mails a second, the first after {mail['seconds_to_first']:.1f} s,",
        f"with {mail['peak_memory_mb']:.0f} MB of memory at most. A thousand mails take {cpu['ours']:.2f} CPU seconds",
        f"of ours, {cpu['database']:.2f} of the database's and {cpu['broker']:.2f} of the broker's.",
        f"Beside {ledger['rows']:,} old mails",
        f"the ledger claims at {ledger['claims_ratio']:.0%} of the rate without any,",
        f"marks and settles at {ledger['marks_and_outcomes_ratio']:.0%}, looks up at {ledger['look_ups_ratio']:.0%}",
        f"and takes requests at {ledger['requests_ratio']:.0%}, {ledger['requests_per_second']:,} a second.",
    )
    return textwrap.fill(" ".join(sentences), 120) + "\n"


def written(text: str, name: str, content: str) -> str:
    """The guide with this content between its marks."""
    begin, end = f"<!-- {name}: written by `make schemas` -->\n", f"<!-- {name} end -->\n"
    before, mark, rest = text.partition(begin)
    _, closing, after = rest.partition(end)
    if not (mark and closing):
        raise ValueError(f"{GUIDE.name} has no place for the {name}: {begin.strip()}")
    return f"{before}{begin}{content}{end}{after}"


def main() -> int:
    """Write both, or with --check only compare; 1 if one is not current."""
    text = GUIDE.read_text(encoding="utf-8")
    current = written(written(text, "settings", table()), "figures", figures())
    if "--check" in sys.argv:
        print("current" if text == current else "docs/operators.md: settings or figures changed: run `make schemas`")
        return int(text != current)
    GUIDE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
