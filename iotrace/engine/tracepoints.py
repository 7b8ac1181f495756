# SPDX-License-Identifier: Apache-2.0
"""Which function of the probes sits on which tracepoint, and what is compiled together."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.engine.constants import COPIES, MANY_COPIES
from iotrace.report.detail import Detail


@dataclass(frozen=True, slots=True)
class Probe:
    """One raw tracepoint and the function that runs on it.

    ``loses``: the columns that are n/a without it; empty: nothing works without it.
    ``details``: the levels of detail that it belongs to.
    ``typed``: the verifier knows the types of its arguments, which it reads without a helper.
    ``copies``: where probes can be preempted, so many are attached, and the others (spare) do what
    the first has missed (probes/preemption.c).
    ``older``: what the tracepoint was called before.
    ``attachment``: "tracepoint"; "tail call": entered by other probes, by its ``slot`` in
    ``table``; "sample": runs at the ticks of a clock of each CPU; "major fault": at each page
    fault that waited for storage. These have no tracepoint. One on a tracepoint may have a slot,
    too: other probes go back to it.
    """

    tracepoint: str
    function: str
    loses: tuple[str, ...] = ()
    attachment: str = "tracepoint"
    slot: int = 0
    details: frozenset[Detail] = frozenset(Detail)
    typed: bool = False
    copies: int = COPIES
    older: str = ""
    table: str = ""


_FULL: frozenset[Detail] = frozenset((Detail.FULL,))
_SOCKETS: frozenset[Detail] = frozenset((Detail.SOCKETS,))
_LIGHT: frozenset[Detail] = frozenset((Detail.LIGHT,))
_NOT_LIGHT = _FULL | _SOCKETS
_COUNTS = ("counts of socket calls",)
_CALLS = "exits"
REQUESTS = "requests"
LATE_REQUESTS = "requests on connections that were closed as idle"
PROBES = (
    Probe("sys_enter", "on_sys_enter", details=_FULL, copies=1),
    Probe("sys_exit", "on_sys_exit", details=_FULL, copies=MANY_COPIES, slot=2, table=_CALLS),
    Probe("sched_switch", "on_sched_switch", typed=True, copies=1),
    Probe("sched_waking", "on_sched_waking", ("wake-up times",), details=_FULL, copies=1),
    Probe("task_newtask", "on_task_newtask", ("threads and children that live under 100 ms",)),
    Probe("sched_process_exec", "on_sched_process_exec", ("the moment of an exec",)),
    Probe("skb_copy_datagram_iovec", "on_skb_copy", ("exact copy of sockets",), details=_NOT_LIGHT),
    Probe("sk_data_ready", "on_sk_data_ready", ("pickup",), details=_NOT_LIGHT, copies=1),
    Probe(
        "inet_sock_set_state",
        "on_set_state",
        ("accept queue, connect time",),
        details=_NOT_LIGHT,
    ),
    Probe("sock_recv_length", "on_sock_recv_length", _COUNTS, details=_SOCKETS, copies=MANY_COPIES),
    Probe("sock_send_length", "on_sock_send_length", _COUNTS, details=_SOCKETS, copies=MANY_COPIES),
    Probe("tcp_send_reset", "on_send_reset", (LATE_REQUESTS,), details=_NOT_LIGHT, copies=1),
    Probe("task_rename", "on_task_rename", ("new names of threads",)),
    Probe("signal_deliver", "on_signal_deliver", ("signals",), details=_NOT_LIGHT),
    Probe(
        "io_uring_submit_req",
        "on_uring_submit",
        ("operations",),
        details=_NOT_LIGHT,
        older="io_uring_submit_sqe",
    ),
    Probe("io_uring_complete", "on_uring_complete", ("operations",), details=_NOT_LIGHT),
)

IN_CONTAINERS = (
    Probe("sched_process_exit", "on_sched_process_exit"),
    Probe(
        "sched_prepare_exec",  # since Linux 6.9
        "on_sched_prepare_exec",
        ("the end of a thread that becomes another program, but was not its process's first",),
        details=_SOCKETS | _LIGHT,
    ),
)
"""Needed only where process ids are not the kernel's own."""
EXIT_PROBES = (
    Probe(
        "",
        "on_exchange",
        (REQUESTS,),
        "tail call",
        0,
        details=_NOT_LIGHT,
        copies=1,
        table=_CALLS,
    ),
)
"""What sys_exit, or in sockets detail the probes on reads and writes, go on with."""
CALL_PROBES = (
    Probe("", "on_descriptor", (), "tail call", 1, details=_FULL, copies=1, table=_CALLS),
)
"""What sys_enter goes on with, and sys_exit begins with, where it is needed."""
LINES, STALL_CAUSES, WAKERS = "python lines", "python lines of stalls", "who ends waits for locks"
TASKS, EXCHANGE_TASKS = "asyncio tasks of slow calls and stalls", "asyncio tasks of requests"
CPU_LINES, FAULT_LINES = "python lines on a CPU", "python lines of major page faults"
_WALKERS = "walkers"
PYTHON_PROBES = (
    Probe("", "on_slow_call", (LINES,), "tail call", 0, copies=1, table=_WALKERS),
    Probe("", "on_stall", (STALL_CAUSES,), "tail call", 1, copies=1, table=_WALKERS),
    Probe(
        "",
        "on_new_stack",
        ("python names of short-lived processes",),
        "tail call",
        2,
        copies=1,
        table=_WALKERS,
    ),
    Probe("", "on_wake", (WAKERS,), "tail call", 3, copies=1, table=_WALKERS),
    Probe("", "on_task", (TASKS,), "tail call", 4, copies=1, table=_WALKERS),
    Probe("", "on_exchange_task", (EXCHANGE_TASKS,), "tail call", 5, copies=1, table=_WALKERS),
    Probe("", "on_sample", (STALL_CAUSES, CPU_LINES), "sample", copies=1),
    Probe("", "on_major_fault", (FAULT_LINES,), "major fault", copies=1),
)
_SPARE = "_spare"
ALL_PROBES = (*EXIT_PROBES, *CALL_PROBES, *PROBES, *IN_CONTAINERS, *PYTHON_PROBES)
_COPIES_OF = {probe.function: probe.copies for probe in ALL_PROBES}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the functions: the compiler works on several parts at once.

    ``late``: nothing is charged by them, so charging does not wait for them.
    """

    functions: frozenset[str]
    late: bool = False


LATE = frozenset(probe.function for probe in PYTHON_PROBES)
_SOONER = frozenset(probe.function for probe in ALL_PROBES) - LATE
_FIRST_HALF = frozenset({"on_exchange", "on_set_state", "on_sk_data_ready"})
"""Takes about as long to compile as all the others that charging waits for."""


def parts_of(detail: Detail, cpus: int, python: bool) -> tuple[Part, ...]:
    """What to compile at the same time: light detail is one large function and a few small ones."""
    halves = (Part(_SOONER & _FIRST_HALF), Part(_SOONER - _FIRST_HALF))
    soon = halves if cpus > 1 and detail is not Detail.LIGHT else (Part(_SOONER),)
    return (*soon, Part(LATE, late=True)) if python and detail is Detail.FULL else soon


def attach_order(function: str) -> int:
    """Where a function comes among all of them; spare copies come after the program they are of.

    A tracepoint runs its programs in the order in which they were attached.
    """
    main, _, copy = function.partition(_SPARE)
    return MANY_COPIES * [probe.function for probe in ALL_PROBES].index(main) + int(copy or 0)


def copy_name(function: str, copy: int) -> str:
    """The name of a copy of a program; 0 is the program itself, the others are spare."""
    return f"{function}{_SPARE}{copy}" if copy else function


def spare_names(function: str) -> tuple[str, ...]:
    """The names of the spare copies of a program."""
    return tuple(copy_name(function, copy) for copy in range(1, _COPIES_OF[function]))


SPARES = frozenset(name for probe in ALL_PROBES for name in spare_names(probe.function))
"""Names of all spare copies."""
DATING = frozenset(
    {"on_sched_waking", "on_sk_data_ready", "on_skb_copy", "on_sample", "on_send_reset"}
)
"""Functions that only say when something happened: without a run of theirs no time is lost."""
