# SPDX-License-Identifier: Apache-2.0
"""What the command `iotrace attach` itself costs: to start, to wait, to end."""

from __future__ import annotations

import compileall
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import iotrace
from benchmarks.command import IOTRACE, attached, interrupted
from benchmarks.measure import memory_bytes, peak_rss_bytes
from benchmarks.probes import iotrace_probes
from benchmarks.workloads import WORKLOADS
from iotrace.engine.cache_directory import cache_directory
from iotrace.procfs.task import read_schedstat

_DETACHMENTS = 7


@dataclass(frozen=True, slots=True)
class Command:
    """Seconds, bytes. ``cold``: nothing is cached; ``attach``: from exec to the first charged ns.

    ``waiting_cpu``: of one core, while it waits for the end of its trace.
    """

    help_s: float
    cold_attach_s: float
    attach_s: float
    waiting_cpu: float
    rss_bytes: int
    peak_rss_bytes: int
    kernel_bytes: int
    detach_s: float
    end_s: float


def measure_command(options: tuple[object, ...], runs: int, waiting_s: float) -> Command:
    """Attached to the epoll echo server under its load."""
    # As pip leaves an installed package: the checkout may have no bytecode.
    compileall.compile_dir(str(Path(iotrace.__file__).parent), quiet=1)
    (echo,) = (workload for workload in WORKLOADS if workload.name == "echo")
    with echo.running() as server:
        attach = []
        cold = []
        for _ in range(runs):
            _forget_images()
            cold.append(_attach_s(server.pid, options))
            attach.append(_attach_s(server.pid, options))
        server.begin_load()
        server.counter.wait_until(1000)
        with tempfile.NamedTemporaryFile() as output:
            output_options = ("-f", "json", "-o", output.name)
            with attached(server.pid, *options, *output_options) as tracer:
                time.sleep(0.5)
                begin, before = time.monotonic_ns(), read_schedstat(tracer.pid, tracer.pid).run_ns
                time.sleep(waiting_s)
                spent = read_schedstat(tracer.pid, tracer.pid).run_ns - before
                waiting = spent / (time.monotonic_ns() - begin)
                rss = memory_bytes(tracer.pid, "VmRSS")
                peak = peak_rss_bytes(tracer.pid)
                end = interrupted(tracer)
            report = json.loads(Path(output.name).read_text())
        detach = _detach_s(server.pid, options)
    return Command(
        help_s=median(_help_s() for _ in range(max(5, runs))),
        cold_attach_s=median(cold),
        attach_s=median(attach),
        waiting_cpu=waiting,
        rss_bytes=rss,
        peak_rss_bytes=peak,
        kernel_bytes=report["quality"]["kernel_memory_bytes"],
        detach_s=detach,
        end_s=end,
    )


def _help_s() -> float:
    begin = time.monotonic()
    subprocess.run([*IOTRACE, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def _forget_images() -> None:
    for path in cache_directory().glob("*"):
        path.unlink()


def _attach_s(pid: int, options: tuple[object, ...]) -> float:
    """From exec to the moment since when the first thread is accounted for."""
    begin = time.time()
    command = [*IOTRACE, "attach", str(pid), "-d", "0.2", "-f", "json", *map(str, options)]
    told = subprocess.run(command, capture_output=True, check=True)
    return _first_charged(json.loads(told.stdout)) - begin


def _first_charged(report: dict[str, Any]) -> float:
    began_ns = min(
        thread["started_ns"] for process in report["processes"] for thread in process["threads"]
    )
    return datetime.fromisoformat(report["started_at"]).timestamp() + began_ns / 1e9


def _detach_s(pid: int, options: tuple[object, ...]) -> float:
    with iotrace_probes(pid, *options) as switch:
        seconds = []
        for _ in range(_DETACHMENTS):
            switch.on()
            begin = time.monotonic()
            switch.off()
            seconds.append(time.monotonic() - begin)
    return median(seconds)
