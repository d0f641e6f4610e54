"""Python source as a syntax tree."""

import ast
import gc
from pathlib import Path


def tree_of(path: Path) -> ast.Module:
    """The tree of a file.

    Nothing is collected meanwhile: where garbage has something to say as it goes, its traceback is parsed in the middle
    of ours, and Python before 3.11.5 loses count of its depth (`SystemError`, CPython issue 106905).
    """
    text = path.read_text("utf-8")
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        gc.enable()
