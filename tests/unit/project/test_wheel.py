"""The wheel holds the whole program, and the program runs from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.project.places import PACKAGES, ROOT, modules

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the sources: building leaves files behind where it is done."""
    directory = tmp_path_factory.mktemp("wheel")
    sources = directory / "sources"
    ignored = shutil.ignore_patterns("__pycache__")
    for path in PACKAGES.values():
        shutil.copytree(path, sources / path.relative_to(ROOT), ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, sources)
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run(
        [*_PIP, "wheel", *options, "--wheel-dir", str(directory), str(sources)],
        check=True,
        timeout=120,
    )
    (made,) = directory.glob("iotrace-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed in."""
    site = tmp_path_factory.mktemp("site")
    subprocess.run(
        [*_PIP, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)],
        check=True,
        timeout=120,
    )
    return site


def _run(installed: Path, *arguments: str) -> str:
    """Output of Python that finds the installed package before any other."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd="/",
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_holds_every_file_of_the_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"{package.replace('.', '/')}/{path.relative_to(directory)}"
        for package, directory in PACKAGES.items()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "iotrace/probes/maps.c" in expected
    assert "iotrace/probes/headers/include/uapi/linux/ptrace.h" in expected
    assert "iotrace/servers/epoll.py" in expected
    assert held == expected


def test_every_module_imports_from_it(installed: Path) -> None:
    names = [name for name, _ in modules() if not name.startswith("iotrace.servers.async_io")]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print(importlib.import_module(name).__file__)"
    )
    files = _run(installed, "-c", code, *names).splitlines()
    assert len(files) == len(names)
    assert all(Path(file).is_relative_to(installed) for file in files)


def test_its_program_runs(installed: Path) -> None:
    assert _run(installed, "-m", "iotrace", "--version").startswith("iotrace, version ")
    script = installed / "bin/iotrace"
    assert _run(installed, str(script), "--help").startswith("Usage: ")


def test_the_probes_compile_from_where_they_are_installed(installed: Path) -> None:
    code = "from iotrace.engine.probe_sources import *; print(probes_directory(), header_tree())"
    sources, headers = _run(installed, "-c", code).split()
    assert Path(sources) == installed / "iotrace/probes"
    assert Path(headers) == installed / "iotrace/probes/headers"
