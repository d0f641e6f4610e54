"""What guides and README quote exists: commands with their options, topics, settings, files."""

import re
import shlex
import subprocess
import sys

import click
import pytest
import typer

from clarion.runtime.settings import Settings, variable_of
from clarion.schemas.topics import TOPICS
from clarion.services.cli import app
from tests.conftest import REPOSITORY
from tests.documents import DOCUMENTS, FENCE, commands, read

STANDS_FOR = re.compile(r"^[A-Z]+$|^\.\.\.$|^NAME\.\.\.$")
VARIABLE = re.compile(r"CLARION_[A-Z_]+")
TOPIC = re.compile(r"\b(?:legislation|directory|campaigns|notifications|registrations)\.[a-z-]+\.v\d+(?:\.dead)?\b")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(#[^)]*)?\)")
FOR_COMPOSE = {"CLARION_DATABASE_PASSWORD"}
QUOTED = [(where, command) for document in DOCUMENTS for where, command in commands(document)]


def refusal(command: str) -> str | None:
    """Why there is no such command, or None: groups, commands and options are looked up, arguments counted."""
    words = shlex.split(re.sub(r"\s[|>&].*$|\)\"?$", "", command), comments=True)
    found: click.Command = typer.main.get_command(app)
    context = click.Context(found)
    while words and hasattr(found, "get_command"):
        following = found.get_command(context, words[0])
        if following is None:
            return f"no command {words[0]!r}"
        found, context = following, click.Context(following)
        words = words[1:]
    options = {name: one for one in found.params for name in [*one.opts, *one.secondary_opts] if name.startswith("-")}
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            option = options.get(word.partition("=")[0])
            if option is None and word != "--help":
                return f"no option {word}"
            if option is not None and not option.is_flag and "=" not in word:
                words = words[1:]
    return None


@pytest.mark.parametrize(("where", "command"), QUOTED, ids=[f"{where} {command[:40]}" for where, command in QUOTED])
def test_a_quoted_command_exists_with_its_options(where: str, command: str) -> None:
    assert refusal(command) is None, f"{where}: clarion {command}: {refusal(command)}"


@pytest.mark.parametrize(
    "command", ["publsh x", "publish --dry x", "campaigns halt ID", "keys create a --scopes updates", "contracts yaml"]
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    assert refusal(command)


def test_the_guides_quote_commands() -> None:
    assert len([where for where, _ in QUOTED if where.startswith("docs/operators.md")]) > 20
    assert len([where for where, _ in QUOTED if where.startswith("docs/integrators.md")]) > 6


@pytest.mark.parametrize("document", DOCUMENTS)
def test_topics_settings_and_files_that_are_named_exist(document: str) -> None:
    text = read(document)
    topics = {one.name for topic in TOPICS for one in (topic, topic.dead)}
    assert set(TOPIC.findall(text)) <= topics
    known = {variable_of(name) for name in Settings.model_fields}
    named = {name.removesuffix("_FILE") if name not in known else name for name in VARIABLE.findall(text)}
    assert {name for name in named if not name.endswith("_")} <= known | FOR_COMPOSE | {"CLARION_KILL"}
    for path, anchor in LINK.findall(FENCE.sub("", text)):
        target = (REPOSITORY / document).parent / path
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor[1:] in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_settings_and_figures_are_those_of_the_code_and_the_benches() -> None:
    script = REPOSITORY / "scripts" / "write_guides.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
