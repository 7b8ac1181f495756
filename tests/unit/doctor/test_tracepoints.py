"""What the doctor says of the tracepoints of older kernels."""

from __future__ import annotations

from typing import cast

import pytest

from iotrace.doctor import kernel
from iotrace.doctor.check import Status
from iotrace.engine.btf import KernelTypes
from iotrace.engine.tracepoints import PROBES

_NEW = frozenset(probe.tracepoint for probe in PROBES)
_LINUX_6_1 = _NEW - {
    "sk_data_ready", "sock_recv_length", "sock_send_length", "io_uring_submit_req"
} | {"io_uring_submit_sqe"}  # fmt: skip


class _Kernel:
    """One with these tracepoints. ``complete``: arguments of io_uring_complete."""

    def __init__(self, tracepoints: frozenset[str], complete: int) -> None:
        self._arguments = {**dict.fromkeys(tracepoints, 3), "io_uring_complete": complete}

    def tracepoint_arguments(self, name: str) -> int | None:
        return self._arguments.get(name)


def _lacking(tracepoints: frozenset[str], complete: int) -> dict[str, tuple[str, str]]:
    types = cast(KernelTypes, _Kernel(tracepoints, complete))
    return {
        check.feature.removeprefix("tracepoint "): (check.detail, check.loses)
        for check in kernel._tracepoints(types, frozenset())
        if check.status is not Status.OK
    }


@pytest.mark.parametrize(("complete", "operations"), [(7, True), (4, False)])
def test_what_is_lost_is_what_a_trace_lacks(complete: int, operations: bool) -> None:
    gone = "not in this kernel"
    expected = {
        "sk_data_ready": (gone, "pickup; requests"),
        "sock_recv_length": (gone, "counts of socket calls; requests in sockets detail"),
        "sock_send_length": (gone, "counts of socket calls; requests in sockets detail"),
    }
    if not operations:  # Linux 5.15
        expected["io_uring_complete"] = ("does not tell the request", "operations")
    assert _lacking(_LINUX_6_1, complete) == expected


def test_a_new_kernel_lacks_nothing() -> None:
    assert _lacking(_NEW, 3) == {}
