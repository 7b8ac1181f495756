"""Where threads are on a CPU, and whether the garbage collector runs, by samples."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.interpreters import interpreters, label
from tests.kernel.python.marks import FIRST, mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

_EACH_S = 0.4


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_samples_tell_computing_and_collecting(python: str) -> None:
    with Target("on_cpu.py", _EACH_S, prefix=FIRST, python=python) as target:
        report = trace_work(target)
    process = process_of(report, target.pid)
    cpu_ns: Counter[str] = Counter()
    gc_ns: Counter[str] = Counter()
    for row in process.cpu_samples:
        mark = mark_of("on_cpu.py", row.stack)
        cpu_ns[mark] += row.cpu_ns
        gc_ns[mark] += row.gc_ns
    for mark in ("compute", "collect"):
        assert 0.8 * _EACH_S <= cpu_ns[mark] / 1e9 <= 1.2 * _EACH_S, cpu_ns
    assert gc_ns["compute"] == 0
    assert gc_ns["collect"] >= 0.9 * cpu_ns["collect"]
    assert "IO135" in {finding.id for finding in report.findings}
