"""A traced process whose memory or files never answer: nothing hangs, and the others are seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.stat import read_stat
from iotrace.pystack.offsets import TABLES
from iotrace.report.model import Report
from tests.attacks.silent_files import silent_process
from tests.attacks.victim import Ended, Happens, root_runs
from tests.kernel.faults.harness import Worker
from tests.kernel.tracing import process_of
from tests.waiting import wait_until

_MOST_BYTES = 150 << 20
_NAME = "iotrace-readers\n"
_MOST_SECONDS = 12.0

_INTERPRETERS = r"""
runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
ctypes.c_uint64.from_address(runtime + int(sys.argv[3])).value = address
"""

_ARGUMENTS = r"""
fields = open("/proc/self/stat").read().rpartition(") ")[2].split()
at = lambda number: int(fields[number - 3])
libc.sbrk.restype = ctypes.c_uint64
brk = libc.sbrk(0)
ends = address, address + PAGE
layout = struct.pack(
    "<12Q2I", at(26), at(27), at(45), at(46), at(47), brk, at(28), *ends, *ends, 0, 0, 0xFFFFFFFF
)
check(libc.prctl(35, 14, layout, len(layout), 0))  # PR_SET_MM, PR_SET_MM_MAP
"""

_EPOLL = r"""
import select
reading, writing = os.pipe()
os.write(writing, b"x")
poll = select.epoll()
poll.register(reading, select.EPOLLIN)
wait = lambda: libc.epoll_wait(poll.fileno(), ctypes.c_void_p(address), 1, -1)
threading.Thread(target=wait, daemon=True).start()
while not os.path.exists(asked):
    pass
"""

_OPEN_FILE = 'open(quiet, "w").close()\n'

_INTERPRETERS_AT = TABLES[sys.version_info[:2]].interpreters if sys.version_info < (3, 13) else 0


@pytest.mark.parametrize(
    ("attack", "code", "is_late"),
    [
        ("interpreter structures in a silent FUSE file", _INTERPRETERS, True),
        ("arguments in a silent FUSE file", _ARGUMENTS, False),
        ("an epoll locked by a silent FUSE file", _EPOLL, True),
        ("an open file of a FUSE server that answers nothing", _OPEN_FILE, False),
    ],
)
def test_it_does_not_answer(
    attack: str, code: str, is_late: bool, attackers_directory: Path, happens: Happens
) -> None:
    with (
        silent_process(attackers_directory, code, _INTERPRETERS_AT) as hostile,
        Worker() as honest,
    ):
        ended = root_runs("attach", hostile.pid, honest.pid, "-d", "0.5", "-f", "json")
        report = _checked(ended, honest.pid)
        left = _readers()
        for pid in left:
            _holds_nothing(pid)
    wait_until(lambda: not _readers(), "the readers to be let go")
    assert process_of(report, hostile.pid).threads
    why = report.quality.unavailable.get(f"some facts of process {hostile.pid}", "")
    assert ("no answer in 1 s" in why) == is_late, report.quality.unavailable
    happens(attack, f"traced in {ended.seconds:.1f} s; {why or 'all is known'}")


def _checked(ended: Ended, honest: int) -> Report:
    assert ended.code == 0, ended
    assert ended.seconds < _MOST_SECONDS
    assert ended.peak_bytes < _MOST_BYTES
    report = ended.report
    process = process_of(report, honest)
    assert process.python
    assert process.calls
    assert process.cmdline
    assert f"some facts of process {honest}" not in report.quality.unavailable
    return report


def _readers() -> list[int]:
    """What is left of a tracer that has ended."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            is_reader = place.name.isdecimal() and (place / "comm").read_text() == _NAME
            # Somebody else may trace on this host, too.
            if is_reader and read_stat(int(place.name)).parent == 1:
                found.append(int(place.name))
        except (OSError, NoSuchProcess):
            continue
    return found


def _holds_nothing(pid: int) -> None:
    """No probes, no directory, no output that somebody waits for."""
    try:
        fds = list(Path(f"/proc/{pid}/fd").iterdir())
        links = {str(fd.readlink()) for fd in fds}
        assert str(Path(f"/proc/{pid}/cwd").readlink()) == "/"
    except FileNotFoundError:
        return
    assert not {link for link in links if "bpf" in link or link.startswith(("/tmp", "/dev/pts"))}
