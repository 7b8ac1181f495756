"""Where the project's parts lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
_MAPPING = re.compile(r'^"(iotrace[.\w]*)" = "([\w/]+)"$', re.MULTILINE)
PACKAGES = {
    package: ROOT / directory
    for package, directory in _MAPPING.findall((ROOT / "pyproject.toml").read_text())
}
"""Import name -> directory: setuptools' package-dir, from pyproject.toml."""

_TOP = (
    ".ci iotrace probes servers tests docs benchmarks clinic pyproject.toml Makefile README.md "
    "ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md .gitignore"
).split()


def project_files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project (with one of these suffixes, if any), nothing that was made."""
    for name in _TOP:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            made = "__pycache__" in path.parts or not path.is_file()
            if not made and (not suffixes or path.suffix in suffixes):
                yield path


def modules() -> Iterator[tuple[str, Path]]:
    """(import name, file) of every module of the package."""
    for package, directory in PACKAGES.items():
        for path in sorted(directory.rglob("*.py")):
            inside = path.relative_to(directory).with_suffix("").parts
            yield ".".join((package, *inside)).removesuffix(".__init__"), path
