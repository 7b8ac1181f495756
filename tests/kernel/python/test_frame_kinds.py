"""Every stack of a program with all kinds of frames is the one that Python itself tells."""

from __future__ import annotations

from tests.interpreters import debug_builds, label, main_interpreters, with_jit
from tests.kernel.targets import targets_on
from tests.kernel.tracing import process_of, trace_all

_ROUNDS = 2
_KINDS = 40


def test_every_stack_is_what_getframe_says() -> None:
    pythons = (*main_interpreters(), *with_jit(), *debug_builds())
    with targets_on(pythons, "frame_kinds.py", _ROUNDS) as targets:
        report = trace_all(targets.values())
        told = {
            python: {tuple(map(tuple, stack)) for stack in target.results()["places"]}
            for python, target in targets.items()
        }
    for python, target in targets.items():
        seen = {
            tuple((frame.function, frame.file, frame.line) for frame in line.stack)
            for line in process_of(report, target.pid).lines
            if line.syscall in ("clock_nanosleep", "select", "pselect6")
        }
        assert len(seen) > _KINDS, label(python)
        assert seen == told[python], label(python)
