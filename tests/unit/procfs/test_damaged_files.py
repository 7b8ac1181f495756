"""No parser does anything with damaged files but what it documents."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest

from iotrace.procfs.children import parse_children
from iotrace.procfs.descriptor_kinds import kind_of_link
from iotrace.procfs.descriptors import parse_inode
from iotrace.procfs.elf import parse_elf
from iotrace.procfs.endpoint import format_unix
from iotrace.procfs.fdinfo import parse_fdinfo, parse_watches
from iotrace.procfs.host import parse_meminfo
from iotrace.procfs.maps import parse_maps
from iotrace.procfs.net_tables import parse_inet, parse_unix
from iotrace.procfs.process import parse_cmdline
from iotrace.procfs.python import identify
from iotrace.procfs.stat import parse_stat
from iotrace.procfs.status import parse_status
from iotrace.procfs.task import parse_schedstat, parse_syscall
from iotrace.procfs.unix_diag import parse_answer, sockets_of

from . import samples
from .answers import DONE, answer, entry
from .elf_image import DATA_ADDRESS, elf_image
from .mutation import mutations

U64 = 1 << 64

Parser = Callable[[bytes], object]


def parse_syscall_within_registers(data: bytes) -> None:
    activity = parse_syscall(data)
    if hasattr(activity, "args"):
        assert len(activity.args) == 6
        assert all(0 <= register < U64 for register in (*activity.args, activity.sp, activity.pc))


def parse_tcp(data: bytes) -> None:
    assert 0 not in parse_inet(data, "tcp", socket.AF_INET)


def parse_tcp6(data: bytes) -> None:
    assert 0 not in parse_inet(data, "tcp", socket.AF_INET6)


def parse_unix_diag(data: bytes) -> None:
    sockets_of(parse_answer(data)[0])


def parse_link(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    kind_of_link(text)
    parse_inode(text)


def identify_python(data: bytes) -> None:
    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    elf = parse_elf(read)
    elf.load_bias(0x400000, 0)
    identify(elf, read, "/usr/bin/python3.9")


RECORDS: list[tuple[Parser, bytes]] = [
    (parse_syscall_within_registers, samples.SYSCALL),
    (parse_schedstat, samples.SCHEDSTAT),
    (parse_stat, samples.STAT),
    (parse_status, samples.STATUS),
    (parse_fdinfo, samples.FDINFO),
    (parse_children, b"11 13 17 1009 "),
    (
        identify_python,
        elf_image(
            {"_PyRuntime": DATA_ADDRESS, "Py_Version": DATA_ADDRESS + 24},
            data=b"xdebugpy" + struct.pack("<QQQ", 0x030D00F0, 0, 0),
            constants=b"3.9.18\0",
            data_offset=176,
        ),
    ),
]
TABLES: list[tuple[Parser, bytes]] = [
    (parse_cmdline, b"python\0-m\0http.server\0"),
    (parse_watches, samples.EPOLL),
    (parse_maps, samples.MAPS),
    (parse_meminfo, samples.MEMINFO),
    (parse_tcp, samples.TCP),
    (parse_tcp6, samples.TCP6),
    (parse_unix, samples.UNIX),
    (parse_link, b"anon_inode:[eventpoll]"),
    (format_unix, b"\0bus\0x"),
]


def name_of(value: object) -> str:
    return getattr(value, "__name__", "")


def outcomes(parse: Parser, sample: bytes, allowed: tuple[type[Exception], ...]) -> tuple[int, int]:
    accepted = refused = 0
    for damaged in mutations(sample):
        try:
            parse(damaged)
            accepted += 1
        except allowed:
            refused += 1
    return accepted, refused


@pytest.mark.parametrize(("parse", "sample"), RECORDS, ids=name_of)
def test_a_damaged_record_is_read_or_refused(parse: Parser, sample: bytes) -> None:
    accepted, refused = outcomes(parse, sample, (ValueError,))
    assert accepted + refused == 2000
    assert accepted
    assert refused


@pytest.mark.parametrize(("parse", "sample"), TABLES, ids=name_of)
def test_a_damaged_table_is_never_refused(parse: Parser, sample: bytes) -> None:
    assert outcomes(parse, sample, ()) == (2000, 0)


def test_a_damaged_answer_is_read_refused_or_an_error_of_the_kernel() -> None:
    sample = answer(
        entry(7, state=10, name=b"/x", queues=(2, 128)), entry(11, state=1, peer=13, queues=(1, 0))
    )
    accepted, refused = outcomes(parse_unix_diag, sample + DONE, (ValueError, OSError))
    assert accepted + refused == 2000
    assert accepted
    assert refused
