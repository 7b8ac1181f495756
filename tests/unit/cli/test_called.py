"""Lines to paste name this program as sudo finds it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from iotrace.cli import called

PASTE = "sudo iotrace tasks 42"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("bin/iotrace", "sudo {}/bin/iotrace tasks 42"),
        ("iotrace/__main__.py", f"sudo {sys.executable} -m iotrace tasks 42"),
        ("bin/gone", PASTE),
    ],
)
def test_sudo_finds_what_is_in_a_virtual_environment(
    program: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "iotrace").touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / program), "tasks", "42"])
    monkeypatch.setattr(called, "_SECURE_PATH", str(tmp_path))
    assert called.with_this_program(PASTE) == expected.format(tmp_path.resolve())
    assert called.with_this_program("pgrep -af python") == "pgrep -af python"
    monkeypatch.setattr(called, "_SECURE_PATH", str(tmp_path / "bin"))
    assert called.with_this_program(PASTE) == PASTE
