# SPDX-License-Identifier: Apache-2.0
"""A child process that is waited for by looking for its end again and again."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.stacks import Line
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always

LEAST_SHARE = 0.05
LEAST_WAIT_NS = 200_000_000
_FILE = "/subprocess.py"
_FUNCTIONS = ("_wait", "wait")


def _polled(profile: ProcessProfile) -> Iterator[Hit]:
    lines = [one for one in lines_of_category(profile.process, "sleeps") if _waits_for_child(one)]
    waited = sum(one.wait_ns for one in lines)
    if waited < max(LEAST_WAIT_NS, LEAST_SHARE * profile.wall_ns):
        return
    tids = {one.tid for one in lines}
    yield Hit(
        {
            "looks": sum(one.calls + one.in_flight for one in lines),
            "waited_ns": waited,
        },
        waited,
        tids.pop() if len(tids) == 1 else None,
        lines=waiting_lines(lines, profile.process),
    )


def _waits_for_child(line: Line) -> bool:
    return any(
        frame.file.endswith(_FILE) and frame.plain_function in _FUNCTIONS
        for frame in line.stack[:2]
    )


POLLED = Rule(
    "IO158",
    "Waits for a child process: subprocess polls, with sleeps",
    "These sleeps are not the program's: Popen.wait(timeout) looks every 50 ms at most whether the "
    "child has ended. What takes the time is the child: trace that one, or run it elsewhere (a "
    "queue and a worker). Without a timeout it sleeps in wait4 and does not look; in "
    "asyncio: asyncio.create_subprocess_exec().",
    _polled,
    explains={"IO117": always, **QUEUES},
)
