"""The call that a thread is in: its descriptor, the pipe's other end, the lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.fdinfo import FdInfo
from iotrace.procfs.mounts import Mount
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.pipe_ends import Ends
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.walk import Sleeper
from iotrace.report.stacks import InCall
from iotrace.report_builder.file_places import file_system_of, full_path
from iotrace.report_builder.host_looks import HostLooks
from iotrace.report_builder.in_call_rows import in_call_row
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.totals import ThreadKey, Waiting

S = 1_000_000_000
WRITER, READER = 700, 811
PIPE_INODE, SOCKET_INODE = 77, 99


def _open(fd: int, kind: str, target: str, inode: int, flags: int) -> Descriptor:
    return Descriptor(fd, kind, target, inode, FdInfo(0, flags))


def _facts(pid: int, *open_ones: Descriptor) -> ProcessFacts:
    socket = Socket(
        SOCKET_INODE, "tcp", 2, "10.0.0.1:9", "10.0.0.7:443", "established", 0, 0, None, None
    )
    return ProcessFacts(
        pid, 1, "python3", (), None, None, {one.fd: one for one in open_ones},
        {SOCKET_INODE: socket},
    )  # fmt: skip


_FRAMES = (
    Frame("put", "/usr/lib/python3.11/queue.py", 9, False),
    Frame("serve", "/srv/app.py", 8, False),
)


def _nobody(inode: int) -> Ends:
    return Ends((), complete=False)


def _row(
    syscall: str,
    kind: str,
    fd: int = -1,
    sleeper: Sleeper | None = None,
    frames: tuple[Frame, ...] = _FRAMES,
    writers: Callable[[int], Ends] = _nobody,
    host: HostLooks | None = None,
    wait_ns: int = 5 * S,
) -> InCall:
    facts = {
        WRITER: _facts(
            WRITER,
            _open(1, "pipe", "pipe:[77]", PIPE_INODE, os.O_WRONLY),
            _open(7, "tcp", "socket:[99]", SOCKET_INODE, os.O_RDWR),
            _open(8, "pipe", "pipe:[78]", 78, os.O_RDONLY),
            _open(9, "pipe", "pipe:[78]", 78, os.O_WRONLY),
        ),
        READER: _facts(READER, _open(0, "pipe", "pipe:[77]", PIPE_INODE, os.O_RDONLY)),
        812: _facts(812, _open(1, "pipe", "pipe:[77]", PIPE_INODE, os.O_WRONLY)),
    }
    waiting = Waiting(
        ThreadKey(WRITER, WRITER, 0), 1, kind, fd, 5 * S, wait_ns, 0, 0, 12 * S, sleeper, 41
    )
    return in_call_row(
        waiting, syscall, 10 * S, facts, {41: frames}, host or HostLooks(writers, _nobody)
    )


def test_it_says_since_when_and_where() -> None:
    row = _row("write", "pipe", 1)
    assert (row.since_ns, row.wait_ns) == (2 * S, 5 * S)
    assert row.own_stack[0].function == "serve"


def test_a_pipe_says_who_has_its_other_end() -> None:
    row = _row("write", "pipe", 1)
    assert (row.peer, row.others) == ("pipe:[77]", (READER,))


def test_a_reader_that_only_itself_could_write_for() -> None:
    """All processes of the host are looked at, as others may not be traced; where that cannot be,
    it is not known."""
    mine = (WRITER, 1, "python3")
    for ends, alone in (
        (Ends((mine,), complete=True), True),
        (Ends((mine, (903, 1, "worker")), complete=True), False),
        (Ends((mine,), complete=False), False),
    ):
        assert _row("read", "pipe", 8, writers=lambda inode, ends=ends: ends).alone is alone
    assert not _row("write", "pipe", 1).alone


def test_a_poll_of_one_socket_is_a_wait_for_its_peer() -> None:
    events = 1 << 32
    row = _row("poll", "", sleeper=Sleeper(address=0x7000, word=7 | events, second=1))
    assert (row.fd, row.kind, row.peer) == (7, "tcp", "10.0.0.7:443")


def test_a_poll_of_several_has_no_descriptor() -> None:
    row = _row("poll", "", sleeper=Sleeper(address=0x7000, word=7, second=2))
    assert (row.fd, row.peer) == (None, "")


def test_who_has_inherited_a_childs_output_is_looked_up() -> None:
    ends = ((WRITER, 1, "python3"), (901, WRITER, "sh"), (902, 1, "tail"))
    asked: list[int] = []

    def writers(inode: int) -> Ends:
        asked.append(inode)
        return Ends(ends, complete=False)

    reads = Frame("Popen._communicate", "/usr/lib/python3.11/subprocess.py", 2059, False)
    polls = Sleeper(address=0x7000, word=1, second=2)
    row = _row("poll", "", sleeper=polls, frames=(reads, _FRAMES[1]), writers=writers)
    assert (row.fd, row.kind, row.peer) == (None, "pipe", "pipe:[77]")
    assert row.inherited_by == ("902 tail",)  # neither itself nor its child
    assert _row("poll", "", sleeper=polls).inherited_by == ()
    assert asked == [PIPE_INODE]


def test_a_poll_of_an_ignored_descriptor_has_none() -> None:
    row = _row("poll", "", sleeper=Sleeper(address=0x7000, word=0xFFFFFFFF, second=1))
    assert row.fd is None


def test_a_futex_names_its_lock() -> None:
    assert _row("futex", "", sleeper=Sleeper(address=0x7AB0)).object == "7ab0"
    assert _row("futex", "").object == ""
    assert _row("read", "pipe", 1, Sleeper(address=0x7AB0)).object == ""


def test_a_futex_says_whether_it_has_a_time_out() -> None:
    assert _row("futex", "", sleeper=Sleeper(address=0x7AB0, fourth=0x7F00)).timed is True
    assert _row("futex", "", sleeper=Sleeper(address=0x7AB0)).timed is False
    assert _row("futex", "").timed is None
    assert _row("read", "pipe", 1, Sleeper(address=0x7AB0)).timed is None


def test_a_call_that_takes_a_path_has_it_with_its_working_directory() -> None:
    assert full_path("data/1.txt", _facts(WRITER)) == "data/1.txt"
    mounts = (Mount("/", "ext4", "/dev/vda"), Mount("/srv/data", "nfs4", "nas:/data"))
    facts = replace(_facts(WRITER), cwd="/srv", mounts=mounts)
    assert full_path("/etc/hosts", facts) == "/etc/hosts"
    path = full_path("data/1.txt", facts)
    assert path == "/srv/data/1.txt"
    assert file_system_of(path, facts) == "nfs4 at /srv/data from nas:/data"
    assert file_system_of("/srv/data", facts) == "nfs4 at /srv/data from nas:/data"
    assert file_system_of("/srv/database", facts) == "ext4 at / from /dev/vda"
    row = _row("newfstatat", "", sleeper=Sleeper(address=1, path="/srv/data/1.txt"))
    assert row.peer == "/srv/data/1.txt"


def test_who_has_made_a_terminal_is_told() -> None:
    child, parent = 812, 811
    facts = {
        child: _facts(child, _open(1, "tty", "/dev/pts/3", 5, os.O_RDWR)),
        parent: _facts(parent, _open(9, "tty", "/dev/ptmx", 6, os.O_RDWR)),
    }
    waiting = Waiting(ThreadKey(child, child, 0), 1, "tty", 1, 5 * S, 5 * S, 0, 0, 12 * S, None, 41)
    row = in_call_row(waiting, "write", 10 * S, facts, {}, HostLooks(_nobody, _nobody))
    assert (row.peer, row.others) == ("/dev/pts/3", (parent,))


def test_who_reads_a_full_pipe_is_told_wherever_on_the_host() -> None:
    def readers(inode: int) -> Ends:
        assert inode == PIPE_INODE
        return Ends(((WRITER, 1, "python3"), (902, 1, "less")), complete=True)

    host = HostLooks(_nobody, readers)
    assert _row("write", "pipe", 1, host=host).read_by == ("902 less",)
    assert _row("read", "pipe", 8, host=host).read_by == ()


def test_who_has_to_allow_an_access_is_told_where_the_call_waits_for_that() -> None:
    asked: list[tuple[int, int]] = []

    def waits(pid: int, tid: int) -> bool:
        asked.append((pid, tid))
        return True

    host = HostLooks(_nobody, _nobody, lambda: ("902 clamonacc",), waits)
    opens = _row("openat", "", sleeper=Sleeper(address=1, path="/srv/1.npy"), host=host)
    assert (opens.allowed_by, asked) == (("902 clamonacc",), [(WRITER, WRITER)])
    assert _row("write", "pipe", 1, host=host).allowed_by == ()
    elsewhere = HostLooks(_nobody, _nobody, lambda: ("902 clamonacc",), lambda *_: False)
    assert _row("openat", "", host=elsewhere).allowed_by == ()


def test_a_wait_that_has_just_begun_is_not_looked_into() -> None:
    read = (WRITER, 1, "python3"), (902, 1, "less")
    deciders = ("902 clamonacc",)
    host = HostLooks(
        _nobody, lambda _: Ends(read, complete=True), lambda: deciders, lambda *_: True
    )
    for wait_ns, allowed_by in ((999_999, ()), (1_000_000, deciders)):
        assert _row("openat", "", host=host, wait_ns=wait_ns).allowed_by == allowed_by
    for wait_ns, read_by in ((9_999_999, ()), (10_000_000, ("902 less",))):
        assert _row("write", "pipe", 1, host=host, wait_ns=wait_ns).read_by == read_by
