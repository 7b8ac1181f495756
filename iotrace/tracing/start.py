"""The start of a trace: probes attached, processes entered. From then on time is charged.

No more than that takes is imported here; what reads the figures (trace.py) can come afterwards.
"""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from types import TracebackType

from iotrace.engine.image_source import ImageSource
from iotrace.engine.pid_namespace import require_usable_clock
from iotrace.engine.probes import Probes
from iotrace.engine.targets import TargetTable
from iotrace.errors import IotraceError
from iotrace.procfs.cgroup import CpuLimit, read_cpu_limits


class Start:
    """Probes that charge. Use as a context manager: leaving it detaches them.

    ``table`` enters processes; ``roots``: those that were asked for, and whether with children;
    ``entered``: those that ran already; ``cpu_limits``: what throttled those up to then, by pid.
    ``started_at`` is the time of day, ``started_ns`` on CLOCK_MONOTONIC, ``cpu_ns`` what this
    process had spent by then.
    """

    def __init__(self, source: ImageSource) -> None:
        """Attach; nothing is followed yet. Raises what Probes.attach raises."""
        try:
            require_usable_clock()
            self.probes = Probes.attach(source)
        except BaseException:
            source.close()
            raise
        self.started_at = datetime.now().astimezone()
        self.started_ns = time.monotonic_ns()
        self.cpu_ns = time.process_time_ns()
        with contextlib.ExitStack() as ends:
            ends.callback(self.probes.close)
            self.table = TargetTable(self.probes, source.limits.reserved)
            ends.pop_all()
        self.roots: dict[int, bool] = {}
        self.entered: tuple[int, ...] = ()
        self.cpu_limits: dict[int, tuple[CpuLimit, ...]] = {}

    def follow(self, pid: int, children: bool) -> tuple[int, ...]:
        """Charge a running process (and its children); the pids. Raises NoSuchProcess."""
        self.roots[pid] = children
        entered = self.table.enter(pid, children)
        self.entered += entered
        for one in entered:
            with contextlib.suppress(IotraceError):
                self.cpu_limits[one] = read_cpu_limits(one)
        return entered

    def __enter__(self) -> Start:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.probes.close()
