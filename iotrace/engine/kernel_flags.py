# SPDX-License-Identifier: Apache-2.0
"""Compiler flags that describe the running kernel: where its structs have their members."""

from __future__ import annotations

from collections.abc import Collection

from iotrace.engine.btf import KernelTypes
from iotrace.errors import Unsupported
from iotrace.report.detail import Detail

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
    "SOCK_QUEUED": ("sock", "sk_receive_queue.qlen"),
    "SOCK_TYPE": ("sock", "sk_type"),
    "SOCK_FAMILY": ("sock_common", "skc_family"),
    "SOCK_STATE": ("sock_common", "skc_state"),
    "SOCK_NUM": ("sock_common", "skc_num"),
    "SOCK_DPORT": ("sock_common", "skc_dport"),
    "SOCK_DADDR": ("sock_common", "skc_daddr"),
    "SOCK_RCV_SADDR": ("sock_common", "skc_rcv_saddr"),
}
_STREAM_END_OFFSETS = {
    "SOCK_PROTOCOL": ("sock", "sk_protocol"),
    "SOCK_SHUTDOWN": ("sock", "sk_shutdown"),
    "TCP_RECEIVED": ("tcp_sock", "rcv_nxt"),
    "TCP_COPIED": ("tcp_sock", "copied_seq"),
}
_RESET_OFFSETS = {
    "SKB_HEAD": ("sk_buff", "head"),
    "SKB_NETWORK": ("sk_buff", "network_header"),
    "SKB_TRANSPORT": ("sk_buff", "transport_header"),
    "SKB_LEN": ("sk_buff", "len"),
}
_BIND_OFFSETS = {
    "SOCK_BIND_BUCKET": ("inet_connection_sock", "icsk_bind_hash"),
    "BIND_BUCKET_REUSE": ("inet_bind_bucket", "fastreuse"),
}
_UNIX_OFFSETS = {
    "UNIX_ADDR": ("unix_sock", "addr"),
    "UNIX_PEER": ("unix_sock", "peer"),
    "UNIX_ADDRESS_LEN": ("unix_address", "len"),
    "UNIX_ADDRESS_NAME": ("unix_address", "name"),
}
_THREAD_POINTERS = {"thread.fsbase": 1, "thread.uw.tp_value": 3072}
"""Member of task_struct -> how far below it pthread_self() is at most, plus 1. On x86-64 they are
the same. On aarch64 (TPIDR_EL0, which the kernel saves when a thread leaves its CPU) glibc keeps a
struct pthread of 1800 to 2400 bytes below it; those of two threads are further apart."""
_SCHED_INFO = {"TASK_SCHED_INFO": ("task_struct", "sched_info.pcount")}
_RUN_DELAY = "sched_info.run_delay"
_IPV6_OFFSETS = {
    "SOCK_V6_DADDR": ("sock_common", "skc_v6_daddr"),
    "SOCK_V6_RCV_SADDR": ("sock_common", "skc_v6_rcv_saddr"),
}
_NAMESPACE_OFFSETS = {
    "TASK_THREAD_PID": ("task_struct", "thread_pid"),
    "TASK_GROUP_LEADER": ("task_struct", "group_leader"),
    "PID_LEVEL": ("pid", "level"),
    "PID_NUMBERS": ("pid", "numbers"),
    "UPID_NR": ("upid", "nr"),
    "UPID_NS": ("upid", "ns"),
    "NAMESPACE_INODE": ("pid_namespace", "ns.inum"),
}
_URING_OFFSETS = {
    "URING_OPCODE": ("io_kiocb", "opcode"),
    "CQE_RES": ("io_uring_cqe", "res"),
    "CQE_FLAGS": ("io_uring_cqe", "flags"),
}


def has_thread_pointer(types: KernelTypes) -> bool:
    """Whether a thread's pointer to itself can be read, by which its Python frames are found."""
    return bool(_thread_pointer_flags(types))


def _thread_pointer_flags(types: KernelTypes) -> list[str]:
    for member, distance in _THREAD_POINTERS.items():
        offset = types.offset("task_struct", member)
        if offset is not None:
            return [f"-DOFFSET_TASK_THREAD_POINTER={offset}", f"-DPTHREAD_BYTES={distance}"]
    return []


_SUBMIT_BEFORE = "io_uring_submit_sqe"
_SRCU_GUARD = "class_srcu_fast_notrace_t"
"""Of the scope in which tracepoints call their programs since Linux 7.0 (kernel commit
a46023d5616e); before, preemption was off there."""


def preempts_probes(types: KernelTypes, absent: frozenset[str]) -> bool:
    """Whether the kernel may preempt probes, and lets them switch that off for a moment."""
    if not types.function("bpf_preempt_disable"):
        return False
    return "preempt_off" in absent or types.typedef(_SRCU_GUARD) > 0


