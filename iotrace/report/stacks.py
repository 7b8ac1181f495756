# SPDX-License-Identifier: Apache-2.0
"""The rows of a report that have a Python stack: a part of its model."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.times import Percentiles

_MOST_FOLDERS = 2
"""Of a package's file, that are named; of more, the package alone."""
_PLAIN_FILES = frozenset(("__init__.py", "__main__.py", "main.py", "app.py", "base.py"))


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a Python program. ``suspends``: in a coroutine or a generator.

    ``line`` None: the instruction is of no line. What can't be named any more is "?".
    """

    function: str
    file: str
    line: int | None
    suspends: bool = False

    @property
    def plain_function(self) -> str:
        """Without the class that it is defined in, which Pythons before 3.11 do not name."""
        return self.function.rpartition(".")[2]

    @property
    def place(self) -> str:
        """``orders.py:88``, with the folder of files whose name says nothing: ``app/main.py:7``;
        of an installed package with its name: ``sqlalchemy/pool/impl.py:166``."""
        package = self.file.rpartition("-packages/")[2] if "-packages/" in self.file else ""
        if package.count("/") > _MOST_FOLDERS:
            package = f"{package.partition('/')[0]}/.../{package.rpartition('/')[2]}"
        if "/" in package:
            return f"{package}:{self.line or '?'}"
        parts = self.file.rsplit("/", 2)
        kept = parts[-2:] if parts[-1] in _PLAIN_FILES else parts[-1:]
        return f"{'/'.join(kept)}:{self.line or '?'}"


class Stacked:
    """A row with a ``stack``, innermost frame first; ``own``: the place in it of the innermost
    frame that is the program's own and not a library's."""

    __slots__ = ()
    own: int
    stack: tuple[Frame, ...]

    @property
    def own_stack(self) -> tuple[Frame, ...]:
        """The stack from the innermost frame on that is the program's own; () if there is none."""
        return self.stack[max(0, self.own) :] or self.stack


@dataclass(frozen=True, slots=True)
class LongestWait(Stacked):
    """The longest wait in one call of a thread, and the Python stack that made the call.

    ``own``: place in ``stack`` (innermost frame first) of the program's own innermost frame. The
    stack is () where it could not be kept.
    """

    syscall: str
    kind: str
    wait_ns: int
    own: int
    stack: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class AwaitingTask:
    """A task that awaits another: its name, and where its own coroutine does; null: not known."""

    name: str
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class RunningTask:
    """The asyncio task that ran in the longest call, stall or request of a row.

    ``awaited_by``: the task that awaits it, the one that awaits that, and so on; of several that
    await one, one is told (``several``). ``more``: the last one is awaited in turn. Names are cut
    to some 50 characters. Python 3.14 and later.
    """

    name: str
    awaited_by: tuple[AwaitingTask, ...]
    several: bool
    more: bool

    @property
    def chain(self) -> str:
        """``query-7 < handler < main``: each awaits the one before it."""
        names = [self.name, *(one.name for one in self.awaited_by), *(["..."] if self.more else [])]
        return " < ".join(names)


@dataclass(frozen=True, slots=True)
class StallCause(Stacked):
    """Stalls of a loop that are attributed to one Python stack; times are of all of them.

    ``cause``: what took most of the time: "cpu" (Python computed), "gc" (the same, and mostly the
    garbage collector ran), "call" (it waited in a call), "gil" (another thread had the GIL), "runq"
    (it was ready, but had no CPU), "poll" (it slept in a multiplexer inside of the iteration).
    ``own``: place in ``stack`` of the innermost frame that is the
    program's own; the stack is that of the thread that had the GIL where that is the cause, and ()
    where nothing was sampled. ``native``: the shared object that most samples of that stack
    were in ("libopenblas"); "": the interpreter itself, or not known.
    """

    cause: str
    syscall: str
    kind: str
    fd: int | None
    count: int
    total_ns: int
    cpu_ns: int
    runq_ns: int
    gil_ns: int
    call_ns: int
    max_ns: int
    own: int
    stack: tuple[Frame, ...]
    native: str = ""
    task: RunningTask | None = None


