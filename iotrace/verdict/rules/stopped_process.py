# SPDX-License-Identifier: Apache-2.0
"""A process that was stopped (state T): it does nothing, and others wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.verdict.family_evidence import DEADLOCKED_CHILD, HANGING_CHILDREN
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.stuck import stuck_lines, stuck_threads
from iotrace.verdict.waiting_tasks import task_lines, waiting_tasks
from iotrace.vocabulary.calls import SIGNAL_WAITS

LEAST_NS = 2_000_000_000
"""Shorter stops are a debugger's, or of somebody who looks."""
MOST_NAMED = 3


def _stopped(profile: ProcessProfile) -> Iterator[Hit]:
    mine = stopped_ns(profile)
    if mine >= LEAST_NS:
        yield Hit(
            {"stopped_ns": mine},
            mine,
            severity="high",
            title=f"Process {profile.process.pid} {profile.process.name} was stopped for "
            f"{duration(mine)}: it does nothing until somebody lets it go on",
        )
    children = [one for one in profile.children if stopped_ns(one) >= LEAST_NS]
    waiting = [one for one in stuck_threads(profile) if one.purpose is Purpose.CHILD]
    tasks = [one for one in waiting_tasks(profile) if one.purpose is Purpose.CHILD]
    if children and (waiting or tasks):
        longest = max(map(stopped_ns, children))
        yield Hit(
            {
                DEADLOCKED_CHILD: "stopped",
                HANGING_CHILDREN: ", ".join(str(one.process.pid) for one in children),
                "stopped_ns": longest,
                "threads_waiting": len(waiting),
                **({"tasks_waiting": sum(one.wait.tasks for one in tasks)} if tasks else {}),
            },
            longest,
            severity="high",
            lines=(*task_lines(tasks), *stuck_lines(waiting))[:3],
            title=f"It waits for {_named(children)}, stopped for {duration(longest)}: a stopped "
            "process never ends",
            advice=_ADVICE.replace("PID", " ".join(str(one.process.pid) for one in children)),
        )


def stopped_ns(profile: ProcessProfile) -> int:
    """How long a thread of it was stopped: it waited for signals, but in no call that does."""
    waited = max((one.wait_ns["signal"] for one in profile.threads.values()), default=0)
    called = sum(one.wait_ns for one in profile.process.calls if one.syscall in SIGNAL_WAITS)
    return max(0, waited - called)


def _named(children: Sequence[ProcessProfile]) -> str:
    names = [f"{one.process.pid} {one.process.name}" for one in children[:MOST_NAMED]]
    count = len(children)
    who = "its child" if count == 1 else f"{count:,} children"
    more = ", ..." if count > MOST_NAMED else ""
    return f"{who} ({', '.join(names)}{more})"


_ADVICE = (
    "It goes on with `kill -CONT PID`. Who reads the terminal or changes its settings from the "
    "background is stopped (SIGTTIN, SIGTTOU): give a child that runs in a process group of its "
    "own no terminal (stdin=subprocess.DEVNULL, start_new_session=True), or do not let it ask. "
    "Else somebody has sent SIGSTOP or SIGTSTP (job control, Ctrl-Z), a debugger is attached, or "
    "its control group is frozen (docker pause)."
)
STOPPED = Rule(
    "IO190",
    "A process is stopped, and does nothing",
    _ADVICE,
    _stopped,
    explains={"IO140": always, "IO105": always},
    rank=Rank.STUCK,
)
