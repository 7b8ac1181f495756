"""Where threads are on a CPU, and whether the garbage collector runs, by samples."""

from __future__ import annotations

from collections import Counter

from tests.interpreters import interpreters, label
from tests.kernel.python.marks import FIRST, mark_of
from tests.kernel.targets import targets_on
from tests.kernel.tracing import process_of, trace_all

_EACH_S = 0.4


def test_samples_tell_computing_and_collecting() -> None:
    # In one trace, two at a time: the program goes by its own CPU clock, as the samples do.
    with targets_on(interpreters(), "on_cpu.py", _EACH_S, prefix=FIRST) as targets:
        report = trace_all(targets.values())
    for python, target in targets.items():
        process = process_of(report, target.pid)
        cpu_ns: Counter[str] = Counter()
        gc_ns: Counter[str] = Counter()
        for row in process.cpu_samples:
            mark = mark_of("on_cpu.py", row.stack)
            cpu_ns[mark] += row.cpu_ns
            gc_ns[mark] += row.gc_ns
        for mark in ("compute", "collect"):
            told = (label(python), cpu_ns)
            assert 0.8 * _EACH_S <= cpu_ns[mark] / 1e9 <= 1.2 * _EACH_S, told
        assert gc_ns["compute"] == 0, label(python)
        assert gc_ns["collect"] >= 0.9 * cpu_ns["collect"], label(python)
    collected = {one.pid for one in report.findings if one.id == "IO135"}
    assert collected == {one.pid for one in targets.values()}
