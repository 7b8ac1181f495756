# SPDX-License-Identifier: Apache-2.0
"""What the machine's CPUs do meanwhile."""

from __future__ import annotations

from typing import cast

import pytest

from iotrace.procfs.cgroup import MemoryLimit
from iotrace.procfs.host import CpuTimes
from iotrace.snapshot import limit_facts
from iotrace.target_reader.asking import Asker


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


def test_whom_the_kernel_killed_before_the_trace_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A control group that the process was moved to begins anew."""
    said = [MemoryLimit(group, 1000, 900, 0, kills) for group, kills in (("/a", 7), ("/a", 9))]
    said += [MemoryLimit("/b", 1000, 900, 0, 3), MemoryLimit("/b", 1000, 900, 0)]
    monkeypatch.setattr(limit_facts, "read_memory_limit", lambda _reader, _pid: said.pop(0))
    book = limit_facts.LimitBook(cast(Asker, None), {})
    seen = [one.oom_kills for one in (book._memory(1) for _ in range(4)) if one]
    assert seen == [0, 2, 0, None]
