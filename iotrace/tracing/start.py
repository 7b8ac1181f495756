# SPDX-License-Identifier: Apache-2.0
"""The start of a trace: probes attached, processes entered. From then on time is charged.

No more than that takes is imported here; what reads the figures (trace.py) can come afterwards.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from iotrace.engine.constants import Counter
from iotrace.engine.image_source import ImageSource
from iotrace.engine.pid_namespace import require_usable_clock
from iotrace.engine.probes import Probes
from iotrace.engine.targets import TargetTable
from iotrace.errors import IotraceError, PermissionDenied, Unsupported
from iotrace.procfs.files import TooLarge
from iotrace.procfs.listening import read_listening_ports
from iotrace.target_reader.reader import TargetReader

if TYPE_CHECKING:
    from iotrace.procfs.cgroup import CpuLimit


class Start:
    """Probes that charge. Use as a context manager: leaving it detaches them.

    ``table`` enters processes; ``roots``: those that were asked for, and whether with children;
    ``entered``: those that ran already; ``listening``: TCP ports that they, or others, accept on;
    ``cpu_limits``: what throttled those up to then, by pid.
    ``started_at`` is the time of day, ``started_ns`` on CLOCK_MONOTONIC.
    """

    def __init__(self, source: ImageSource, reader: TargetReader | None = None) -> None:
        """Attach; nothing is followed yet. Raises what Probes.attach raises.

        ``reader``: one that is there already; it is closed along with the probes.
        """
        self.reader = reader or TargetReader()  # before there are probes for it to hold
        try:
            require_usable_clock()
            self.probes = Probes.attach(source)
        except BaseException:
            source.close()
            self.reader.close()
            raise
        self.started_at = datetime.now().astimezone()
        self.started_ns = time.monotonic_ns()
        self._cpu_from_ns = self._cpu_ns()
        with contextlib.ExitStack() as ends:
            ends.callback(self.close)
            self.table = TargetTable(self.probes, source.limits.reserved, self.reader)
            ends.pop_all()
        self.roots: dict[int, bool] = {}
        self.entered: tuple[int, ...] = ()
        self.listening: set[int] = set()
        self.cpu_limits: dict[int, tuple[CpuLimit, ...]] = {}

    def stream_events(self) -> None:
        """Of what is charged from now on, single events too: they stay until somebody takes them.

        Needs ``Limits.timeline_pages``.
        """
        self.probes.counters[Counter.TIMELINE_ON] = 1

    def follow(self, pid: int, children: bool) -> tuple[int, ...]:
        """Charge a running process (and its children); the pids.

        Raises NoSuchProcess; Unsupported where there is no room for the threads of the only one.
        """
        self.roots[pid] = children
        # Known before any connection is met: which end of it is a server's depends on that.
        with contextlib.suppress(PermissionDenied, TooLarge):
            ports = read_listening_ports(pid)
            self.probes.listen_on(ports)
            self.listening |= ports
        try:
            entered = self.table.enter(pid, children)
        except Unsupported as error:
            if not self.entered:
                raise
            self.table.left_out[pid] = error.what
            entered = (pid,)
        self.probes.load_later()
        self.entered += entered
        self._note_limits(entered)
        return entered

    def forget(self, pids: Collection[int]) -> None:
        """These have ended, and nothing more is asked of them."""
        for pid in pids:
            self.roots.pop(pid, None)
            self.cpu_limits.pop(pid, None)
            self.table.left_out.pop(pid, None)
        self.entered = tuple(pid for pid in self.entered if pid not in pids)

    def _note_limits(self, pids: tuple[int, ...]) -> None:
        """What reads them is imported now that time is charged."""
        from iotrace.target_reader.limits import read_cpu_limits

        for pid in pids:
            with contextlib.suppress(IotraceError):
                self.cpu_limits[pid] = read_cpu_limits(self.reader, pid)

    def spent_ns(self) -> int:
        """CPU time of this process and its readers since the probes were attached."""
        return self._cpu_ns() - self._cpu_from_ns

    def _cpu_ns(self) -> int:
        return time.process_time_ns() + self.reader.cpu_ns()

    def close(self) -> None:
        """Detach."""
        try:
            self.probes.close()
        finally:
            self.reader.close()

    def __enter__(self) -> Start:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
