# SPDX-License-Identifier: Apache-2.0
"""The real `iotrace attach`, run as its users run it."""

from __future__ import annotations

import contextlib
import functools
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from iotrace.engine.syscalls import ARCHITECTURES
from iotrace.errors import IotraceError
from iotrace.procfs.task import Blocked, read_activity

IOTRACE = (sys.executable, "-m", "iotrace")
_DEADLINE_S = 30


@functools.cache
def details() -> tuple[str, ...]:
    """The levels of detail that this version knows; none: it has only one."""
    told = subprocess.run([*IOTRACE, "attach", "--help"], capture_output=True, text=True)
    return ("full", "light", "sockets") if "--detail" in told.stdout else ()


@contextlib.contextmanager
def attached(pid: int, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """``iotrace attach PID`` inside, from when it waits for the end of its trace."""
    process = subprocess.Popen(
        [*IOTRACE, "attach", str(pid), *map(str, options)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_tracing(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def links(pid: int) -> dict[str, int]:
    """Tracepoint -> id of the program on it, of the raw tracepoints that a process holds."""
    found = {}
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            fields = fields_of(path)
            if fields.get("link_type") == "raw_tracepoint":
                found[fields["tp_name"]] = int(fields["prog_id"])
    return found


def fields_of(fdinfo: Path) -> dict[str, str]:
    """What the kernel says of a descriptor, by name."""
    lines = (line.split(":", 1) for line in fdinfo.read_text().splitlines() if ":" in line)
    return {name: value.strip() for name, value in lines}


def _wait_until_tracing(process: subprocess.Popen[bytes]) -> None:
    """Its links exist before it has entered its processes: it must also wait for signals."""
    until = time.monotonic() + _DEADLINE_S
    waiting = _number_of("rt_sigtimedwait")
    while time.monotonic() < until:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().decode(errors="replace"))
        with contextlib.suppress(IotraceError, FileNotFoundError):
            doing = read_activity(process.pid, process.pid)
            if isinstance(doing, Blocked) and doing.number == waiting and links(process.pid):
                return
        time.sleep(0.002)
    raise TimeoutError("iotrace does not get ready")


def _number_of(name: str) -> int:
    return ARCHITECTURES[platform.machine()].numbers[name]


def interrupted(process: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGINT to the end of a process."""
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(_DEADLINE_S)
    return time.monotonic() - begin
