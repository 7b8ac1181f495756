"""The probes as one program: which sources, which flags, which tracepoints.

Pure apart from reading the source files; nothing here knows bcc.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from iotrace.engine import constants, syscalls
from iotrace.engine.btf import KernelTypes
from iotrace.errors import Unsupported

BASE_SOURCES = (
    "maps.c",
    "ledger.c",
    "timeline.c",
    "objects.c",
    "descriptors.c",
    "arguments.c",
    "loops.c",
    "results.c",
    "calls.c",
    "sched.c",
    "lifecycle.c",
    "copy.c",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Room in the kernel's tables; what does not fit is counted as lost.

    ``timeline_pages``: of the ring buffer that streams single events (a power of two); 0: no
    timeline. ``reserved``: slots of the thread table that user space fills, for the threads that
    exist already.
    """

    threads: int = 4096
    calls: int = 4096
    descriptors: int = 4096
    loops: int = 512
    sockets: int = 16384
    errors: int = 4096
    signals: int = 1024
    operations: int = 16384
    operation_kinds: int = 256
    ports: int = 1024
    targets: int = 2048
    reserved: int = 512
    timeline_pages: int = 0

    def cflags(self) -> list[str]:
        """The limits as compiler flags."""
        names = [name for name in self.__slots__ if name not in ("reserved", "timeline_pages")]
        return [
            *(f"-DMAX_{name.upper()}={getattr(self, name)}" for name in names),
            f"-DTIMELINE={int(self.timeline_pages > 0)}",
            f"-DTIMELINE_PAGES={self.timeline_pages}",
        ]


@dataclass(frozen=True, slots=True)
class Probe:
    """One raw tracepoint and the function that runs on it.

    ``loses``: the columns that are n/a without it; empty: nothing works without it.
    """

    tracepoint: str
    function: str
    loses: tuple[str, ...] = ()


PROBES = (
    Probe("sys_enter", "on_sys_enter"),
    Probe("sys_exit", "on_sys_exit"),
    Probe("sched_switch", "on_sched_switch"),
    Probe("sched_waking", "on_sched_waking"),
    Probe("task_newtask", "on_task_newtask"),
    Probe("sched_process_exec", "on_sched_process_exec"),
    Probe("skb_copy_datagram_iovec", "on_skb_copy", ("exact copy of sockets",)),
    Probe("sk_data_ready", "on_sk_data_ready", ("pickup",)),
    Probe("task_rename", "on_task_rename", ("new names of threads",)),
    Probe("signal_deliver", "on_signal_deliver", ("signals",)),
    Probe("io_uring_submit_req", "on_uring_submit", ("operations",)),
    Probe("io_uring_complete", "on_uring_complete", ("operations",)),
)

DATING = frozenset({"on_sched_waking", "on_sk_data_ready"})
"""Functions that only say when something happened: without a run of theirs no time is lost."""

_OPTIONAL_SOURCES = {"on_signal_deliver": "signals.c", "on_uring_submit": "uring.c"}

