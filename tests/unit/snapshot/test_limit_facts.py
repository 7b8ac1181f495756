# SPDX-License-Identifier: Apache-2.0
"""What the machine's CPUs do meanwhile."""

from __future__ import annotations

import pytest

from iotrace.procfs.host import CpuTimes
from iotrace.snapshot import limit_facts


def test_a_proc_that_does_not_tell_what_cpus_do_ends_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [OSError("masked"), ValueError("no times"), CpuTimes(5, 1)]

    def read() -> CpuTimes:
        one = said.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    monkeypatch.setattr(limit_facts, "read_cpu_times", read)
    monkeypatch.setattr(limit_facts, "_TICK_NS", -1)
    machine = limit_facts._Machine()
    assert [machine.look()[0] for _ in range(3)] == [None, None, CpuTimes(5, 1)]
