# SPDX-License-Identifier: Apache-2.0
"""The rows of a process's tables: a part of the report's model.

``field(metadata=SOCKETS)``: lesser details than that do not know the figure, it is then None (of
calls and descriptors, sockets detail knows it only of sockets). Without it every detail knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iotrace.report.detail import FULL, SOCKETS
from iotrace.report.stacks import InCall
from iotrace.report.times import Percentiles, Phase, Pickup, Quantiles

_NO_FAILURE = ("EAGAIN", "EINPROGRESS")


@dataclass(frozen=True, slots=True)
class Model:
    """An I/O model named from behaviour; ``evidence`` is a list of sentences with figures.

    ``confidence`` is 0 to 1, see docs/models.md; ``shape``: how threads and processes share the
    work ("event loop", "thread per connection", ...), "" where it has none.
    """

    id: str
    title: str
    confidence: float
    evidence: tuple[str, ...] = ()
    shape: str = ""


@dataclass(frozen=True, slots=True)
class States:
    """The ledger of one thread: those that are not None add up to its ``lifetime_ns``.

    ``wait`` has every reason of ``WAIT_REASONS``; one that a file lacks is 0. ``cpu``: on a CPU,
    where it is not known in which of the states that are None (light detail); None where all of
    them are known.
    """

    user: int | None = field(metadata=FULL)
    kernel: int | None = field(metadata=FULL)
    copy: int | None = field(metadata=SOCKETS)
    runq: int
    unaccounted: int
    wait: dict[str, int]
    cpu: int | None = None

    @property
    def on_cpu(self) -> int:
        """All time on a CPU: known in every detail."""
        return (self.cpu or 0) + (self.user or 0) + (self.kernel or 0) + (self.copy or 0)


@dataclass(frozen=True, slots=True)
class Switches:
    """Context switches, as in ``/proc/PID/status``."""

    voluntary: int
    involuntary: int


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread. ``lifetime_ns`` is its wall time while it was traced.

    ``count`` > 1: this row adds up that many threads that have ended (``tid`` is then 0).
    ``started_ns``: since the trace's beginning; 0: it ran before.
    ``in_call``: the call that it was in at the end; None: it was in none, or had ended.
    ``idle_ns``: of the waits in its states, by reason: while no request was in its hands. None: it
    has read none, or cannot be told: it answers requests that other threads have read, or several
    at once on a connection.
    ``requests``: that it has read; None: not known (light detail).
    """

    tid: int
    name: str
    lifetime_ns: int
    states_ns: States
    switches: Switches
    syscalls: int | None = field(metadata=FULL)
    model: Model | None = None
    started_ns: int = 0
    ended_ns: int | None = None
    count: int = 1
    in_call: InCall | None = None
    idle_ns: dict[str, int] | None = None
    requests: int | None = field(default=None, metadata=SOCKETS)


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of one thread on one kind of descriptor.

    ``total_ns`` = wait + runq + copy + kernel. ``errors`` maps errno names to counts.
    ``kind`` is "tcp", "udp", "unix", "pipe", "file", "eventfd", "tty", ... or "" (no descriptor).
    ``filled``: reads that returned as many bytes as they asked for.
    ``gil_ns``: the GIL tax, the time that its threads waited for Python's GIL to come back from it,
    and how often they had to, ``gil_waits``.
    ``in_flight`` calls had not returned at the end: their time is in, they are not in ``calls``.
    ``waits_ns``: of the calls that slept, how long each did; ``copies_ns``: of those that copied.
    ``sleeps``: times that the thread slept in it; ``slept_ns``: how long, with the run queue after
    it. Both are counted where the calls themselves are not seen (light detail), else None.
    """

    tid: int
    syscall: str
    kind: str
    calls: int | None = field(metadata=SOCKETS)
    errors: dict[str, int] | None = field(metadata=SOCKETS)
    bytes: int | None = field(metadata=SOCKETS)
    total_ns: int | None = field(metadata=FULL)
    wait_ns: int
    runq_ns: int
    copy_ns: int | None = field(metadata=SOCKETS)
    kernel_ns: int | None = field(metadata=FULL)
    copy_estimated: bool
    latency_ns: Percentiles | None = field(metadata=FULL)
    in_flight: int = 0
    filled: int | None = field(default=0, metadata=SOCKETS)
    gil_waits: int | None = field(default=0, metadata=FULL)
    gil_ns: int | None = field(default=0, metadata=FULL)
    waits_ns: Phase | None = field(default=None, metadata=FULL)
    copies_ns: Phase | None = field(default=None, metadata=SOCKETS)
    sleeps: int | None = None
    slept_ns: Percentiles | None = None

    @property
    def eagain(self) -> int | None:
        """Calls that would have had to wait, and were told so; None: errors are not seen."""
        return None if self.errors is None else self.errors.get("EAGAIN", 0)

    @property
    def failed(self) -> int | None:
        """Calls that failed in any other way; None: errors are not seen. A connect that goes on by
        itself (EINPROGRESS) has not."""
        if self.errors is None:
            return None
        return sum(count for name, count in self.errors.items() if name not in _NO_FAILURE)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One descriptor number of one process. ``opened``: how many objects had that number.

    ``unread_ns``: data has been lying on it unread for that long at the end, None: it has not.
    ``polled_ns``: asleep in a poll of it alone, as sockets with a timeout are waited for.
    ``sleeps``: as in ``Call``. ``unread_bytes``: data that lay in the receive queue of the socket,
    and ``pending`` connections in the accept queue, at the end; None: it is no such socket, or the
    kernel did not say. ``file_system``: of a file that was waited for, its type and where it is
    mounted ("ext4 at / from /dev/vda1"), "": not known. ``unsent_bytes`` were to be sent or
    acknowledged at the end. Of TCP connections open then (of many, those with the most unsent data;
    None: not known): ``nodelay``, TCP_NODELAY; ``retransmits`` segments sent again; the time that
    the peer's window had no room, ``window_closed_ns``, at the end for ``window_shut_ns`` or more;
    ``segments_in`` with data, of which ``out_of_order`` came before one that was missing then.
    """

    fd: int
    kind: str
    local: str
    peer: str
    nonblocking: bool | None
    calls: int | None = field(metadata=SOCKETS)
    bytes_in: int | None = field(metadata=SOCKETS)
    bytes_out: int | None = field(metadata=SOCKETS)
    wait_ns: int
    copy_ns: int | None = field(metadata=SOCKETS)
    pickup_ns: Pickup | None
    opened: int = 1
    copy_estimated: bool = False
    eagain: int | None = field(default=0, metadata=SOCKETS)
    unread_ns: int | None = None
    polled_ns: int = 0
    sleeps: int | None = None
    unread_bytes: int | None = None
    pending: int | None = None
    file_system: str = ""
    unsent_bytes: int | None = None
    nodelay: bool | None = None
    retransmits: int | None = None
    window_closed_ns: int | None = None
    window_shut_ns: int | None = None
    segments_in: int | None = None
    out_of_order: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Asynchronous operations (io_uring) of one kind."""

    op: str
    count: int
    errors: dict[str, int]
    bytes: int
    submit_to_complete_ns: Quantiles | None

    @property
    def failed(self) -> int:
        """Those that failed."""
        return sum(self.errors.values())


@dataclass(frozen=True, slots=True)
class Signal:
    """Signals delivered to one thread."""

    tid: int
    signal: str
    count: int