_OFFSETS = {
    "TASK_PID": ("task_struct", "pid"),
    "TASK_TGID": ("task_struct", "tgid"),
    "TASK_FLAGS": ("task_struct", "flags"),
    "TASK_COMM": ("task_struct", "comm"),
    "TASK_FILES": ("task_struct", "files"),
    "FILES_FDT": ("files_struct", "fdt"),
    "FDT_FD": ("fdtable", "fd"),
    "FDT_MAX_FDS": ("fdtable", "max_fds"),
    "FILE_INODE": ("file", "f_inode"),
    "FILE_FLAGS": ("file", "f_flags"),
    "FILE_DENTRY": ("file", "f_path.dentry"),
    "DENTRY_NAME": ("dentry", "d_name.name"),
    "INODE_MODE": ("inode", "i_mode"),
    "INODE_RDEV": ("inode", "i_rdev"),
    "INODE_INO": ("inode", "i_ino"),
    "SOCKET_ALLOC_INODE": ("socket_alloc", "vfs_inode"),
    "SOCKET_ALLOC_SOCKET": ("socket_alloc", "socket"),
    "SOCKET_SK": ("socket", "sk"),
    "SOCKET_TYPE": ("socket", "type"),
    "SOCK_SOCKET": ("sock", "sk_socket"),
    "SOCK_FAMILY": ("sock_common", "skc_family"),
    "SOCK_NUM": ("sock_common", "skc_num"),
    "SOCK_DPORT": ("sock_common", "skc_dport"),
    "SOCK_DADDR": ("sock_common", "skc_daddr"),
    "SOCK_RCV_SADDR": ("sock_common", "skc_rcv_saddr"),
}
_SCHED_INFO = {"TASK_SCHED_INFO": ("task_struct", "sched_info.pcount")}
_RUN_DELAY = "sched_info.run_delay"
_IPV6_OFFSETS = {
    "SOCK_V6_DADDR": ("sock_common", "skc_v6_daddr"),
    "SOCK_V6_RCV_SADDR": ("sock_common", "skc_v6_rcv_saddr"),
}
_URING_OFFSETS = {
    "URING_OPCODE": ("io_kiocb", "opcode"),
    "CQE_RES": ("io_uring_cqe", "res"),
    "CQE_FLAGS": ("io_uring_cqe", "flags"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """What to compile and attach on this kernel, and what this kernel cannot give."""

    source: str
    cflags: tuple[str, ...]
    probes: tuple[Probe, ...]
    unavailable: dict[str, str]


def probes_directory() -> Path:
    """Where the C sources lie (inside the installed package)."""
    return Path(str(resources.files("iotrace.probes")))


def header_tree() -> Path:
    """The tiny kernel header tree that bcc compiles against."""
    return probes_directory() / "headers"


def _source(names: list[str]) -> str:
    """The sources as one text: bcc wants map operations outside of included headers."""
    parts = []
    for name in names:
        text = (probes_directory() / name).read_text(encoding="ascii")
        parts.append(f'#line 1 "{name}"\n{text}')
    return "\n".join(parts)


def _offset_flags(types: KernelTypes, wanted: dict[str, tuple[str, str]]) -> list[str]:
    flags = []
    for macro, (struct, path) in wanted.items():
        offset = types.offset(struct, path)
        if offset is None:
            raise Unsupported(
                f"This kernel keeps no {struct}.{path}.",
                why="iotrace follows descriptors through it; the kernel is older or newer "
                "than any that was tried.",
                paste="uname -r  # and please report it",
            )
        flags.append(f"-DOFFSET_{macro}={offset}")
    return flags


def _switch_flags(types: KernelTypes) -> list[str]:
    """sched_switch(preempt, prev, next) got prev_state in 5.18, first as second, then as last
    argument (kernel commits fa2c3254d7cf and 9c2136be0878). Before, it is read from the task."""
    if types.tracepoint_arguments("sched_switch") == 3:
        field = "__state" if types.offset("task_struct", "__state") is not None else "state"
        return [
            "-DSWITCH_PREV=1",
            "-DSWITCH_NEXT=2",
            "-DSWITCH_STATE=0",
            f"-DOFFSET_TASK_STATE={types.offset('task_struct', field)}",
        ]
    if types.argument_is_pointer("sched_switch", 1):
        return ["-DSWITCH_PREV=1", "-DSWITCH_NEXT=2", "-DSWITCH_STATE=3"]
    return ["-DSWITCH_PREV=2", "-DSWITCH_NEXT=3", "-DSWITCH_STATE=1"]


def _available(types: KernelTypes, absent: frozenset[str]) -> tuple[list[Probe], dict[str, str]]:
    """The probes that this kernel has a tracepoint for, and the columns lost with the others."""
    present, unavailable = [], {}
    for probe in PROBES:
        if probe.tracepoint not in absent and types.tracepoint_arguments(probe.tracepoint):
            present.append(probe)
        elif probe.loses:
            for column in probe.loses:
                unavailable[column] = f"this kernel has no tracepoint {probe.tracepoint}"
        else:
            raise Unsupported(
                f"This kernel has no tracepoint {probe.tracepoint}.",
                why="Nothing can be accounted for without it.",
                paste="iotrace doctor",
            )
    if "operations" in unavailable:
        present = [p for p in present if not p.loses or "operations" not in p.loses]
    return present, unavailable


def build_program(
    types: KernelTypes, machine: str, limits: Limits, absent: frozenset[str] = frozenset()
) -> Program:
    """The program for this kernel. ``absent``: tracepoints to treat as if they were not there.

    Raises Unsupported where the kernel lacks what every figure needs.
    """
    architecture = syscalls.ARCHITECTURES.get(machine)
    if architecture is None:
        raise Unsupported(
            f"iotrace does not know the machine type {machine}.",
            why="It has system call tables for x86_64 and aarch64.",
        )
    present, unavailable = _available(types, absent)
    functions = {probe.function for probe in present}
    sources = [*BASE_SOURCES, *(s for f, s in _OPTIONAL_SOURCES.items() if f in functions)]
    flags = [
        f"-I{probes_directory()}",
        "-Werror=implicit-function-declaration",
        "-Wno-unused-function",
        *constants.cflags(),
        *limits.cflags(),
        *syscalls.cflags(architecture),
        *_offset_flags(types, _OFFSETS),
        *_switch_flags(types),
        f"-DHAVE_TASK_PT_REGS={int(types.has_helper('task_pt_regs'))}",
        f"-DHAVE_SKB_COPY={int('on_skb_copy' in functions)}",
    ]
    slices = types.offset(*_SCHED_INFO["TASK_SCHED_INFO"])
    if slices is not None and types.offset("task_struct", _RUN_DELAY) == slices + 8:
        flags += ["-DHAVE_SCHED_INFO=1", *_offset_flags(types, _SCHED_INFO)]
    if types.offset(*_IPV6_OFFSETS["SOCK_V6_DADDR"]) is not None:
        flags += ["-DHAVE_IPV6=1", *_offset_flags(types, _IPV6_OFFSETS)]
    if "on_uring_submit" in functions:
        # 6.x gives the request alone; before it came after the ring's context.
        first = 0 if types.tracepoint_arguments("io_uring_submit_req") == 1 else 1
        cqe = types.tracepoint_arguments("io_uring_complete") == 3
        flags += [
            f"-DURING_SUBMIT_REQUEST={first}",
            f"-DURING_COMPLETE_CQE={int(cqe)}",
            *_offset_flags(types, _URING_OFFSETS),
        ]
    return Program(_source(sources), tuple(flags), tuple(present), unavailable)
