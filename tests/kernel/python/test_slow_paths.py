"""A slow call that was given a path has it in its line, and so has one that does not return."""

from __future__ import annotations

from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work


def test_a_slow_call_has_its_path() -> None:
    with Target("slow_paths.py") as target:
        report = trace_work(target)
    process = process_of(report, target.pid)
    lines = {mark_of("slow_paths.py", one.stack): one for one in process.lines}
    opens, hangs = lines["opens"], lines["hangs"]
    assert opens.path.startswith("/"), "the working directory is not in front of it"
    assert opens.path.endswith("/orders.pipe")
    assert opens.file_system, opens
    assert opens.calls, opens
    gives = lines["gives"]
    assert (gives.syscall, gives.path) == ("other", "")
    assert hangs.path.endswith("/nobody.pipe")
    assert (hangs.calls, hangs.in_flight) == (0, 1)
    (stuck,) = [
        one.in_call
        for one in process.threads
        if one.in_call and mark_of("slow_paths.py", one.in_call.stack) == "hangs"
    ]
    assert stuck.peer == hangs.path
    assert stuck.file_system == hangs.file_system
