# SPDX-License-Identifier: Apache-2.0
"""Where servers and loads perform under one trace: attached once, however many there are."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from iotrace.demo.figures import Figures, figures
from iotrace.demo.request import Request, requests
from iotrace.engine.map_limits import Limits
from iotrace.errors import Unsupported
from iotrace.report.model import Report
from iotrace.servers.catalog import ServerModel
from iotrace.servers.launch import RunningServer, running
from iotrace.servers.load_plan import LoadResult
from iotrace.servers.load_process import LoadProcess
from iotrace.snapshot.arithmetic import interval
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.timeline import Event
from iotrace.tracing.loop import TraceLoop
from iotrace.tracing.stop_conditions import NotedSignals
from iotrace.tracing.trace import Trace
from iotrace.vocabulary.calls import WRITES

_TICK_NS = 20_000_000
_LOOK_AFTER_NS = 40_000_000
_WINDOW_CALLS = 13
"""Five requests of a blocking server, with the accept."""
_WINDOW_STRETCH = 4
_TIMELINE_PAGES = 4096
"""16 MiB: 350,000 events, half a second of a server that polls as fast as it can."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One load on one server, seen from both sides. ``report`` holds this server alone.

    ``requests``: the complete ones in the window whose single events were kept.
    """

    report: Report
    figures: Figures
    result: LoadResult
    requests: tuple[Request, ...]
    events: tuple[Event, ...]


class Runner:
    """Use as a context manager: leaving it ends the load and detaches the probes."""

    def __init__(
        self, tell: Callable[[str], None], on_attached: Callable[[], None] = lambda: None
    ) -> None:
        """``tell`` is given a line of progress now and then.

        ``on_attached`` is called before anything is started, as whoever this process is then.
        """
        self._tell = tell
        self._on_attached = on_attached
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Runner:
        """Raises what attaching the probes raises, and what ``on_attached`` does."""
        with contextlib.ExitStack() as ends:
            self._signals = ends.enter_context(NotedSignals())
            self._tell("attaching the probes")
            self.trace = ends.enter_context(Trace(Limits(timeline_pages=_TIMELINE_PAGES)))
            self._signals.check()
            self._on_attached()
            self._load = ends.enter_context(LoadProcess())
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell("")
        self._ends.close()

    @contextlib.contextmanager
    def server(self, model: ServerModel, arguments: Sequence[str] = ()) -> Iterator[TracedServer]:
        """Start the model's server and follow it from before its first connection.

        Raises Unsupported where this host cannot run it.
        """
        if reason := model.unavailable():
            raise Unsupported(f"The model {model.id} cannot run here.", why=reason)
        self._tell(f"{model.id}: starting its server")
        with tempfile.TemporaryFile("w+") as words:
            with running(model.module, arguments, stderr=words) as server:
                self._signals.check()
                self.trace.follow(server.pid, children=True)
                traced = TracedServer(self.trace, self._load, server, self._signals)
                yield traced
                self._tell(f"{model.id}: stopping its server")
            words.seek(0)
            traced.words = tuple(words.read().splitlines())
        self.trace.processes_alive()

    def tell(self, line: str) -> None:
        """Show a line of progress."""
        self._tell(line)


class TracedServer:
    """One server that is running and followed. ``words``: what it has said, once it is stopped."""

    words: tuple[str, ...] = ()

    def __init__(
        self, trace: Trace, load: LoadProcess, server: RunningServer, signals: NotedSignals
    ) -> None:
        self._trace = trace
        self._load = load
        self._server = server
        self._signals = signals

    def run_load(
        self,
        arguments: Sequence[str],
        *,
        window_ns: int = 0,
        counted_ns: tuple[int, int] | None = None,
    ) -> Measurement:
        """Carry out a load (arguments of ``iotrace.servers.load``, without the port).

        ``window_ns``: keep the single events of so much time from the start. ``counted_ns``: the
        report covers this time from the start, and not the whole load.
        """
        # The load gets ready first: its start is no part of what is counted.
        self._load.wait_until_ready(self._signals.check, _TICK_NS)
        observer = _LoadObserver(self._trace, self._signals, window_ns, counted_ns)
        loop = TraceLoop(
            self._trace,
            observer,
            alive=lambda: True,
            look_delays_ns=(_LOOK_AFTER_NS,),
            look_at_sockets=True,
        )
        port = ("--port", str(self._server.port))
        result = self._load.run([*port, *arguments], loop.tick, _TICK_NS)
        later = observer.finish()
        self._trace.look()
        events = self._trace.events()
        report = self._only_ours(self._trace.report(interval(later, observer.earlier)))
        return Measurement(
            report=report,
            figures=figures(report, _answered(report, result, partly=counted_ns is not None)),
            result=result,
            requests=requests(events, self._inodes(later)),
            events=events,
        )

    def _only_ours(self, report: Report) -> Report:
        pid = self._server.pid
        ours = tuple(one for one in report.processes if pid in (one.pid, one.parent))
        pids = {one.pid for one in ours}
        found = tuple(finding for finding in report.findings if finding.pid in pids)
        return replace(report, processes=ours, findings=found)

    def _inodes(self, snapshot: Snapshot) -> dict[int, int]:
        """The socket that each descriptor of the server was last."""
        return {
            fd: totals.inode
            for (thread, fd, _), totals in snapshot.descriptors.items()
            if thread.pid == self._server.pid and totals.opened == 1
        }


def _answered(report: Report, result: LoadResult, *, partly: bool) -> int:
    """Requests answered in the time of the report; ``partly``: that is not the whole load."""
    if not partly or not result.requests:
        return int(result.requests)
    frame_bytes: int = result.bytes // result.requests
    sent = sum(
        call.bytes or 0
        for process in report.processes
        for call in process.calls
        if call.syscall in WRITES
    )
    return sent // frame_bytes


class _LoadObserver:
    """What happens at which time of a load. ``earlier``: the totals that its report begins with."""

    def __init__(
        self,
        trace: Trace,
        signals: NotedSignals,
        window_ns: int,
        counted_ns: tuple[int, int] | None,
    ) -> None:
        self._trace = trace
        self._signals = signals
        self._window_ns = window_ns
        self._counted_ns = counted_ns
        self._settled = counted_ns is None
        self._later: Snapshot | None = None
        trace.processes_alive()
        self.earlier = trace.snapshot()
        self._calls = trace.calls_seen()
        trace.timeline(window_ns > 0)
        self._start_ns = time.monotonic_ns()

    def tick(self, trace: Trace) -> None:
        """Raises SystemExit where a signal has come."""
        self._signals.check()
        passed_ns = time.monotonic_ns() - self._start_ns
        if passed_ns >= self._window_ns and not self._watches_on(passed_ns):
            trace.timeline(False)
        if self._counted_ns is None:
            return
        from_ns, to_ns = self._counted_ns
        if passed_ns >= from_ns and not self._settled:
            self._settled = True
            self.earlier = trace.snapshot()
        elif passed_ns >= to_ns and self._later is None:
            self._later = trace.snapshot()

    def _watches_on(self, passed_ns: int) -> bool:
        """On a busy machine the first requests come late: the window is held open for them."""
        if passed_ns >= _WINDOW_STRETCH * self._window_ns:
            return False
        return self._trace.calls_seen() - self._calls < _WINDOW_CALLS

    def finish(self) -> Snapshot:
        """The load has ended: the totals up to now, or to where they were to count."""
        self._signals.check()
        self._trace.timeline(False)
        self._trace.processes_alive()
        return self._later or self._trace.snapshot()
