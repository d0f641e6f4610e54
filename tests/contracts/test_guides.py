"""What the guides show is true: their examples run, in their order, on what `clarion up` starts."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import require
from tests.documents import Block, blocks, joined_lines

PROGRAMS = Path(sys.executable).parent
GUIDE = "docs/integrators.md"
STATE = 'declare -px > "$CLARION_TEST_STATE"'
UP_SECONDS = 60
ADDRESS = "http://127.0.0.1:8080"
KCAT_OPTIONS = {"-b", "-t", "-k", "-H", "-X"}
KCAT_FLAGS = {"-P"}


@dataclass
class Terminal:
    """A shell in a folder of its own that remembers what was exported, beside the stack that runs there."""

    folder: Path
    site: str

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
        path = f"{PROGRAMS}:{kept['PATH']}"
        return kept | {"PATH": path, "CLARION_TEST_STATE": str(self.folder / "state"), "CLARION_SETTLE_SECONDS": "0"}

    def run(self, block: Block) -> str:
        """What a block prints on standard output.

        Raises:
            AssertionError: it fails.
        """
        text = block.text.replace(ADDRESS, self.site)
        program = f"python3 - <<'EXAMPLE'\n{text}EXAMPLE" if block.language == "python" else text
        script = f"test -f state && source ./state\n{program}\n{STATE}\n"
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{block.name}: {done.stdout}{done.stderr}"
        return done.stdout

    def variable(self, name: str) -> str:
        """One that the shell has exported."""
        found = re.search(rf'^declare -x {name}="(.*)"$', (self.folder / "state").read_text(), re.MULTILINE)
        assert found, name
        return found[1]


def without_site(command: str) -> list[str]:
    """The guide's own way of starting the stack, on any free port."""
    words = shlex.split(command)
    assert words[:2] == ["clarion", "up"], words
    return [str(PROGRAMS / "clarion"), *words[1:], "--port", "0"]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Beside `clarion up`, as the guide starts it."""
    [start] = [block for block in blocks(GUIDE) if block.mark == "up"]
    waiting = Terminal(tmp_path, "")
    with (tmp_path / "up.log").open("w") as log:
        process = subprocess.Popen(
            without_site(start.text), cwd=tmp_path, env=waiting.environment(), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            up_file = tmp_path / ".clarion" / "up.json"
            give_up_at = time.monotonic() + UP_SECONDS
            while not up_file.exists():
                assert process.poll() is None, (tmp_path / "up.log").read_text()
                assert time.monotonic() < give_up_at, (tmp_path / "up.log").read_text()
                time.sleep(0.1)
            yield Terminal(tmp_path, json.loads(up_file.read_bytes())["site"])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def examples() -> Iterator[tuple[Block, list[str]]]:
    """What is to be run, with the lines that it is to print."""
    found = [block for block in blocks(GUIDE) if block.mark not in ("up", "acl")]
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language == "text":
            continue
        expected = following.text.splitlines() if following is not None and following.language == "text" else []
        yield block, expected


def kcat_by_our_producer(block: Block) -> Block:
    """The same record as a kcat command sends, by a producer of ours; for machines without kcat."""
    [command] = [line for line in joined_lines(block.text) if line.strip()]
    words = shlex.split(command)
    assert words.pop(0) == "kcat"
    options: dict[str, list[str]] = {}
    files = []
    while words:
        word = words.pop(0)
        if word in KCAT_OPTIONS:
            options.setdefault(word, []).append(words.pop(0))
        elif word not in KCAT_FLAGS:
            assert not word.startswith("-"), f"{block.name}: kcat is not known to take {word}"
            files.append(word)
    [topic], [key], [file] = options["-t"], options["-k"], files
    headers = [tuple(header.split("=", 1)) for header in options["-H"]]
    program = f"""
import asyncio, os
from aiokafka import AIOKafkaProducer

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA"], acks="all")
    await producer.start()
    headers = [(name, value.encode()) for name, value in {headers!r}]
    await producer.send_and_wait({topic!r}, open({file!r}, "rb").read(), key={key!r}.encode(), headers=headers)
    await producer.stop()

asyncio.run(main())
"""
    return Block(block.document, block.line, "python", "", program)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_integrators_examples_run_as_they_stand(terminal: Terminal) -> None:
    require("curl")
    ran = 0
    for block, expected in examples():
        stand_in = block.mark == "kcat" and shutil.which("kcat") is None
        said = terminal.run(kcat_by_our_producer(block) if stand_in else block)
        for line in expected:
            assert " ".join(line.split()) in " ".join(said.split()), f"{block.name} said {said}"
        ran += 1
    assert ran > 12
    check_what_came_of_it(terminal)


def check_what_came_of_it(terminal: Terminal) -> None:
    """All three ways of publishing were understood, and the move too."""
    ask = 'curl --silent --fail-with-body "$SITE/api/v1/legislation/updates/{}" --header "Authorization: Bearer $KEY"'
    for event_id in ("notice-1", "notice-2", "notice-3", "notice-1-moved"):
        give_up_at = time.monotonic() + 30
        while True:
            said = json.loads(terminal.run(Block(GUIDE, 0, "bash", "", ask.format(event_id))))
            if said["outcome"] != "received":
                break
            assert time.monotonic() < give_up_at, said
        assert said["outcome"] in ("alerted", "recorded", "waiting", "unchanged"), said


def test_the_kcat_example_is_one_that_our_producer_can_stand_in_for() -> None:
    [block] = [block for block in blocks(GUIDE) if block.mark == "kcat"]
    stand_in = kcat_by_our_producer(block)
    assert "('ce_type', 'hearing.scheduled')" in stand_in.text
    compile(stand_in.text, block.name, "exec")
