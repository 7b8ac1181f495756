"""In continuous integration a test of kernel or browser that is skipped fails; elsewhere not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.project.places import ROOT

_SKIPS_BY_MARK = """
import pytest

@pytest.mark.skip(reason="no reason at all")
def test_it():
    raise AssertionError
"""
_SKIPS_AS_IT_RUNS = """
import pytest

def test_it():
    pytest.skip("no reason at all")
"""
_SKIPS_BY_FIXTURE = """
import pytest

@pytest.fixture
def needed():
    pytest.skip("no reason at all")

def test_it(needed):
    raise AssertionError
"""
_SKIPS_ON_IMPORT = """
import pytest

pytest.skip("no reason at all", allow_module_level=True)
"""
_WAYS = (_SKIPS_BY_MARK, _SKIPS_AS_IT_RUNS, _SKIPS_BY_FIXTURE, _SKIPS_ON_IMPORT)
_IS_EXPECTED_TO_FAIL = """
import pytest

@pytest.mark.xfail(reason="known")
def test_it():
    raise AssertionError
"""


def _run(
    directory: Path, folder: str, test: str, ci: str | None, name: str = "test_one.py"
) -> tuple[int, str]:
    """Exit status and output of a pytest run over one test file under our conftest.py."""
    tests = directory / "tests"
    (tests / folder).mkdir(parents=True)
    (tests / "conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
    (tests / folder / name).write_text(test)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", str(tests)],
        cwd=directory,
        env=environment if ci is None else {**environment, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize("folder", ["kernel", "attacks"])
@pytest.mark.parametrize("test", _WAYS)
def test_a_skipped_kernel_test_fails_in_ci(tmp_path: Path, test: str, folder: str) -> None:
    status, output = _run(tmp_path, folder, test, "true")
    assert status != pytest.ExitCode.OK
    assert "skipped, which is a failure where CI=true: " in output
    assert "no reason at all" in output
    assert re.search(r"^=+ 1 (failed|error) in ", output, re.MULTILINE)


@pytest.mark.parametrize("test", _WAYS)
def test_so_does_one_that_needs_a_browser(tmp_path: Path, test: str) -> None:
    status, output = _run(tmp_path, "unit/output", test, "true", "test_html_browser.py")
    assert status != pytest.ExitCode.OK
    assert "skipped, which is a failure where CI=true: " in output


@pytest.mark.parametrize("test", _WAYS)
def test_it_is_skipped_elsewhere(tmp_path: Path, test: str) -> None:
    status, output = _run(tmp_path, "kernel", test, None)
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert re.search(r"^=+ 1 skipped in ", output, re.MULTILINE)


@pytest.mark.parametrize("test", _WAYS)
def test_other_tests_may_skip_in_ci(tmp_path: Path, test: str) -> None:
    status, output = _run(tmp_path, "unit", test, "true")
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert re.search(r"^=+ 1 skipped in ", output, re.MULTILINE)


def test_a_known_failure_is_not_a_skip(tmp_path: Path) -> None:
    status, output = _run(tmp_path, "kernel", _IS_EXPECTED_TO_FAIL, "true")
    assert status == pytest.ExitCode.OK
    assert re.search(r"^=+ 1 xfailed in ", output, re.MULTILINE)


def test_ci_runs_the_command_that_the_readme_names() -> None:
    commands = re.findall(r"^ +(make test)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands == ["make test"]
    last = (ROOT / ".ci/run").read_text().splitlines()[-1]
    assert last == "CI=true timeout --foreground 3000 make test"
