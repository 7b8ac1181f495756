"""The project's files are about the project, and of a size to be read."""

from __future__ import annotations

import re

from tests.unit.project.places import PACKAGES, ROOT, project_files

_MOST_LINES = 400
_SOURCES = (".py", ".c", ".h", ".md")
_LISTS = ("docs/clinic.md",)
"""Written by a program, a row for each of what it lists: looked up, not read."""

# A home directory, or a checkout of somebody's: right on one machine only.
_SOMEBODYS_PATH = re.compile(r"(?<![\w.*])/(?:work|root|home/\w+|Users/\w+)/")


def _texts() -> dict[str, str]:
    files = {str(path.relative_to(ROOT)): path.read_text() for path in project_files()}
    assert len(files) > len(_SOURCES)
    return files


def test_no_path_of_one_machine() -> None:
    found = {name: _SOMEBODYS_PATH.findall(text) for name, text in _texts().items()}
    somebodys = {name: paths for name, paths in found.items() if paths}
    assert not somebodys, f"files that name a path of one machine: {somebodys}"


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in project_files(*_SOURCES)
    }
    long = {
        name: length
        for name, length in lengths.items()
        if length > _MOST_LINES and name not in _LISTS
    }
    assert not long, f"files of more than {_MOST_LINES} lines: {long}; take a job of theirs out"


def test_every_source_says_its_license() -> None:
    """What is installed: iotrace and the servers; the probes, which the kernel must accept."""
    missing = [
        str(path.relative_to(ROOT))
        for directory in PACKAGES.values()
        for path in directory.rglob("*")
        if path.suffix in (".py", ".c", ".h")
        and path.relative_to(ROOT).parts[0] in ("iotrace", "servers", "probes")
        and "SPDX-License-Identifier: " not in path.read_text().split('"""')[0]
    ]
    assert not missing, f"files without a line SPDX-License-Identifier on top: {missing}"
