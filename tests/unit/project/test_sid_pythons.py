"""The newest Pythons are here to be tested against, wherever they can be had."""

from __future__ import annotations

import subprocess

import pytest

from tests.sid_pythons import VERSIONS, headers, packages_folder, sid_python, why_missing


@pytest.mark.parametrize("version", VERSIONS)
def test_the_newest_pythons_run_here(version: str) -> None:
    python = sid_python(version)
    if python is None:
        reason, unreached = why_missing()
        assert unreached, reason
        pytest.skip(reason)
    says = subprocess.run(
        [python, "-c", "import sys, os; print(*sys.version_info[:2], sep='.'); print(os.getcwd())"],
        capture_output=True,
        text=True,
        cwd="/tmp",
        check=True,
    )
    assert says.stdout.split() == [version, "/tmp"]
    folder, packages = headers(version), packages_folder(version)
    assert folder is not None
    assert (folder / "internal/pycore_debug_offsets.h").exists()
    assert packages is not None
    assert (packages / "greenlet").is_dir()
