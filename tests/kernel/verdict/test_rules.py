"""Each rule is triggered by a small server that breaks it, and not by the same server fixed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.snapshot.arithmetic import interval
from iotrace.tracing.trace import Trace
from tests.found import STARVED, Found, by_rule, faults, starvation
from tests.kernel.tracing import check_verdict
from tests.kernel.verdict import load
from tests.kernel.verdict.defects import DEFECTS, Defect

_PROGRAMS = Path(__file__).parent / "programs"
_RESOLVER = 53
_TRIES = 4


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    """One trace for all: attaching takes a second."""
    with Trace(Limits(threads=8192, reserved=2048)) as attached:
        yield attached


@contextmanager
def _running(defect: Defect, form: str, upstream: int) -> Iterator[tuple[int, dict[str, int]]]:
    """(pid, what it says of itself)."""
    arguments = [argument or str(upstream) for argument in defect.arguments]
    process = subprocess.Popen(
        [sys.executable, str(_PROGRAMS / defect.program), form, *arguments],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process.pid, json.loads(process.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _observe(trace: Trace, defect: Defect, form: str) -> tuple[Found, dict[str, int]]:
    with contextlib.ExitStack() as stack:
        upstream = 0
        if defect.upstream_s is not None:
            upstream = stack.enter_context(load.slow_service(defect.upstream_s))
        elif "dns" in defect.arguments:
            stack.enter_context(load.slow_resolver(0.03, _RESOLVER))
        pid, facts = stack.enter_context(_running(defect, form, upstream))
        trace.follow(pid, True)
        trace.processes_alive()
        before = trace.snapshot()
        assert defect.drive(facts["port"], defect.connections, defect.seconds, defect.gap_s)
        after = trace.snapshot()
        trace.look()
        report = trace.report(interval(after, before))
    check_verdict(report)
    family = {pid, *(one.pid for one in report.processes if one.parent == pid)}
    found = by_rule(one for one in report.findings if one.pid in family)
    return found, facts


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.rule)
def test_a_defect_is_found_with_its_figures(trace: Trace, defect: Defect) -> None:
    found, facts = _observe_undisturbed(trace, defect, "wrong", lambda one: defect.rule in one)
    assert defect.rule in found, found.keys()
    evidence = found[defect.rule].evidence
    for name, (least, most) in defect.evidence.items():
        assert least <= float(evidence[name]) <= most, (name, evidence)
    if defect.rule == "IO104":
        assert found["IO104"].fd == facts["upstream"]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.rule)
def test_the_fixed_server_has_nothing(trace: Trace, defect: Defect) -> None:
    found, _ = _observe_undisturbed(trace, defect, "fixed", lambda _: False)
    own = faults(found)
    if defect.rule in STARVED:
        own |= {rule: one for rule, one in found.items() if rule == defect.rule}
    assert not own, "\n".join(map(str, own.values()))


def _observe_undisturbed(
    trace: Trace, defect: Defect, form: str, enough: Callable[[Found], bool]
) -> tuple[Found, dict[str, int]]:
    """What is found, of the first of some tries that other programs left a CPU to; or that the CPUs
    are taken, and nothing else, at all of them."""
    for _ in range(_TRIES):
        found, facts = _observe(trace, defect, form)
        if enough(found) or not starvation(found):
            return found, facts
    if form == "fixed" and defect.rule not in STARVED and not faults(found):
        return found, facts
    pytest.skip(f"other programs take the CPUs, {_TRIES} times: {starvation(found)}")
