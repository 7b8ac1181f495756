"""Builds without a GIL: made of the headers of 3.14 and 3.15, as no suite has such builds."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from iotrace.report.model import Report
from tests.kernel.targets import PROGRAMS, Target
from tests.kernel.tracing import process_of, report_of, tracing
from tests.sid_pythons import VERSIONS, headers

_NAPS = 7


@pytest.fixture(scope="module", params=VERSIONS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable of one version."""
    version, folder = request.param, tmp_path_factory.mktemp("free-threaded")
    include, compiler = headers(version), shutil.which("cc")
    if include is None:
        pytest.skip(f"needs the headers of {version} (.ci/setup tests)")
    assert compiler, "the tests need a C compiler: .ci/setup tests"
    folders = (include, include / "internal", include / "internal/mimalloc", include.parent)
    source, made = PROGRAMS / "free_threaded.c", folder / f"python{version}t"
    flags = ["-w", "-rdynamic", "-pthread", "-DPy_GIL_DISABLED=1", *(f"-I{one}" for one in folders)]
    subprocess.run([compiler, *flags, source, "-o", made], check=True)
    return made


def _traced(program: Path, gil: bool) -> tuple[int, Report]:
    arguments = (str(_NAPS), str(int(gil)))
    with Target("", prefix=(str(program), *arguments)) as target, tracing(target.pid) as trace:
        target.go()
        target.wait_until_finished()
        return target.pid, report_of(trace)


def test_lines_and_waits_of_a_build_without_a_gil(program: Path) -> None:
    pid, report = _traced(program, gil=False)
    process = process_of(report, pid)
    # Each thread runs a copy of its own of the same instructions.
    (naps,) = [line for line in process.lines if line.syscall == "clock_nanosleep"]
    stack = [(frame.function, frame.line) for frame in naps.stack]
    assert stack == [("Free.inner", 44), ("outer", 43)]
    assert naps.calls == 2 * _NAPS
    waits: Counter[str] = Counter()
    for call in process.calls:
        if call.syscall == "futex":
            waits[call.kind] += call.calls or 0
    assert waits == {"stop the world": _NAPS, "": 2 * _NAPS}
    locks = {
        thread.in_call.lock for thread in process.threads if thread.in_call and thread.in_call.lock
    }
    assert locks == {
        "stopped by another thread (garbage collection, fork)",
        "the own lock of a dict",
        "a _thread.lock",
    }
    assert report.quality.unavailable[f"GIL waits of process {pid}"] == "it is built without a GIL"


def test_a_gil_that_was_switched_on_is_told(program: Path) -> None:
    pid, report = _traced(program, gil=True)
    assert (
        f"the Python of process {pid} is free-threaded, but its GIL is on" in report.quality.notes
    )
    assert not [name for name in report.quality.unavailable if name.startswith("GIL waits")]
