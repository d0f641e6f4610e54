"""What holds for the code as it stands: nothing runs what comes in, secrets are secret, and nothing is turned off."""

import ast
import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pytest
import structlog
from pydantic_core import from_json

from clarion.runtime.ids import new_secret
from clarion.runtime.telemetry import configure_logs
from clarion.runtime.web.pages import STATIC
from clarion.services.directory.staff import sign_ins
from tests.conftest import REPOSITORY
from tests.sources import tree_of

INTO_POSTGRESQL = "clarion/services/directory/repository.py"
SECRETS = re.compile(r"(^|_)(token|secret|signature|digest|mac|key_hash|form_token|password)$")
CHECKED = "links.read("
"""What is compared after its signature was checked: what is equal is no secret to who made the form."""


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize("as_json", [True, False])
def test_a_log_entry_is_one_line_whatever_it_tells(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    configure_logs("INFO", as_json=as_json)
    structlog.get_logger("test").warning("told", id="a\r\n2027-01-01 [error] forged\x1b[31m")
    written = "".join(capsys.readouterr())
    assert len(written.strip().splitlines()) == 1, written
    assert "\x1b[31m" not in written


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """The package's files, read once."""
    return [
        (path.relative_to(REPOSITORY).as_posix(), tree_of(path))
        for path in sorted((REPOSITORY / "clarion").rglob("*.py"))
    ]


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Everything that the package's files call: the file, and what is called as it is written."""
    return [
        (path, ast.unparse(node.func), node)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


def test_nothing_that_comes_in_is_executed_unpickled_or_given_to_a_shell() -> None:
    forbidden = re.compile(
        r"(eval|exec|compile|__import__|os\.system|os\.popen|pickle\.\w+|marshal\.\w+|shelve\.\w+|yaml\.(load|unsafe_\w+)|"
        r".*\.from_string|subprocess\.getoutput|.*create_subprocess_shell)"
    )
    for path, name, call in calls():
        assert not forbidden.fullmatch(name), (path, name, call.lineno)
        assert not any(word.arg == "shell" for word in call.keywords), (path, name, call.lineno)


def test_no_statement_is_put_together_from_values() -> None:
    asked = re.compile(r".*\.(execute|executemany|fetch|fetchrow|fetchval|cursor)")
    home = ("clarion/runtime/database/", "clarion/runtime/embedded/", "clarion/services/benchmarks/")
    for path, name, call in calls():
        if asked.fullmatch(name) and call.args and not path.startswith(home):
            assert not isinstance(call.args[0], ast.JoinedStr | ast.BinOp), (path, name, call.lineno)


def is_ours(node: ast.expr) -> bool:
    """Whether a text stands in the code, or is put together of such."""
    if isinstance(node, ast.JoinedStr):
        return all(is_ours(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.BinOp):
        return is_ours(node.left) and is_ours(node.right)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return name == "re.escape" or (name.endswith((".join", "Markup")) and all(map(is_ours, node.args)))
    return (
        isinstance(node, ast.Constant) or re.fullmatch(r"[A-Z_0-9]+|[\w.]+\.[A-Z_0-9]+", ast.unparse(node)) is not None
    )


def test_no_pattern_is_made_of_what_comes_in() -> None:
    patterns = re.compile(r"re\.(compile|match|search|fullmatch|sub|subn|split|findall|finditer)")
    for path, name, call in calls():
        if patterns.fullmatch(name):
            assert is_ours(call.args[0]), (path, call.lineno, ast.unparse(call.args[0]))


def test_no_format_is_made_of_what_comes_in() -> None:
    for path, _, call in calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("format", "format_map"):
            assert is_ours(call.func.value), (path, call.lineno, ast.unparse(call))


def test_the_package_is_python_alone() -> None:
    kinds = {path.suffix for path in (REPOSITORY / "clarion").rglob("*") if path.is_file()}
    assert not kinds & {".so", ".c", ".cpp", ".pyx", ".rs", ".dll"}
    for path, name, call in calls():
        assert not name.startswith("ctypes.") or path.startswith("clarion/runtime/embedded/"), (path, call.lineno)


def test_no_template_trusts_what_it_shows() -> None:
    for path in (REPOSITORY / "clarion").rglob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path
        assert not re.search(r"<style|<script(?![^>]*\bsrc=\"/static)|\sstyle=|\son\w+=", text), path
        assert "target=" not in text or 'rel="noopener' in text, path


def test_every_table_for_a_spreadsheet_is_written_cell_by_cell_by_the_one_who_knows_formulas() -> None:
    writers = {path for path, name, _ in calls() if name in ("csv.writer", "csv.DictWriter") and "bench" not in path}
    writers -= {"clarion/schemas/sheets.py", INTO_POSTGRESQL}
    for path in writers:
        source = (REPOSITORY / path).read_text(encoding="utf-8")
        assert re.search(r"from clarion\.schemas\.sheets import .*\bcell\b", source), path
        assert all("cell(" in line for line in source.splitlines() if ".writerow(" in line and "COLUMNS" not in line)


def test_json_that_names_a_key_twice_or_is_too_deep_is_one_thing_to_all() -> None:
    assert from_json(b'{"a": 1, "a": 2}') == json.loads('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(ValueError, match="recursion"):
        from_json(b"[" * 100_000)


def test_a_sign_in_link_is_good_for_ten_minutes() -> None:
    assert timedelta(minutes=10) >= sign_ins.GOOD_FOR


def test_a_secret_has_256_bits() -> None:
    drawn = {new_secret() for _ in range(1_000)}
    assert len(drawn) == 1_000
    assert {len(base64.urlsafe_b64decode(each + "=")) for each in drawn} == {32}
    shorter = re.compile(r"new_secret\((\d+|\w+_BYTES)\)")
    for path in (REPOSITORY / "clarion").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for length in shorter.findall(text):
            found = length if length.isdigit() else re.search(rf"^{length} = (\d+)$", text, re.MULTILINE)[1]
            assert int(found) >= 16, (path, length)


def comparisons() -> Iterator[tuple[str, str]]:
    """Where something by the name of a secret is compared as any text is."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                sides = [node.left, *node.comparators]
                named = [getattr(side, "attr", getattr(side, "id", "")) for side in sides]
                if any(SECRETS.search(name) for name in named) and CHECKED not in ast.unparse(node):
                    yield path, ast.unparse(node)


def test_secrets_are_compared_in_the_same_time_whatever_is_given() -> None:
    assert list(comparisons()) == []


def test_what_cannot_be_guessed_comes_from_the_one_place_for_it() -> None:
    forbidden = re.compile(r"\brandom\.(random|choice|randint|getrandbits|randbytes|sample)\(")
    for path in (REPOSITORY / "clarion").rglob("*.py"):
        name = path.relative_to(REPOSITORY).as_posix()
        text = path.read_text(encoding="utf-8")
        if re.search(r"new_secret|new_id|token", text):
            assert not forbidden.search(text), name
        assert not re.search(r"hashlib\.(md5|sha1)\(|['\"](md5|sha1)['\"]", text), name


def test_no_script_of_ours_keeps_anything() -> None:
    for path in STATIC.rglob("*.js"):
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|__proto__", path.read_text()), (
            path
        )
    assert {path.suffix for path in STATIC.rglob("*.*")} <= {".css", ".js", ".svg", ".png", ".woff2"}


def test_nothing_turns_the_look_at_certificates_off() -> None:
    off = re.compile(r"CERT_NONE|_create_unverified|check_hostname = False|verify=False|ssl\.PROTOCOL_")
    for path in (REPOSITORY / "clarion").rglob("*.py"):
        assert not off.search(path.read_text(encoding="utf-8")), path
