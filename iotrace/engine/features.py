# SPDX-License-Identifier: Apache-2.0
"""Features that this host lacks, or is told to seem to lack: ``IOTRACE_ABSENT``."""

from __future__ import annotations

import os

from iotrace.engine.tracepoints import PROBES
from iotrace.errors import UsageError
from iotrace.procfs.files import ABSENT_VARIABLE

OTHER_FEATURES = {
    "task_pt_regs": "the helper bpf_task_pt_regs",
    "rdonly_cast": "the function bpf_rdonly_cast",
    "preempt_off": "tracepoints that call probes with preemption off (until Linux 6.19)",
    "run_delay": "the scheduler's sum of run-queue time (CONFIG_SCHED_INFO)",
    "ipv6": "IPv6 in the kernel's socket structs",
    "ringbuf": "BPF ring buffers",
    "lookup_batch": "reading a map in batches (BPF_MAP_LOOKUP_BATCH)",
    "syscall": "/proc/PID/task/TID/syscall",
    "schedstat": "/proc/PID/task/TID/schedstat",
    "children": "/proc/PID/task/TID/children",
    "fdinfo": "/proc/PID/fdinfo",
    "sock_diag": "netlink's unix_diag",
}
"""What else can be made to look absent, beside the tracepoints."""


def absent_features() -> frozenset[str]:
    """What ``IOTRACE_ABSENT`` names, separated by commas. Raises UsageError for unknown names.

    For tests, and to try how a report looks on a lesser kernel.
    """
    names = {name.strip() for name in os.environ.get(ABSENT_VARIABLE, "").split(",")} - {""}
    known = {probe.tracepoint for probe in PROBES} | OTHER_FEATURES.keys()
    if names - known:
        raise UsageError(
            f"{ABSENT_VARIABLE} names something unknown: {', '.join(sorted(names - known))}.",
            why=f"Known are {', '.join(sorted(known))}.",
            paste=f"unset {ABSENT_VARIABLE}",
        )
    return frozenset(names)
