# SPDX-License-Identifier: Apache-2.0
"""A program that is told to end, again and again, and does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.ending_tasks import lines_of, own_tasks
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rank, Rule

LEAST_TIMES = 3
"""Who tells a program three times to end has waited in between. A second signal may have come with
the first one: a terminal sends it to all of a group, and a parent hands it on."""
_ENDS = ("SIGTERM", "SIGINT")
_TAKES_THEM = re.compile(r"ipykernel|ipython|jupyter|uwsgi", re.IGNORECASE)
"""What interrupts a cell or a line of input by SIGINT, and begins anew by SIGTERM (uWSGI)."""


def _told_in_vain(profile: ProcessProfile) -> Iterator[Hit]:
    """Signals that ask for an end, in a process that is there at the end of the trace."""
    process = profile.process
    counts = Counter[str]()
    for one in process.signals:
        counts[one.signal] += one.count
    name, times = max(((one, counts[one]) for one in _ENDS), key=lambda told: told[1])
    if times < LEAST_TIMES or process.ended_ns is not None:
        return
    names = [word.rsplit("/", 1)[-1] for word in process.cmdline[:3]]
    if len(names) == 1 or any(map(_TAKES_THEM.match, names)):
        return
    tasks = own_tasks(profile)
    number = sum(one.tasks for one in tasks)
    listens = ", ".join(process.sockets.listening) if process.sockets else ""
    what = [f"it still listens at {listens}"] if listens else []
    if number:
        verb = "is" if number == 1 else "are"
        what.append(f"{plural(number, 'asyncio task')} of its own {verb} still there")
    yield Hit(
        {
            "signal": name,
            "times": times,
            **({"listens_at": listens} if listens else {}),
            **({"asyncio_tasks_of_the_program": number} if number else {}),
        },
        profile.wall_ns,
        severity="high",
        lines=lines_of(tasks),
        title=f"The program was told to end {times} times ({name}) and does not end"
        + (f": {' and '.join(what)}" if what else ""),
    )


TOLD = Rule(
    "IO208",
    "The program was told to end again and again, and does not",
    "A handler takes the signal, and does not end the program. It keeps one for each signal, the "
    "latest: of two servers (uvicorn.Server, hypercorn) or loops in one program only the last is "
    "told, so have one handler that ends them all (should_exit = True for each), or a process for "
    "each. A handler that sets a flag does nothing while nobody looks at it: uvicorn does so when "
    "its startup (lifespan) is over; give what that waits for a timeout. Python runs handlers in "
    "the main thread only, between two of its instructions. KeyboardInterrupt that is caught, or "
    "raised in a thread's join(), ends nothing. `iotrace tasks PID` shows each task.",
    _told_in_vain,
    rank=Rank.STUCK,
    least=Detail.FULL,
)
