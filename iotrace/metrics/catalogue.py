# SPDX-License-Identifier: Apache-2.0
"""Every metric: one row each.

Names follow OpenTelemetry's and Prometheus's conventions: base units, ``_total`` for counters,
``_seconds`` for times. Those of event loops mirror ``nodejs.eventloop.*``, for which
OpenTelemetry has conventions and Python has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a metric is to a monitoring system."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """``name`` without ``_total``; ``labels`` beside those of the group (none: ``of_agent``).

    ``needs``: the least detail that knows it.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    needs: str = "light"
    of_agent: bool = False

    @property
    def exposed_name(self) -> str:
        """As Prometheus shows it."""
        return {Kind.COUNTER: f"{self.name}_total", Kind.INFO: f"{self.name}_info"}.get(
            self.kind, self.name
        )


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

PROCESS = Metric(
    "iotrace_process",
    Kind.INFO,
    "A traced process, its I/O model and its Python; 1 while it is there.",
    ("pid", "model", "python"),
)
PROCESSES = Metric("iotrace_processes", _G, "Traced processes.")
THREADS = Metric("iotrace_threads", _G, "Traced threads.")
THREAD_TIME = Metric(
    "iotrace_thread_time_seconds",
    _C,
    "Wall time of all threads by state; the states add up to the threads' lifetimes.",
    ("state",),
)
REQUEST_DURATION = Metric(
    "iotrace_request_duration_seconds",
    _H,
    "From the arrival of a request to the first byte of its answer.",
    needs="sockets",
)
REQUEST_PARTS = Metric(
    "iotrace_request_part_seconds",
    _C,
    "Latency of requests by part: accept queue, pickup, service.",
    ("part",),
    needs="sockets",
)
REQUESTS_OWED = Metric(
    "iotrace_requests_unanswered", _G, "Requests that waited for an answer.", needs="sockets"
)
REQUEST_AGE = Metric(
    "iotrace_request_oldest_unanswered_seconds",
    _G,
    "Age of the oldest request without an answer.",
    needs="sockets",
)
UPSTREAM_DURATION = Metric(
    "iotrace_upstream_duration_seconds",
    _H,
    "From the last byte of a query to the arrival of its answer: the peer's time.",
    needs="sockets",
)
UPSTREAM_PICKUP = Metric(
    "iotrace_upstream_pickup_seconds",
    _C,
    "From the arrival of answers until they were read: the program's own delay.",
    needs="sockets",
)
UPSTREAMS_OWED = Metric(
    "iotrace_upstream_unanswered", _G, "Queries that waited for an answer.", needs="sockets"
)
UPSTREAM_AGE = Metric(
    "iotrace_upstream_oldest_unanswered_seconds",
    _G,
    "Age of the oldest query without an answer.",
    needs="sockets",
)
CONNECT_ERRORS = Metric(
    "iotrace_upstream_connect_errors", _C, "Connections that could not be made.", needs="sockets"
)
LOOP_TIME = Metric(
    "iotrace_eventloop_time_seconds",
    _C,
    "Time of event loops: active (outside of the multiplexer) or idle (asleep in it).",
    ("state",),
)
LOOP_ITERATIONS = Metric("iotrace_eventloop_iterations", _C, "Iterations.", needs="full")
STALLS = Metric(
    "iotrace_eventloop_stalls",
    _C,
    "Iterations of more than 50 ms; without full detail, times of more than 50 ms between two "
    "sleeps in the multiplexer.",
)
STALL_TIME = Metric(
    "iotrace_eventloop_stall_seconds",
    _C,
    "Time of such iterations by what took it: cpu, runq, or a wait reason.",
    ("cause",),
)
GIL_WAIT = Metric(
    "iotrace_gil_wait_seconds", _C, "Time that threads waited for the GIL.", needs="full"
)
QUEUE_LENGTH = Metric("iotrace_accept_queue_length", _G, "Connections that waited to be accepted.")
QUEUE_DROPS = Metric(
    "iotrace_accept_queue_dropped", _C, "Connections that an accept queue had no room for."
)
THROTTLED = Metric(
    "iotrace_cpu_throttled_seconds", _C, "Time that a CPU quota kept a control group from running."
)
MAJOR_FAULTS = Metric("iotrace_major_page_faults", _C, "Page faults that waited for storage.")
FINDINGS = Metric(
    "iotrace_finding",
    _G,
    "Findings of the last interval: how many processes each rule reported.",
    ("rule", "severity"),
)
AGENT_CPU = Metric("iotrace_agent_cpu_seconds", _C, "CPU time of the agent.", of_agent=True)
AGENT_MEMORY = Metric(
    "iotrace_agent_resident_bytes", _G, "Resident memory of the agent.", of_agent=True
)
AGENT_KERNEL_MEMORY = Metric(
    "iotrace_agent_kernel_bytes", _G, "Kernel memory of its maps.", of_agent=True
)
AGENT_LOST = Metric(
    "iotrace_agent_lost", _C, "What tables had no room for.", ("table",), of_agent=True
)
AGENT_UNACCOUNTED = Metric(
    "iotrace_agent_unaccounted_ratio",
    _G,
    "Share of thread time in the last interval that is in no state.",
    of_agent=True,
)
AGENT_LEFT_OUT = Metric(
    "iotrace_agent_groups_left_out",
    _G,
    'Groups beyond the limit, added up under the program "other".',
    of_agent=True,
)
AGENT_PUSHES = Metric(
    "iotrace_agent_pushes",
    _C,
    "Intervals for OTLP: pushed, or lost (counters are in the next one all the same).",
    ("result",),
    of_agent=True,
)
AGENT_PUSHES_WAITING = Metric(
    "iotrace_agent_pushes_waiting", _G, "Intervals that are not pushed yet.", of_agent=True
)
AGENT_INTERVALS = Metric("iotrace_agent_intervals", _C, "Intervals reported.", of_agent=True)

METRICS = (
    PROCESS, PROCESSES, THREADS, THREAD_TIME,
    REQUEST_DURATION, REQUEST_PARTS, REQUESTS_OWED, REQUEST_AGE,
    UPSTREAM_DURATION, UPSTREAM_PICKUP, UPSTREAMS_OWED, UPSTREAM_AGE, CONNECT_ERRORS,
    LOOP_TIME, LOOP_ITERATIONS, STALLS, STALL_TIME, GIL_WAIT,
    QUEUE_LENGTH, QUEUE_DROPS, THROTTLED, MAJOR_FAULTS, FINDINGS,
    AGENT_CPU, AGENT_MEMORY, AGENT_KERNEL_MEMORY, AGENT_LOST, AGENT_UNACCOUNTED, AGENT_LEFT_OUT,
    AGENT_PUSHES, AGENT_PUSHES_WAITING, AGENT_INTERVALS,
)  # fmt: skip

GROUP_LABELS = ("program", "unit", "container")
"""Labels of every metric that is not the agent's own. No pid, thread, descriptor or line: those
come and go, and each would be a series for ever (the pid is on ``iotrace_process_info`` alone)."""
