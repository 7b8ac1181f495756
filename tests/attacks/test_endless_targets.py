"""Traced processes that are too much: of files, mappings, descriptors, arguments, threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.attacker import attacker_process
from tests.attacks.victim import Ended, Happens, root_runs
from tests.kernel.faults.harness import Worker
from tests.kernel.tracing import process_of

_MOST_BYTES = 150 << 20
_MOST_SECONDS = 15.0
_MOST_SECONDS_AMONG_THREADS = 60.0
"""The attacker's threads take all CPUs, the tracer's as well."""

_WAIT = """
print("ready", flush=True)
import signal
while True:
    signal.pause()
"""

_ELF = r"""
# An ELF file that says that its section names are a terabyte, and that is as large.
import mmap, os, struct, sys, time
SIZE = 1 << 40
def make(path):
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01", 3, 62, 1, 0, 64, 120, 0, 64, 56, 1, 64, 3, 1
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, SIZE, SIZE, 4096)
    sections = b"".join(
        struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, at, SIZE - at, 2, 0, 0, 0)
        for kind, at in ((0, 0), (3, 4096), (11, 8192))
    )
    with open(path, "wb") as file:
        file.write(head + segment + sections)
        for size in (SIZE, 1 << 43, 1 << 38):
            try:
                file.truncate(size)
                break
            except OSError:
                continue
    file = os.open(path, os.O_RDONLY)
    return mmap.mmap(file, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)
"""

_OWN_ELF = _ELF + 'kept = make(sys.argv[1] + "/libpython3.11.so")\n' + _WAIT

_CHILDS_ELF = (
    _ELF
    + r"""
import signal
print("ready", flush=True)
while True:
    time.sleep(0.2)
    if not os.fork():
        os.execv(sys.executable, [sys.executable, "-I", "-c", os.environ["CHILD"], sys.argv[1]])
"""
)
_CHILD = (
    _ELF
    + """
kept = make(f"{sys.argv[1]}/python{os.getpid()}")
time.sleep(0.6)
"""
)

_MAPPINGS = (
    r"""
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
os.chdir(sys.argv[1])
for _ in range(15):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
most = int(open("/proc/sys/vm/max_map_count").read())
count = min(most, 65530) - 300
file = os.open("x" * 200, os.O_RDWR | os.O_CREAT)
os.ftruncate(file, count * 4096)
start = libc.mmap(None, count * 4096, 1, 1, file, 0)
for page in range(0, count, 2):
    if libc.mprotect(ctypes.c_void_p(start + page * 4096), 4096, 3):
        break
"""
    + _WAIT
)

_DESCRIPTORS = (
    r"""
import os, resource, select, signal, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
most = min(most, 100_000)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
os.chdir(sys.argv[1])
for _ in range(12):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
pipe, _ = os.pipe()
polls = [select.epoll() for _ in range(8)]
file = os.open("x" * 200, os.O_RDWR | os.O_CREAT)
copies = [os.dup(pipe) for _ in range(most // 4)]
for poll in polls:
    for copy in copies:
        poll.register(copy, select.EPOLLIN)
try:
    while True:
        os.dup(file)
except OSError:
    pass
"""
    + _WAIT
)

_ARGUMENTS = "import os, sys\n" + _WAIT

_THREADS = (
    r"""
import threading
threading.stack_size(65536)
def begin():
    while True:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
for _ in range(4):
    threading.Thread(target=begin, daemon=True).start()
"""
    + _WAIT
)


@pytest.mark.parametrize(
    ("attack", "code", "arguments"),
    [
        ("a mapped ELF file of a terabyte", _OWN_ELF, ()),
        ("children that map ELF files of a terabyte while they are traced", _CHILDS_ELF, ()),
        pytest.param(
            "as many mappings as Linux allows, with paths of 4000 characters",
            _MAPPINGS,
            (),
            marks=pytest.mark.thorough,
        ),
        ("descriptors without number, and epolls of them all", _DESCRIPTORS, ()),
        ("arguments of 2 MB", _ARGUMENTS, ("x" * 120_000,) * 16),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 80 else "",
)
def test_it_is_too_much(
    attack: str,
    code: str,
    arguments: tuple[str, ...],
    attackers_directory: Path,
    happens: Happens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHILD", _CHILD)
    with (
        attacker_process(code, attackers_directory, *arguments) as hostile,
        Worker() as honest,
    ):
        ended = root_runs("attach", hostile.pid, honest.pid, "-d", "1", "-f", "json")
    _check(ended, honest.pid)
    unavailable = ended.report.quality.unavailable
    why = "; ".join(reason for what, reason in unavailable.items() if "process" in what)
    cost = f"{ended.seconds:.1f} s, {ended.peak_bytes >> 20} MiB"
    happens(attack, f"traced: {cost}; {why or 'all is known'}"[:300])


@pytest.mark.thorough
def test_threads_without_end(attackers_directory: Path, happens: Happens) -> None:
    with attacker_process(_THREADS, attackers_directory) as hostile, Worker() as honest:
        ended = root_runs("attach", hostile.pid, honest.pid, "-d", "1", "-f", "json")
    _check(ended, honest.pid, _MOST_SECONDS_AMONG_THREADS)
    lost = ended.report.quality.lost.total
    cost = f"{ended.seconds:.1f} s, {ended.peak_bytes >> 20} MiB"
    happens("threads without end", f"traced: {cost}; lost and counted: {lost}")


def _check(ended: Ended, honest: int, most_seconds: float = _MOST_SECONDS) -> None:
    assert ended.code in (0, 6), ended
    assert ended.seconds < most_seconds
    assert ended.peak_bytes < _MOST_BYTES
    process = process_of(ended.report, honest)
    assert process.python
    assert process.calls
    assert process.cmdline
    assert f"some facts of process {honest}" not in ended.report.quality.unavailable
