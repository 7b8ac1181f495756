"""The other user of the host: nobody, with no capability and no group."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import DEADLINE_S

ATTACKER = 65534
"""User and group id."""

AS_ATTACKER = (
    "setpriv", f"--reuid={ATTACKER}", f"--regid={ATTACKER}", "--clear-groups",
    "--bounding-set=-all", "--inh-caps=-all",
)  # fmt: skip
"""The prefix that runs a program as the attacker; also the ``prefix`` of a ``Target``."""


def attacker_owns(path: Path, mode: int) -> Path:
    """Give a file or a directory to the attacker; the path itself."""
    os.chown(path, ATTACKER, ATTACKER)
    path.chmod(mode)
    return path


def attacker_runs(code: str, *arguments: object, **options: Any) -> str:
    """Run Python code as the attacker to its end; its standard output. ``sys.argv[1:]`` is given.

    Raises AssertionError if the code fails: then the attack has not been tried.
    """
    done = subprocess.run(
        [*AS_ATTACKER, sys.executable, "-I", "-c", code, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=DEADLINE_S, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def attacker_writes(path: Path, text: str, mode: int = 0o644) -> Path:
    """Make a file as the attacker; its path."""
    code = "import os, sys; open(sys.argv[1], 'w').write(sys.argv[2]); os.chmod(sys.argv[1], {})"
    attacker_runs(code.format(mode), path, text)
    return path


@contextmanager
def attacker_process(
    code: str, *arguments: object, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Python code of the attacker's runs inside; it prints a line when it is ready.

    The line was read already; the process is killed at the end.
    """
    process = subprocess.Popen(
        [*AS_ATTACKER, sys.executable, "-I", "-u", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the attacker's process ended"
        yield process
    finally:
        process.kill()
        process.communicate()
