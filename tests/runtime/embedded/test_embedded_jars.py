"""The jars are fetched whole, once, whatever happens meanwhile."""

import re
import subprocess
import sys
import threading
from importlib import resources
from pathlib import Path

import pytest
from embedded_processes import ROOT, eventually

from clarion.runtime.embedded import EmbeddedError, ensure_jars
from clarion.runtime.embedded.jars import pinned_jars

SMALL = ("jspecify-1.0.0.jar", "re2j-1.8.jar", "jopt-simple-5.0.4.jar", "argparse4j-0.7.0.jar")


def test_the_list_pins_46_jars_by_sha256_and_names_no_host() -> None:
    jars = pinned_jars()
    text = resources.files("clarion.runtime.embedded").joinpath("jars-4.3.1.txt").read_text()
    assert len(jars) == len({jar.file_name for jar in jars}) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert "//" not in text


def test_a_whole_cache_is_used_without_fetching(linked_jars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut_off(monkeypatch)
    paths = ensure_jars(linked_jars)
    assert paths == sorted(paths)
    assert len(paths) == 46


def test_a_damaged_and_a_cut_short_jar_are_fetched_again(linked_jars: Path) -> None:
    damaged, cut_short = (linked_jars / name for name in SMALL[:2])
    whole = cut_short.read_bytes()
    cut_short.unlink()
    cut_short.write_bytes(whole[:1000])
    damaged.unlink()
    damaged.write_bytes(b"not a jar")
    told: list[str] = []
    ensure_jars(linked_jars, told.append)
    assert cut_short.read_bytes() == whole
    assert {line.split()[-1] for line in told} == set(SMALL[:2])


def test_a_fetch_killed_in_the_middle_completes_the_next_time(linked_jars: Path) -> None:
    for name in (*SMALL, "scala-library-2.13.18.jar", "kafka_2.13-4.3.1.jar", "zstd-jni-1.5.6-10.jar"):
        (linked_jars / name).unlink()
    code = "import pathlib, sys, clarion.runtime.embedded as e; e.ensure_jars(pathlib.Path(sys.argv[1]))"
    fetching = subprocess.Popen([sys.executable, "-c", code, str(linked_jars)], cwd=ROOT)
    eventually(lambda: list(linked_jars.glob("fetching-*/*")), what="a first download")
    fetching.kill()
    fetching.wait(10)
    assert list(linked_jars.glob("fetching-*"))
    assert len(ensure_jars(linked_jars)) == 46
    assert not list(linked_jars.glob("fetching-*"))


def test_two_at_once_wait_for_each_other(linked_jars: Path) -> None:
    (linked_jars / SMALL[2]).unlink()
    told: list[str] = []
    threads = [threading.Thread(target=ensure_jars, args=(linked_jars, told.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [line for line in told if SMALL[2] in line] == [f"Kafka 1/1: {SMALL[2]}"]


def test_without_a_network_the_error_says_what_to_do(linked_jars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut_off(monkeypatch)
    (linked_jars / SMALL[3]).unlink()
    with pytest.raises(EmbeddedError, match=r"argparse4j:0\.7\.0.*CLARION_KAFKA_BOOTSTRAP=host:port"):
        ensure_jars(linked_jars)


def _cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
