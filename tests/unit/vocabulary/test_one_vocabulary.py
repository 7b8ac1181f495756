"""Only iotrace/vocabulary lists wait reasons, kinds, system calls and io_uring operations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.vocabulary.calls import CALLS
from iotrace.vocabulary.kinds import PROBES_KINDS, Kind
from iotrace.vocabulary.operations import OPERATIONS
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.project.places import modules

_WORDS = {
    "wait reasons": frozenset(WAIT_REASONS),
    "kinds": frozenset(kind.label for kind in Kind if kind.label) | PROBES_KINDS.keys(),
    "system calls": frozenset(call.name for call in CALLS),
    "io_uring operations": frozenset(operation.name for operation in OPERATIONS),
}
_A_LIST = 3
"""So many words of one vocabulary in one literal are a list of it."""
_NUMBERS_BY_ARCHITECTURE = "iotrace.engine.syscalls"
"""Its keys must be names of the vocabulary: tests/unit/engine/test_syscalls.py."""


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _listed(node: ast.AST) -> Iterator[str]:
    """The strings that a literal collection, a call or a split string holds."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for item in node.elts:
            yield from _strings(item)
            yield from _listed(item)
    elif isinstance(node, ast.Dict):
        for item in (*node.keys, *node.values):
            if item is not None:
                yield from _strings(item)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            for text in _strings(node.func.value):
                yield from text.split()
        yield from (one.arg for one in node.keywords if one.arg)
        for item in node.args:
            yield from _strings(item)
    elif isinstance(node, ast.BoolOp):  # one == "read" or one == "write" or ...
        for value in node.values:
            if isinstance(value, ast.Compare):
                for item in value.comparators:
                    yield from _strings(item)


def second_lists(path: Path) -> list[str]:
    """Where a module lists words of a vocabulary: ``FILE:LINE lists system calls: ...``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        held = set(_listed(node))
        for vocabulary, words in _WORDS.items():
            if len(held & words) >= _A_LIST:
                listed = ", ".join(sorted(held & words))
                found.append(f"{path}:{getattr(node, 'lineno', 0)} lists {vocabulary}: {listed}")
    return found


_OTHERS = {
    name: path
    for name, path in modules()
    if not name.startswith(("iotrace.vocabulary", "iotrace.servers"))
    and name != _NUMBERS_BY_ARCHITECTURE
}


@pytest.mark.parametrize("name", _OTHERS)
def test_no_other_module_lists_its_words(name: str) -> None:
    lists = second_lists(_OTHERS[name])
    assert not lists, "take them from iotrace/vocabulary: " + "; ".join(lists)


@pytest.mark.parametrize(
    "source",
    [
        'READS = "read readv recvfrom".split()',
        'READS = {"read", "readv", "recvfrom"}',
        'ASLEEP = {"recv": "a", "send": "b", "accept": "c"}',
        'ASLEEP = dict(recv="a", send="b", accept="c")',
        'ROWS = (("tcp", 1), ("udp", 2), ("unix", 3))',
        'taken = op == "read_fixed" or op == "recvmsg" or op == "recv"',
    ],
)
def test_a_second_list_is_found(source: str, tmp_path: Path) -> None:
    module = tmp_path / "second.py"
    module.write_text(source)
    assert any(one.startswith(f"{module}:1 lists ") for one in second_lists(module))
