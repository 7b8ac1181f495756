"""Waits for the GIL by what the waiting thread's state says, as with musl: 3.15 on."""

from __future__ import annotations

import re

import pytest

from iotrace.pystack import recognition
from tests.interpreters import interpreters, label, version_of
from tests.kernel.python.marks import FIRST
from tests.kernel.scheduler import away_ns, stolen_meanwhile
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, trace_work

_READS = 41
_SAY_SO = [one for one in interpreters() if version_of(one) == "3.15"]


@pytest.mark.parametrize("python", _SAY_SO, ids=label)
def test_the_tax_of_a_call_is_told_without_the_address_of_the_gil(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No build with musl can be had: this one is read as if its C library were musl.
    monkeypatch.setattr(recognition, "_MUSL", re.compile(r"/libc\.so\.6$"))
    with (
        stolen_meanwhile() as stolen,
        Target("gil.py", _READS, 1, prefix=FIRST, python=python) as target,
    ):
        report = trace_work(target)
        told = target.results()
    truth_ns = told["waited_ns"]
    process = process_of(report, target.pid)
    main = next(thread for thread in process.threads if thread.tid == target.pid)
    away = away_ns(main, stolen.ns)
    futexes = [
        row
        for row in process.calls
        if (row.syscall, row.kind, row.tid) == ("futex", "gil", target.pid)
    ]
    assert sum(row.total_ns for row in futexes) >= 0.95 * truth_ns - away
    read = call_of(process, "recvfrom", "unix")
    assert read.calls == told["reads"] >= _READS
    # Of some ten waits in a run one or two come after a futex call: recv() had the GIL back, and
    # had to give it up at once. They are recv()'s all the same.
    assert 0.9 * truth_ns - away <= (read.gil_ns or 0) <= 1.05 * truth_ns
