"""Python modules that other users put where root calls iotrace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.attacks.attacker import attacker_runs
from tests.attacks.victim import Happens, root_runs

_OTHERS = (
    "bcc", "click", "iotrace", "sitecustomize", "tabulate", "textual", "usercustomize", "wcwidth",
)  # fmt: skip
_PLANT = """
import sys
for name in sys.argv[2:]:
    with open(name + ".py", "w") as file:
        file.write(f"open({sys.argv[1]!r}, 'a').write(__name__ + chr(10))")
"""
_PROGRAM = "print('traced')"
_COMMANDS = {
    "doctor": ("doctor",),
    "attach": ("attach", "-d", "0.2", os.getpid()),
    "run": ("run", "--", sys.executable, "-I", "-c", _PROGRAM),
    "record": ("record", "-d", "0.2", "-o", "/dev/null", os.getpid()),
    "demo": ("demo", "-d", "0.2"),
    "report": ("report", "nothing.iot"),
    "explain": ("explain", "IO101"),
    "help": ("--help",),
}


@pytest.mark.parametrize("command", _COMMANDS)
def test_modules_in_the_current_directory(
    command: str, attackers_directory: Path, shared_directory: Path, happens: Happens
) -> None:
    mark = shared_directory / "imported"
    names = (*sys.stdlib_module_names, *_OTHERS)
    attacker_runs(_PLANT, mark, *names, cwd=attackers_directory)
    ended = root_runs(*_COMMANDS[command], cwd=attackers_directory)
    assert not mark.exists(), mark.read_text()
    assert ended.code in (0, 2), ended.stderr
    happens(f"{command} where *.py of many names lie", "none is imported")
