"""A port is given once: whoever is told where to listen does so a while later."""

import subprocess
import sys
from pathlib import Path

import pytest

from clarion.runtime.embedded import ports
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.ports import PortClaims, any_free_port, settle_port

ANOTHER = """
import sys
from pathlib import Path
from clarion.runtime.embedded.ports import PortClaims
print([PortClaims(Path(sys.argv[1])).claim(port) for port in (25_000, 25_001)], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PortClaims:
    """Claims of this test's own, on machines with four ports that are always free."""
    made = PortClaims(tmp_path)
    monkeypatch.setattr(ports, "claims", lambda: made)
    monkeypatch.setattr(ports, "is_free", lambda _port: True)
    monkeypatch.setattr(ports, "_LOWEST", 25_000)
    monkeypatch.setattr(ports, "_HIGHEST", 25_004)
    return made


@pytest.mark.usefixtures("own")
def test_no_port_is_given_twice_while_nobody_listens_yet() -> None:
    assert {any_free_port() for _ in range(4)} == {25_000, 25_001, 25_002, 25_003}
    with pytest.raises(EmbeddedError, match="no free port between 25000 and 25004"):
        any_free_port()


@pytest.mark.usefixtures("own")
def test_the_port_of_a_server_is_its_own_from_start_to_start(tmp_path: Path) -> None:
    kept = tmp_path / "port"
    port = settle_port(kept, 25_002)
    assert settle_port(kept) == port
    assert {any_free_port() for _ in range(3)} == {25_000, 25_001, 25_003}


def test_what_one_process_was_given_no_other_is_until_it_ends(own: PortClaims, tmp_path: Path) -> None:
    assert own.claim(25_000)
    command = [sys.executable, "-c", ANOTHER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "[False, True]\n"
        assert not own.claim(25_001)
        other.communicate("")
    assert own.claim(25_001)


def test_where_no_file_can_be_made_ports_are_given_all_the_same(tmp_path: Path) -> None:
    claims = PortClaims(tmp_path / "missing")
    assert [claims.claim(25_000), claims.claim(25_000)] == [True, False]
