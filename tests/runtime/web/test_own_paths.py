"""Where a page may send somebody on to: to our own pages, and nowhere else."""

import pytest

from clarion.runtime.web.staff import own_path


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/waves?x=1", "/waves?x=1"),
        ("//evil.example", "/staff/me"),
        ("/\\evil.example", "/staff/me"),
        ("https://evil.example", "/staff/me"),
        ("javascript:alert(1)", "/staff/me"),
        ("/\t/evil.example", "/staff/me"),
        ("/a\r\nset-cookie: x", "/staff/me"),
        ("", "/staff/me"),
        ("/" + "x" * 2_000, "/staff/me"),
    ],
)
def test_only_own_paths_are_gone_on_to(given: str, path: str) -> None:
    assert own_path(given) == path
