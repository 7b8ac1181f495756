"""The command line loads what it needs, when it needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = """
import sys
sys.argv = ["iotrace", *{arguments!r}]
from iotrace.__main__ import main
try:
    main()
except SystemExit as ended:
    status = ended.code
print(status, *sys.modules, file=sys.stderr)
"""


def _loaded(*arguments: str) -> set[str]:
    """Modules in memory after ``iotrace ARGUMENTS``, which must succeed."""
    result = subprocess.run(
        [sys.executable, "-c", _LOADED.format(arguments=arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    status, *modules = result.stderr.split()
    assert status == "0"
    assert "iotrace" in result.stdout
    return set(modules)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("attach", "--help")])
def test_help_needs_nothing_but_click(arguments: tuple[str, ...]) -> None:
    modules = _loaded(*arguments)
    assert not modules & {"bcc", "tabulate", "wcwidth", "asyncio", "multiprocessing", "mmap"}
    stages = {name.split(".")[1] for name in modules if name.startswith("iotrace.")}
    assert stages <= {"__main__", "cli", "errors"}


def test_bcc_never_comes_with_the_tracer_itself() -> None:
    """It loads 72 MB of clang: only the child that compiles may import it."""
    code = "import iotrace.tracing.trace, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(result.stdout.split())
    assert "iotrace.engine.probes" in modules
    assert "bcc" not in modules
