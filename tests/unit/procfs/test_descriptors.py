"""What each descriptor is, and what an epoll watches."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.descriptor_kinds import kind_of_link, kind_of_mode, kind_of_protocol
from iotrace.procfs.descriptors import parse_inode, read_descriptors
from iotrace.procfs.fdinfo import FdInfo, Watch, parse_fdinfo, parse_watches

from . import samples

OPEN_ALL = """
import ctypes, pty, select, tempfile
libc = ctypes.CDLL(None)
kept = {
    "tcp": socket.socket(), "udp": socket.socket(type=socket.SOCK_DGRAM),
    "netlink": socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), "epoll": select.epoll(),
}
kept["unix"], peer = socket.socketpair()
said.update({kind: thing.fileno() for kind, thing in kept.items()})
os.set_blocking(said["udp"], True)
os.set_blocking(said["unix"], False)
said["pipe"], said["pipe_end"] = os.pipe()
said["eventfd"] = libc.eventfd(0, 0)
said["timerfd"] = libc.timerfd_create(1, 0)
said["signalfd"] = libc.signalfd(-1, ctypes.create_string_buffer(128), 0)
said["inotify"] = libc.inotify_init()
said["pidfd"] = os.pidfd_open(os.getpid())
said["memfd"] = os.memfd_create("a) b")
said["pty"], said["pty_end"] = pty.openpty()
said["char"] = os.open("/dev/null", os.O_RDWR)
directory = tempfile.TemporaryDirectory()
os.mkfifo(directory.name + "/fifo")
said["fifo"] = os.open(directory.name + "/fifo", os.O_RDWR)
said["dir"] = os.open(directory.name, os.O_RDONLY)
said["file"] = os.open(directory.name + "/x", os.O_RDWR | os.O_CREAT | os.O_APPEND)
os.write(said["file"], b"x" * 101)
os.unlink(directory.name + "/x")
ring = libc.syscall(425, 4, ctypes.create_string_buffer(256))
if ring >= 0:
    said["io_uring"] = ring
import fcntl
flags = fcntl.fcntl(said["tcp"], fcntl.F_GETFL)
fcntl.fcntl(said["tcp"], fcntl.F_SETFL, flags | os.O_ASYNC)
kept["epoll"].register(said["tcp"], select.EPOLLIN | select.EPOLLET)
kept["epoll"].register(said["udp"], select.EPOLLIN | select.EPOLLEXCLUSIVE)
kept["epoll"].register(said["pipe"], select.EPOLLIN | select.EPOLLONESHOT)
"""


def test_every_kind_that_a_process_can_open(spawn) -> None:
    child = spawn(OPEN_ALL)
    said, descriptors = child.said, read_descriptors(child.pid)
    kinds = {name: descriptors[fd].kind for name, fd in said.items()}
    assert kinds == {name: name.removesuffix("_end") for name in said}
    assert (descriptors[0].kind, descriptors[1].kind) == ("pipe", "pipe")
    assert descriptors[said["file"]].target.endswith("/x (deleted)")
    assert descriptors[said["file"]].info.position == 101
    assert descriptors[said["file"]].inode is None
    assert descriptors[said["pipe"]].inode == descriptors[said["pipe_end"]].inode
    assert descriptors[said["pipe"]].target == f"pipe:[{descriptors[said['pipe']].inode}]"


def test_flags_and_the_interest_list(spawn) -> None:
    child = spawn(OPEN_ALL)
    said, descriptors = child.said, read_descriptors(child.pid)
    nonblocking = {fd for fd, descriptor in descriptors.items() if descriptor.info.nonblocking}
    assert nonblocking == {said["unix"]}
    signal_driven = {fd for fd, descriptor in descriptors.items() if descriptor.info.signal_driven}
    assert signal_driven == {said["tcp"]}
    watches = {watch.fd: watch for watch in descriptors[said["epoll"]].watches}
    assert set(watches) == {said["tcp"], said["udp"], said["pipe"]}
    assert [fd for fd, watch in watches.items() if watch.edge_triggered] == [said["tcp"]]
    assert [fd for fd, watch in watches.items() if watch.exclusive] == [said["udp"]]
    assert [fd for fd, watch in watches.items() if watch.oneshot] == [said["pipe"]]
    for fd, watch in watches.items():
        assert watch.events & select.EPOLLIN
        assert watch.inode == descriptors[fd].inode
    assert descriptors[said["unix"]].watches == ()


def test_only_those_asked_for_that_are_open(spawn) -> None:
    child = spawn("r, w = os.pipe(); os.close(w); said.update(r=r, w=w)")
    assert list(read_descriptors(child.pid, [child.said["w"], child.said["r"], 1])) == [
        1,
        child.said["r"],
    ]


def test_many_descriptors(spawn) -> None:
    child = spawn("kept = [socket.socketpair() for _ in range(101)]")
    kinds = [descriptor.kind for descriptor in read_descriptors(child.pid).values()]
    assert kinds.count("unix") == 202


def test_a_socket_of_a_kernel_that_does_not_tell_its_protocol(tree) -> None:
    root = tree({"7/fd/3": "socket:[97]", "7/fdinfo/3": samples.FDINFO})
    descriptor = read_descriptors(7, root=root)[3]
    assert (descriptor.kind, descriptor.inode) == ("socket", 97)
    assert descriptor.info == FdInfo(position=4096, flags=0o2004002)


def test_one_that_is_closed_between_two_reads_is_left_out(tree) -> None:
    root = tree(
        {
            "7/fd/3": "pipe:[97]",
            "7/fd/4": "/closed/before/its/kind/was/asked",
            "7/fd/5": "anon_inode:[eventfd]",
            "7/fdinfo/4": samples.FDINFO,
            "7/fdinfo/5": b"worded otherwise\n",
        }
    )
    descriptors = read_descriptors(7, root=root)
    assert [(fd, descriptor.info) for fd, descriptor in descriptors.items()] == [(5, None)]


def test_a_path_on_a_file_system_that_does_not_answer_is_a_file(tree, tmp_path) -> None:
    loop = str(tmp_path / "7/fd/6")
    root = tree({"7/fd/6": loop, "7/fdinfo/6": samples.FDINFO})
    descriptor = read_descriptors(7, root=root)[6]
    assert (descriptor.kind, descriptor.target) == ("file", loop)


def test_a_process_that_is_gone(tree) -> None:
    with pytest.raises(NoSuchProcess):
        read_descriptors(7, root=tree({"1/stat": b""}))


def test_a_process_that_may_not_be_looked_into(spawn) -> None:
    child = spawn("import ctypes; ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE")
    script = """
