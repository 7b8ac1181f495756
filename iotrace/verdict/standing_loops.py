# SPDX-License-Identifier: Apache-2.0
"""An asyncio loop that does not come round: one callback keeps its thread for the whole trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.cpu_samples import LEAST_SAMPLES
from iotrace.verdict.frames import named
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import LEAST_NS
from iotrace.verdict.told_lines import ToldLine, frame_text
from iotrace.vocabulary.calls import ACCEPTS

INSIDE_SHARE = 0.95
"""Of the samples of a thread, in what an asyncio loop has called, and in one function of that:
the rest are stacks that could not be read to their end."""
_CALLBACK = "/asyncio/events.py:_run"


@dataclass(frozen=True, slots=True)
class StandingLoop:
    """``frame``: of the innermost function that does not return; ``tasks``: others of that process,
    at places where one at least has waited for long. ``listens``: it has a listening socket;
    ``clients``: connections wait there that no other thread accepts."""

    frame: Frame
    tasks: int
    listens: bool
    clients: bool

    @property
    def line(self) -> ToldLine:
        """Where it goes round."""
        return ToldLine(
            f"{frame_text(self.frame)}: all of it is in there, which neither returns nor waits"
        )

    def title(self, lived_ns: int) -> str:
        """Who waits, and for how long at least."""
        tasks = f" with {plural(self.tasks, 'other task')}" if self.tasks else ""
        whose = ", and clients get no answer" if self.clients else ""
        return (
            f"An event loop stands still{tasks}: its thread computes, or goes round, in "
            f"{frame_text(self.frame)} for the whole trace ({duration(lived_ns)}) and never "
            f"comes back to the loop{whose}"
        )

    @property
    def severity(self) -> str:
        """A program that serves nobody may compute in its main coroutine, whatever tasks of
        libraries wait for."""
        return "high" if self.clients else "medium" if self.tasks and self.listens else "low"


def standing_loop(profile: ProcessProfile, tid: int) -> StandingLoop | None:
    """None where the thread has called its multiplexer meanwhile, or was elsewhere."""
    rows = [one for one in profile.process.cpu_samples if one.tid == tid and one.stack]
    total = sum(one.samples for one in rows)
    if total < LEAST_SAMPLES or profile.threads[tid].multiplexers:
        return None
    inside = [one for one in rows if any(named(at).endswith(_CALLBACK) for at in one.stack)]
    if sum(one.samples for one in inside) < INSIDE_SHARE * total:
        return None
    frame = _goes_round(inside, total)
    if frame is None:
        return None
    tasks = profile.tasks.rows if profile.tasks else ()
    sockets = profile.process.sockets
    return StandingLoop(
        frame,
        sum(one.tasks for one in tasks if one.longest_ns >= LEAST_NS),
        bool(sockets and sockets.listening),
        bool(sockets and sockets.listening and sockets.pending)
        and not _others_accept(profile, tid),
    )


def _others_accept(profile: ProcessProfile, tid: int) -> bool:
    """As native threads do, of a Jupyter kernel: what waits for them is no matter of the loop."""
    return any(one.syscall in ACCEPTS and one.tid != tid for one in profile.process.calls)


def _goes_round(rows: Sequence[CpuSample], total: int) -> Frame | None:
    """Of the functions that the loop has called, the innermost one that all samples are in, at the
    line with most of them."""
    functions, lines = Counter[tuple[str, str]](), Counter[Frame]()
    for one in rows:
        called = _called(one)
        for frame in set(called):
            lines[frame] += one.samples
        for function in {(frame.file, frame.function) for frame in called}:
            functions[function] += one.samples
    common = {one for one, count in functions.items() if count >= INSIDE_SHARE * total}
    example = max(rows, key=lambda one: one.samples)
    innermost = next((at for at in _called(example) if (at.file, at.function) in common), None)
    if innermost is None:
        return None
    its = [at for at in lines if (at.file, at.function) == (innermost.file, innermost.function)]
    return max(its, key=lines.__getitem__)


def _called(one: CpuSample) -> list[Frame]:
    return list(takewhile(lambda frame: not named(frame).endswith(_CALLBACK), one.stack))


GIVES_WAY_NEVER = (
    "Nothing else of this loop runs until that code awaits something that is not there yet. An "
    "await that is answered at once does not give way: recv() of a connection that is closed "
    "raises each time, a receive() or a queue may always have something. So leave the loop where "
    "the other side has gone (an except that passes over the error goes round for ever), or await "
    "what waits. If it computes: "
)