def kernel_flags(
    types: KernelTypes,
    functions: Collection[str],
    absent: frozenset[str],
    namespaced: bool,
    python: bool,
    detail: Detail,
    unavailable: dict[str, str],
) -> list[str]:
    """``functions``: those of the probes that this kernel has a tracepoint for.

    ``absent``: features to treat as if they were not there. What is lost for lack of a member is
    added to ``unavailable``. Raises Unsupported where the kernel lacks what every figure needs.
    """
    flags = [
        *_offset_flags(types, _OFFSETS),
        *_switch_flags(types),
        f"-DHAVE_SKB_COPY={int('on_skb_copy' in functions)}",
        f"-DHAVE_WAKING={int('on_sched_waking' in functions)}",
        f"-DHAVE_NEWTASK={int('on_task_newtask' in functions)}",
        f"-DHAVE_EXEC={int('on_sched_process_exec' in functions)}",
        f"-DHAVE_SOCKET_STATES={int('on_set_state' in functions)}",
        f"-DPID_NAMESPACE={int(namespaced)}",
        *(_offset_flags(types, _NAMESPACE_OFFSETS) if namespaced else ()),
        *_optional_flags(types, absent, unavailable, detail),
        f"-DPREEMPTIBLE={int(preempts_probes(types, absent))}",
        f"-DPYTHON={int(python)}",
    ]
    if "on_send_reset" in functions:
        flags += ["-DHAVE_SEND_RESET=1", *_offset_flags(types, _RESET_OFFSETS)]
    if python:
        flags += _thread_pointer_flags(types)
    if "on_uring_submit" in functions:
        # The request comes first, in 6.1 with a flag behind it; before, after the ring's context.
        name = "io_uring_submit_req"
        arguments = types.tracepoint_arguments(name) or types.tracepoint_arguments(_SUBMIT_BEFORE)
        first = 0 if (arguments or 0) <= 2 else 1
        cqe = types.tracepoint_arguments("io_uring_complete") == 3
        flags += [
            f"-DURING_SUBMIT_REQUEST={first}",
            f"-DURING_COMPLETE_CQE={int(cqe)}",
            *_offset_flags(types, _URING_OFFSETS),
        ]
    return flags


def _all_there(types: KernelTypes, wanted: dict[str, tuple[str, str]]) -> bool:
    return all(types.offset(*member) is not None for member in wanted.values())


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


_CAST_STRUCTS = ("FDTABLE", "FILE", "PT_REGS", "SOCK", "SOCKET_ALLOC", "TASK_STRUCT")


def _cast_flags(types: KernelTypes, absent: frozenset[str]) -> list[str]:
    """Of bpf_rdonly_cast (Linux 6.2), which spares helpers that read the kernel's memory."""
    if "rdonly_cast" in absent or not types.function("bpf_rdonly_cast"):
        return ["-DHAVE_CAST=0"]
    structs = {name: types.struct(name.lower()) for name in _CAST_STRUCTS}
    return ["-DHAVE_CAST=1", *(f"-DTYPE_{name}={number}" for name, number in structs.items())]


def _optional_flags(
    types: KernelTypes, absent: frozenset[str], unavailable: dict[str, str], detail: Detail
) -> list[str]:
    """Of parts that a kernel may lack; what is lost then is added to ``unavailable``."""
    regs = "task_pt_regs" not in absent and types.has_helper("task_pt_regs")
    flags = [f"-DHAVE_TASK_PT_REGS={int(regs)}"]
    flags += _cast_flags(types, absent)
    if not regs and detail is not Detail.FULL:
        raise Unsupported(
            "This kernel cannot tell what a sleeping thread sleeps in.",
            why="It has no bpf_task_pt_regs (Linux 5.15), and light detail has nothing else.",
            paste="sudo iotrace attach PID --detail full",
        )
    if not regs:
        unavailable["calls that were running at attach"] = "this kernel has no bpf_task_pt_regs"
    slices = types.offset(*_SCHED_INFO["TASK_SCHED_INFO"])
    together = slices is not None and types.offset("task_struct", _RUN_DELAY) == slices + 8
    if together and "run_delay" not in absent:
        flags += ["-DHAVE_SCHED_INFO=1", *_offset_flags(types, _SCHED_INFO)]
    else:
        flags.append("-DHAVE_SCHED_INFO=0")
        unavailable["switches that the kernel hides"] = (
            "this kernel keeps no run-queue time (CONFIG_SCHED_INFO)"
        )
        if "wake-up times" in unavailable or detail is not Detail.FULL:
            unavailable["run queue after a wait"] = "nothing tells it apart; it is in the wait"
    if _all_there(types, _STREAM_END_OFFSETS):
        flags += ["-DHAVE_STREAM_END=1", *_offset_flags(types, _STREAM_END_OFFSETS)]
    if _all_there(types, _BIND_OFFSETS):
        flags += ["-DHAVE_BIND_BUCKET=1", *_offset_flags(types, _BIND_OFFSETS)]
    if _all_there(types, _UNIX_OFFSETS):
        flags += ["-DHAVE_UNIX=1", *_offset_flags(types, _UNIX_OFFSETS)]
    else:
        unavailable["requests on unix sockets"] = "this kernel does not describe unix sockets"
    if "ipv6" not in absent and types.offset(*_IPV6_OFFSETS["SOCK_V6_DADDR"]) is not None:
        flags += ["-DHAVE_IPV6=1", *_offset_flags(types, _IPV6_OFFSETS)]
    else:
        unavailable["IPv6 addresses of closed sockets"] = "this kernel has no IPv6"
    return flags
