# SPDX-License-Identifier: Apache-2.0
"""Threads that are started again and again for a little work each, and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.model import Thread
from iotrace.report.stacks import Frame, Line
from iotrace.verdict.frames import named
from iotrace.verdict.number_formats import duration, figure
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule

LEAST_THREADS = 50
PER_SECOND = 20.0
"""Fewer are jobs, each of which may well be worth a thread."""
MOST_LIFE_NS = 500_000_000
"""Of each, on the average: what takes longer is more than its start."""
COST_SHARE = 0.01
"""Of the time traced, that threads wait for those which they start."""
_STARTS = re.compile(r"/threading\.py:start$")
_SERVERS = re.compile(r"/(?:socketserver|wsgiref/\w+|werkzeug/serving|cheroot/\S+)\.py:")
"""A thread for each connection is what these are for; IO114 says when it is too dear."""
_PER_CONNECTION = ("thread per connection", "threads")


def _brief(profile: ProcessProfile) -> Iterator[Hit]:
    process = profile.process
    born = [row for row in process.threads if _is_born(row, profile)]
    number = sum(row.count for row in born)
    if number < LEAST_THREADS or profile.per_second(number) < PER_SECOND:
        return
    life = sum(row.lifetime_ns for row in born) // number
    lines = [line for line in process.lines if line.wait_ns and _starts_thread(line.stack)]
    waited = sum(line.wait_ns for line in lines)
    if life <= MOST_LIFE_NS and waited >= COST_SHARE * profile.wall_ns:
        yield _hit(number, life, waited, lines, profile)


def _is_born(row: Thread, profile: ProcessProfile) -> bool:
    """Started while the process was traced, and not to serve a connection."""
    process = profile.process
    if row.tid == process.pid or (row.tid and row.started_ns <= process.started_ns):
        return False
    per_connection = process.model is not None and process.model.shape in _PER_CONNECTION
    return not (per_connection and profile.styles[row.tid].role == "reader")


def _starts_thread(stack: Sequence[Frame]) -> bool:
    names = [named(frame) for frame in stack]
    return any(map(_STARTS.search, names)) and not any(map(_SERVERS.search, names))


def _hit(
    number: int, life: int, waited: int, lines: Sequence[Line], profile: ProcessProfile
) -> Hit:
    in_loops = sum(line.wait_ns for line in lines if line.tid in profile.loop_threads())
    meanwhile = ", and the event loop serves nothing else" if 2 * in_loops > waited else ""
    return Hit(
        {
            "threads_started": number,
            "per_second": round(profile.per_second(number), 1),
            "mean_life_ns": life,
            "waited_ns": waited,
        },
        min(waited, profile.wall_ns),
        lines=waiting_lines(lines, profile.process),
        title=f"Threads are started again and again, {figure(profile.per_second(number))} a second "
        f"that live {duration(life)} each: whoever starts one waits until it runs "
        f"({duration(waited)} in all){meanwhile}",
    )


BRIEF = Rule(
    "IO207",
    "Threads are started again and again, for a little work each",
    "Thread.start() returns when the new thread has had the GIL: that takes two switches of it, "
    "some 0.1 ms, and longer where others compute. Keep one thread that takes its work from a "
    "queue, or make a ThreadPoolExecutor once and submit to it (not `with ThreadPoolExecutor()` "
    "for each request). In place of a threading.Timer for each event have one thread that looks "
    "after all of them (sched), or the loop's call_later(); in asyncio, asyncio.to_thread() uses "
    "threads that are there already.",
    _brief,
)
