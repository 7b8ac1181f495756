"""No memory: for the tables, for mapping them, for the compiler. And nothing is left of a try."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from iotrace.engine import loader, program_loading
from iotrace.engine.bpf_syscall import KernelRefusal
from iotrace.engine.map_limits import Limits
from iotrace.errors import ExitCode, Unsupported
from iotrace.tracing import start as start_module
from iotrace.tracing.trace import Trace
from tests.kernel.faults.harness import IOTRACE, one_line
from tests.kernel.faults.memory_group import memory_group

_MIB = 1 << 20
_TRIES = 9
_NO_ROOM_TO_MAP = """
import resource
from pathlib import Path
from iotrace.engine.map_limits import Limits
from iotrace.errors import Unsupported
from iotrace.tracing.trace import Trace

def no_more_room():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + (4 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

try:
    {attempt}
except Unsupported as error:
    print(error)
"""
_EVENTS = """limits = Limits(timeline_pages=8192)
    Trace(limits).__exit__(None, None, None)
    no_more_room()
    Trace(limits)"""
_THREADS = """table = Trace(Limits(threads=65536)).probes.threads
    no_more_room()
    table.read(table.entries - 1)"""
_COMPILE = "from iotrace.engine.map_limits import Limits; from iotrace.tracing.trace import Trace; "


def _held() -> list[str]:
    """What this process has open in the kernel's BPF and perf machinery."""
    links = Path("/proc/self/fd").iterdir()
    names = (str(link.readlink()) for link in links if link.is_symlink())
    return sorted(name for name in names if "bpf" in name or "perf" in name)


def _run(*command: object) -> subprocess.CompletedProcess[str]:
    line = [str(word) for word in command]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def test_more_than_the_host_has() -> None:
    before = _held()
    with pytest.raises(Unsupported, match="make the table threads"):
        Trace(Limits(threads=1 << 28))  # 300 GB
    assert _held() == before


def test_a_memory_cgroup_without_room_for_the_tables() -> None:
    """Enough for Python itself and its reader, not for the 58 MiB of tables as well.

    Where Python asks for memory while a table takes the last of it, the kernel kills it.
    """
    Trace(Limits()).__exit__(None, None, None)  # compiled from here on
    for _ in range(_TRIES):
        with memory_group(60 * _MIB) as prefix:
            done = _run(*prefix, *IOTRACE, "attach", "--dry-run")
        if done.returncode != -signal.SIGKILL:
            break
    assert done.returncode == ExitCode.UNSUPPORTED, done
    one_line(done.stderr)
    assert "make the table" in done.stderr
    assert "Cannot allocate memory" in done.stderr


def test_a_memory_cgroup_without_room_for_the_compiler() -> None:
    compile_anew = f"{_COMPILE}Trace(Limits(threads={4096 + os.getpid() % 4096}))"
    with memory_group(40 * _MIB) as prefix:
        done = _run(*prefix, sys.executable, "-c", compile_anew)
    assert done.returncode == 1, done
    assert "Unsupported: The compiler of the probes was killed." in done.stderr


@pytest.mark.parametrize("attempt", [_EVENTS, _THREADS], ids=["events", "threads"])
def test_no_address_space_to_map_the_tables(attempt: str) -> None:
    """At the start, and later: a table is mapped as far as it is used."""
    done = _run(sys.executable, "-c", _NO_ROOM_TO_MAP.format(attempt=attempt))
    assert done.stdout == "The probes' tables cannot be mapped into iotrace's memory.\n", done


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then one thread loads everything."""
    with Trace(Limits()) as trace:
        usual = dict(trace.probes.unavailable)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Trace(Limits()) as trace:
        assert trace.probes.unavailable == usual


@pytest.mark.parametrize(
    ("step", "nth"),
    [
        ("create_map", 1), ("create_map", 7), ("create_map", 23),
        ("load_program", 1), ("load_program", 2),
        ("open_raw_tracepoint", 1), ("open_raw_tracepoint", 3),
    ],
)  # fmt: skip
def test_nothing_is_left_of_a_try(monkeypatch: pytest.MonkeyPatch, step: str, nth: int) -> None:
    """The kernel refuses one of the many things that are asked of it."""
    module = program_loading if step == "load_program" else loader
    real: Callable[..., int] = getattr(module, step)
    calls = 0

    def refuses(*arguments: object, **options: object) -> int:
        nonlocal calls
        calls += 1
        if calls >= nth:
            raise KernelRefusal(f"do {step}", errno.ENOMEM)
        return real(*arguments, **options)

    monkeypatch.setattr(module, step, refuses)
    before = _held()
    with pytest.raises(Unsupported, match=f"do {step}") as caught:
        Trace(Limits())
    assert _held() == before
    assert calls >= nth
    assert caught.value.paste == "free -m"


def test_nothing_is_left_of_a_trace_that_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probes are attached, and then something fails."""

    def fails(*_: object) -> None:
        raise Unsupported("not today")

    monkeypatch.setattr(start_module, "TargetTable", fails)
    before = _held()
    with pytest.raises(Unsupported, match="not today"):
        Trace(Limits())
    assert _held() == before
