"""Forks of large processes, which compute in the kernel with the GIL kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.verdict.findings import Finding
from tests.unit.verdict.made import MS, S, call, findings, thread
from tests.unit.verdict.made_servers import contended


def _contended(name: str, kernel_ns: int) -> Finding:
    """Two seconds on a CPU, of which the call takes so much in the kernel."""
    (one,) = contended(True)
    rows = (thread(user=2 * S - kernel_ns, kernel=kernel_ns, recv=4 * S, gil=4 * S),)
    starts = call("clone3" if name == "clone" else "clone", "", 5_000, kernel=100 * MS)
    calls = (*one.calls, call(name, "", 97, kernel=kernel_ns), starts)
    made: Process = replace(one, threads=rows, calls=calls)
    return findings(made)["IO113"]


@pytest.mark.parametrize("name", ["clone", "clone3"])
def test_forks_that_keep_the_gil_are_named(name: str) -> None:
    found = _contended(name, 1_500 * MS)
    assert found.evidence["forks"] == 97
    assert found.evidence["forks_cpu_ns"] == 1_500 * MS
    assert "page tables" in found.advice


@pytest.mark.parametrize(("name", "kernel_ns"), [("clone", 900 * MS), ("pread64", 1_500 * MS)])
def test_a_small_part_and_other_calls_are_not_it(name: str, kernel_ns: int) -> None:
    found = _contended(name, kernel_ns)
    assert "forks" not in found.evidence
    assert "page tables" not in found.advice