import os, sys
from iotrace.errors import PermissionDenied
from iotrace.procfs.descriptors import read_descriptors
if os.geteuid() == 0:
    os.setuid(65534)
try:
    read_descriptors(int(sys.argv[1]))
except PermissionDenied as error:
    print(error.code.name, error.paste)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(child.pid)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == f"PERMISSION sudo iotrace attach {child.pid}\n"


def test_fdinfo() -> None:
    info = parse_fdinfo(samples.FDINFO)
    assert info == FdInfo(4096, 0o2004002)
    assert (info.nonblocking, info.signal_driven) == (True, False)
    with pytest.raises(ValueError, match="not an fdinfo file"):
        parse_fdinfo(b"flags:\t02\n")


def test_watches() -> None:
    watches = parse_watches(samples.EPOLL)
    assert watches == (
        Watch(fd=4, events=0x10000019, inode=0x1C94),
        Watch(fd=3, events=0x80000019, inode=0x1C93),
        Watch(fd=11, events=0x40000000, inode=None),
    )
    assert [watch.armed for watch in watches] == [True, True, False]
    assert parse_watches(samples.FDINFO) == ()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("socket:[97]", "socket"),
        ("pipe:[97]", "pipe"),
        ("anon_inode:[eventpoll]", "epoll"),
        ("anon_inode:inotify", "inotify"),
        ("anon_inode:[io_uring]", "io_uring"),
        ("pidfd:[97]", "pidfd"),
        ("anon_inode:[userfaultfd]", "anon"),
        ("/memfd:x (deleted)", "memfd"),
        ("/tmp/socket:[97]", None),
        ("mnt:[4026531839]", "anon"),
        ("", "anon"),
    ],
)
def test_kind_of_a_link(target: str, kind: str | None) -> None:
    assert kind_of_link(target) == kind


@pytest.mark.parametrize(
    ("mode", "device", "kind"),
    [
        (stat.S_IFREG, (0, 0), "file"),
        (stat.S_IFDIR, (0, 0), "dir"),
        (stat.S_IFIFO, (0, 0), "fifo"),
        (stat.S_IFBLK, (254, 0), "block"),
        (stat.S_IFSOCK, (0, 0), "socket"),
        (stat.S_IFCHR, (1, 3), "char"),
        (stat.S_IFCHR, (4, 64), "tty"),
        (stat.S_IFCHR, (5, 0), "tty"),
        (stat.S_IFCHR, (5, 2), "pty"),
        (stat.S_IFCHR, (136, 7), "pty"),
        (0, (0, 0), "anon"),
    ],
)
def test_kind_of_a_mode(mode: int, device: tuple[int, int], kind: str) -> None:
    assert kind_of_mode(mode | 0o644, os.makedev(*device)) == kind


def test_kind_of_a_protocol() -> None:
    names = ("TCP", "TCPv6", "UDPv6", "UNIX", "UNIX-STREAM", "NETLINK", "RAW", "PACKET")
    kinds = [kind_of_protocol(name) for name in names]
    assert kinds == ["tcp", "tcp", "udp", "unix", "unix", "netlink", "socket", "socket"]


def test_inode() -> None:
    assert (parse_inode("socket:[97]"), parse_inode("pipe:[101]")) == (97, 101)
    assert parse_inode("/tmp/socket:[97]") is None
    assert parse_inode("socket:[]") is None