@dataclass(frozen=True, slots=True)
class Line(Stacked):
    """Slow calls that one Python stack made, by call and kind; of connects, and of calls that fail
    for want of a descriptor (EMFILE, ENFILE), quick ones as well.

    ``own``: place in ``stack`` (innermost frame first) of the innermost frame that is the
    program's own and not a library's. ``fd``, ``tid``: of the latest call.
    ``in_flight`` calls had not returned at the end: their time is in, they are not in ``calls``.
    ``latency_ns``: how long these calls took; percentiles are within 25 %. None: none of them has
    returned; files of older versions lack it.
    ``path``: that of the longest, of calls that take one, with the working directory in front
    where it is relative; ``file_system``: its type and where it is mounted; "": not known.
    """

    tid: int
    syscall: str
    kind: str
    fd: int | None
    calls: int
    in_flight: int
    total_ns: int
    wait_ns: int
    runq_ns: int
    copy_ns: int
    max_ns: int
    own: int
    stack: tuple[Frame, ...]
    latency_ns: Percentiles | None = None
    task: RunningTask | None = None
    path: str = ""
    file_system: str = ""


@dataclass(frozen=True, slots=True)
class InCall(Stacked):
    """The system call that a thread was in at the end.

    ``since_ns``: when it began, since the trace's beginning; 0: before the thread was traced.
    ``wait_ns``: how long the thread has been asleep in it. ``fd``: its descriptor, or that of a
    poll of one alone; ``kind`` and ``peer`` are the descriptor's: an address, the path of a file,
    "pipe:[81]"; of a call that takes a path ``peer`` is that, and ``file_system`` where it lies.
    ``object``: which lock a futex belongs to, the same number for the same lock of a process; "":
    not known. ``lock``: what that is, in words. ``others``: traced processes that have the other
    end of the pipe; of a terminal in /dev/pts, those that have made one. ``stack`` () where none
    was kept; ``own`` as in ``Line``. ``timed``: of a futex, whether the wait ends by itself after
    some time; null: not known. ``inherited_by``: "4321 tail" for each process that could write to
    the pipe from which a child's output is read to its end, and is no child. ``alone``: it is
    known that it has long been reading from a pipe which no process of the host but its own has
    open for writing. ``allowed_by``: "902 clamonacc" for each process that has to allow accesses to
    files (fanotify(7)), where the call waits for that. ``read_by``: the same of each other process
    that could read the pipe which a write waits for.
    """

    syscall: str
    kind: str
    fd: int | None
    peer: str
    since_ns: int
    wait_ns: int
    object: str = ""
    lock: str = ""
    others: tuple[int, ...] = ()
    own: int = 0
    stack: tuple[Frame, ...] = ()
    inherited_by: tuple[str, ...] = ()
    timed: bool | None = None
    file_system: str = ""
    alone: bool = False
    allowed_by: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wake:
    """Slow waits for locks by who ended them: of all waits from one stack, woken from another.

    ``kind``: as in ``Line``: "gil" where it was Python's GIL. ``tid``: the latest waker's.
    ``stack``: the waiter's; ``waker_stack``: where its waker was just after it had let go of the
    lock, () where that is not known. ``own``, ``waker_own``: places in them as in ``Line``.
    """

    kind: str
    calls: int
    wait_ns: int
    max_ns: int
    tid: int
    own: int
    stack: tuple[Frame, ...]
    waker_own: int
    waker_stack: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class CpuSample(Stacked):
    """A place of a Python program where a clock found threads on a CPU.

    ``samples``: ticks; ``cpu_ns``: the CPU time that they stand for, an estimate. Of the samples,
    ``in_calls`` were in a system call, and in ``collecting`` the garbage collector ran.
    ``faults``: major page faults that were taken there (these are counted, not sampled).
    ``own`` as in ``Line``; ``stack`` is one of those that were seen there, () where none was kept.
    ``tid``: of the latest sample.
    """

    tid: int
    samples: int
    cpu_ns: int
    in_calls: int
    collecting: int
    faults: int
    own: int
    stack: tuple[Frame, ...]

    @property
    def gc_ns(self) -> int:
        """Of ``cpu_ns``, while the garbage collector ran."""
        return self.cpu_ns * self.collecting // max(1, self.samples)
