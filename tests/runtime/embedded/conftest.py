"""Places for the embedded servers' tests: short-lived, and with a name that is hard on programs."""

import os
import shutil
from pathlib import Path

import pytest

from clarion.runtime.embedded.jars import ensure_jars


@pytest.fixture
def hard_dir(tmp_path: Path) -> Path:
    """A directory of mode 0700 that only its owner reaches, with a name full of separators."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    return private / "a b,ü:x"


@pytest.fixture
def linked_jars(tmp_path: Path) -> Path:
    """A cache with all jars, which may be damaged: each file is a link that can be replaced."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for jar in ensure_jars():
        try:
            os.link(jar, cache / jar.name)
        except OSError:
            shutil.copy2(jar, cache / jar.name)
    return cache
