"""Every stack of a program with all kinds of frames is the one that Python itself tells."""

from __future__ import annotations

import pytest

from tests.interpreters import debug_builds, label, main_interpreters, with_jit
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

_ROUNDS = 2
_KINDS = 40


@pytest.mark.parametrize("python", (*main_interpreters(), *with_jit(), *debug_builds()), ids=label)
def test_every_stack_is_what_getframe_says(python: str) -> None:
    with Target("frame_kinds.py", _ROUNDS, python=python) as target:
        report = trace_work(target)
        told = {tuple(map(tuple, stack)) for stack in target.results()["places"]}
    seen = {
        tuple((frame.function, frame.file, frame.line) for frame in line.stack)
        for line in process_of(report, target.pid).lines
        if line.syscall in ("clock_nanosleep", "select", "pselect6")
    }
    assert len(seen) > _KINDS
    assert seen == told
