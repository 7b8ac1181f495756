"""The Debian package says what pyproject.toml and CHANGELOG.md say."""

from __future__ import annotations

import re

import pytest

from iotrace import __version__
from tests.unit.project.places import ROOT

_CONTROL = (ROOT / "packaging/debian/control").read_text()
_PROJECT = (ROOT / "pyproject.toml").read_text()


def test_the_newest_section_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## (\S+) ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_python_is_as_new_as_the_project_asks_for() -> None:
    (wanted,) = re.findall(r'^requires-python = ">=([\d.]+)"$', _PROJECT, re.MULTILINE)
    assert f" python3 (>= {wanted}),\n" in _CONTROL
    assert " python3-bpfcc,\n" in _CONTROL  # PyPI has no such package, so no dependency names it


@pytest.mark.parametrize("name", ["README.md", "docs/iotrace.1", "LICENSE"])
def test_what_the_package_installs_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_each_way_to_install_has_a_target_that_the_page_names() -> None:
    page = (ROOT / "docs/installing.md").read_text()
    for target in ("deb", "wheel", "image", "packages"):
        assert re.search(rf"(?:^ {{4}}|`)make {target}\b", page, re.MULTILINE), target
