# SPDX-License-Identifier: Apache-2.0
"""Other tracers, each started as its manual says, and ended by SIGINT."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from iotrace.engine.probe_sources import header_tree

_WITH_TRACEFS = (
    *("unshare", "--mount", "sh", "-c"),
    'test -e /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"',
    "sh",
)
"""In a mount namespace of its own: this host's mounts stay as they are."""
_HISTOGRAM = """
tracepoint:raw_syscalls:sys_enter /pid == {pid}/ {{ @begin[tid] = nsecs; }}
tracepoint:raw_syscalls:sys_exit /@begin[tid]/ {{
  @ns[args->id] = hist(nsecs - @begin[tid]); delete(@begin[tid]); }}
"""
_DEADLINE_S = 30
_GRACE_S = 10


@dataclass(frozen=True, slots=True)
class Peer:
    """``command(pid)``: its command line. ``events``: perf events that it holds once it is on.

    ``package``: what has it. ``python_only``: it traces nothing but Python.
    """

    name: str
    program: str
    package: str
    command: Callable[[int], tuple[object, ...]]
    events: int = 0
    python_only: bool = False

    def missing(self) -> str | None:
        """What to install; None: it is here."""
        return None if _find(self.program) else self.package


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """One that traces; ``started_s``: from exec until it did."""

    pid: int
    started_s: float


@contextlib.contextmanager
def tracing(peer: Peer, pid: int) -> Iterator[RunningPeer]:
    """The peer inside, from when its probes are attached. Raises RuntimeError if it ends."""
    command = list(map(str, peer.command(pid)))
    environment = {**os.environ, "BCC_KERNEL_SOURCE": _headers().name}
    begin = time.monotonic()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env=environment
        )
        try:
            while not _is_on(peer, process.pid, pid):
                if process.poll() is not None or time.monotonic() > begin + _DEADLINE_S:
                    told.seek(0)
                    words = told.read().decode(errors="replace").strip().splitlines()
                    raise RuntimeError(words[-1] if words else "it says nothing")
                time.sleep(0.002)
            yield RunningPeer(process.pid, time.monotonic() - begin)
        finally:
            _end(process)


def _is_on(peer: Peer, tracer: int, target: int) -> bool:
    if peer.events:
        with contextlib.suppress(OSError):
            fds = [str(path.readlink()) for path in Path(f"/proc/{tracer}/fd").iterdir()]
            return fds.count("anon_inode:[perf_event]") >= peer.events
        return False
    if peer.python_only:
        return True  # nothing tells
    status = Path(f"/proc/{target}/status").read_text()
    return f"TracerPid:\t{tracer}\n" in status


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
            return


def _find(program: str) -> str | None:
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else shutil.which(program)


@functools.cache
def _headers() -> tempfile.TemporaryDirectory[str]:
    """iotrace's tiny header tree, for bcc's tools; they include one more that they do not need."""
    directory = tempfile.TemporaryDirectory(prefix="iotrace-bench-")
    shutil.copytree(header_tree(), directory.name, dirs_exist_ok=True)
    (Path(directory.name) / "include" / "linux" / "sched.h").touch()
    return directory


def _py_spy(pid: int) -> tuple[object, ...]:
    options = ("record", "--rate", 100, "--format", "raw", "--output", "/dev/null")
    return _find("py-spy"), *options, "--pid", pid


PEERS = (
    Peer(
        "strace -c -f",
        "strace",
        "strace",
        lambda pid: ("strace", "-c", "-f", "-p", pid),
    ),
    Peer(
        "perf trace -s",
        "perf",
        "linux-perf",
        lambda pid: (*_WITH_TRACEFS, "perf", "trace", "-s", "-p", pid),
        events=2,
    ),
    Peer(
        "bpftrace, histogram",
        "bpftrace",
        "bpftrace",
        lambda pid: (*_WITH_TRACEFS, "bpftrace", "-e", _HISTOGRAM.format(pid=pid)),
        events=2,
    ),
    Peer(
        "bcc syscount -L",
        "syscount-bpfcc",
        "bpfcc-tools",
        lambda pid: (*_WITH_TRACEFS, "syscount-bpfcc", "-L", "-p", pid),
        events=2,
    ),
    Peer(
        "py-spy record, 100 Hz",
        "py-spy",
        "py-spy (pip)",
        _py_spy,
        python_only=True,
    ),
)
