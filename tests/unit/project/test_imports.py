"""Nothing imports against the stream. The rule is the tables in ARCHITECTURE.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.project.markdown import names, table
from tests.unit.project.places import modules

_RULE = {names(stage)[0]: seen for stage, seen in table("ARCHITECTURE.md", "stage", "may import")}
_STAGES = {
    stage: list(_RULE)[:place] if seen == "everything above" else names(seen)
    for place, (stage, seen) in enumerate(_RULE.items())
}
_OUTSIDE = {
    names(package)[0]: names(place)[0]
    for package, place in table("ARCHITECTURE.md", "package", "only in")
}
_MODULES = dict(modules())
_ROOT = "iotrace"
_SHARED = (_ROOT,)
"""The version: everybody may have it."""


def _inside(name: str) -> str:
    """``engine.btf`` for ``iotrace.engine.btf``; what starts the program belongs to cli."""
    inside = name.removeprefix(f"{_ROOT}.")
    return "cli" if inside == "__main__" else inside


def _stage(name: str) -> str:
    """The stage of a module: the longest name in the table that it begins with."""
    inside = _inside(name)
    found = [stage for stage in _STAGES if inside == stage or inside.startswith(f"{stage}.")]
    assert found, f"{name} has no place in ARCHITECTURE.md's table"
    return max(found, key=len)


def _imports(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports, wherever in it. None is relative."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in _MODULES else node.module


def test_a_stage_sees_only_stages_above_it() -> None:
    above: set[str] = set()
    for stage, seen in _STAGES.items():
        assert set(seen) <= above, stage
        above.add(stage)


@pytest.mark.parametrize("name", [name for name in _MODULES if name not in _SHARED])
def test_imports_go_with_the_stream(name: str) -> None:
    stage = _stage(name)
    for imported in _imports(_MODULES[name]):
        if imported.split(".")[0] == _ROOT and imported not in _SHARED:
            assert imported in _MODULES, f"{name} imports {imported}, which is not there"
            other = _stage(imported)
            assert other == stage or other in _STAGES[stage], f"{name} imports {imported}"


@pytest.mark.parametrize("name", _MODULES)
def test_outside_packages_have_their_place(name: str) -> None:
    inside = _inside(name)
    for imported in _imports(_MODULES[name]):
        package = imported.split(".")[0]
        if package == _ROOT or package in sys.stdlib_module_names:
            continue
        place = _OUTSIDE.get(package)
        assert place, f"{name} imports {package}, which has no place in ARCHITECTURE.md's table"
        assert inside == place or inside.startswith(f"{place}."), f"{name} imports {package}"


def test_the_rule_is_about_what_there_is() -> None:
    """A stage or package that is gone from the code is gone from the tables."""
    assert {_stage(name) for name in _MODULES if name not in _SHARED} == set(_STAGES)
    used = {imported.split(".")[0] for path in _MODULES.values() for imported in _imports(path)}
    assert set(_OUTSIDE) <= used


def test_no_modules_import_each_other() -> None:
    """Not even inside functions or for types: what two modules share belongs in a third."""
    imports = {
        name: {*_imports(path)} & _MODULES.keys() - {name} for name, path in _MODULES.items()
    }
    while leaves := [name for name, imported in imports.items() if not imported & imports.keys()]:
        for name in leaves:
            del imports[name]
    assert not imports, "these import each other, or import those that do"
