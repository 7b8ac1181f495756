"""Which probes a kernel gets, and which kernels are refused before anything is compiled."""

from __future__ import annotations

from typing import cast

import pytest

from iotrace.engine import program
from iotrace.engine.btf import KernelTypes
from iotrace.engine.kernel_flags import preempts_probes
from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import PROBES, SPARES, Part, attach_order, spare_names
from iotrace.errors import Unsupported
from iotrace.report.detail import Detail

_TRACEPOINTS = frozenset(probe.tracepoint for probe in PROBES)


class _Kernel:
    """The types of a kernel with these tracepoints, helpers, functions and typedefs."""

    def __init__(self, tracepoints: frozenset[str] = _TRACEPOINTS, *names: str) -> None:
        self._names = names
        self.arguments = dict.fromkeys(tracepoints, 3)

    def tracepoint_arguments(self, name: str) -> int | None:
        return self.arguments.get(name)

    def has_helper(self, name: str) -> bool:
        return name in self._names

    def function(self, name: str) -> int:
        return int(name in self._names)

    typedef = function


def _kernel(*names: str, tracepoints: frozenset[str] = _TRACEPOINTS) -> KernelTypes:
    return cast(KernelTypes, _Kernel(tracepoints, *names))


def test_a_kernel_before_5_12_is_refused_in_a_line() -> None:
    with pytest.raises(Unsupported) as refusal:
        program.build_program(_kernel(), "x86_64", Limits(), part=Part(frozenset()))
    assert "5.15 or newer" in refusal.value.what
    assert "\n" not in refusal.value.what


def test_an_older_name_of_a_tracepoint_is_used_where_it_is_what_there_is() -> None:
    older = _TRACEPOINTS - {"io_uring_submit_req"} | {"io_uring_submit_sqe"}
    present, unavailable = program._available(
        _kernel(tracepoints=older), frozenset(), False, Detail.FULL
    )
    names = {probe.function: probe.tracepoint for probe in present}
    assert names["on_uring_submit"] == "io_uring_submit_sqe"
    assert unavailable == {}


def test_operations_need_the_request_at_their_end() -> None:
    kernel = _Kernel()
    kernel.arguments["io_uring_complete"] = 4
    present, unavailable = program._available(
        cast(KernelTypes, kernel), frozenset(), False, Detail.FULL
    )
    assert "does not tell the request" in unavailable["operations"]
    assert not {"on_uring_submit", "on_uring_complete"} & {probe.function for probe in present}


def test_a_column_without_its_tracepoint_is_not_available() -> None:
    fewer = _TRACEPOINTS - {"sk_data_ready", "sock_recv_length"}
    kernel = _kernel(tracepoints=fewer)
    _, unavailable = program._available(kernel, frozenset(), False, Detail.SOCKETS)
    assert unavailable == {
        "pickup": "this kernel has no tracepoint sk_data_ready",
        "counts of socket calls": "this kernel has no tracepoint sock_recv_length",
    }


def test_a_kernel_that_tells_of_some_resets_only() -> None:
    kernel = _kernel()
    kernel.arguments["tcp_send_reset"] = 2
    lost = "requests on connections that were closed as idle"
    for detail, told in ((Detail.SOCKETS, {lost}), (Detail.LIGHT, set())):
        present, unavailable = program._available(kernel, frozenset(), False, detail)
        assert unavailable.keys() == told
        assert "on_send_reset" not in {probe.function for probe in present}


def test_requests_need_what_tells_of_arrivals_reads_and_writes() -> None:
    functions = {probe.function for probe in PROBES}
    for detail, needed in (
        (Detail.FULL, {"sk_data_ready"}),
        (Detail.SOCKETS, {"sk_data_ready", "sock_recv_length", "sock_send_length"}),
    ):
        unavailable: dict[str, str] = {}
        (probe,) = program._request_probes(functions, detail, unavailable)
        assert (probe.function, unavailable) == ("on_exchange", {})
        for name in needed:
            assert program._request_probes(functions - {f"on_{name}"}, detail, unavailable) == []
            assert unavailable == {"requests": f"this kernel has no tracepoint {name}"}
    unavailable = {}
    assert program._request_probes(functions, Detail.LIGHT, unavailable) == []
    assert unavailable == {}


def test_a_refused_probe_takes_requests_with_it_where_it_tells_of_them() -> None:
    probes = {probe.tracepoint: probe for probe in PROBES}
    read, arrival = probes["sock_recv_length"], probes["sk_data_ready"]
    assert program._with_requests(read, Detail.SOCKETS).loses == (*read.loses, "requests")
    assert program._with_requests(arrival, Detail.FULL).loses == (*arrival.loses, "requests")
    assert program._with_requests(probes["sys_exit"], Detail.FULL).loses == ()


def test_probes_can_be_preempted_since_tracepoints_are_guarded_by_srcu() -> None:
    kfunc, guard = "bpf_preempt_disable", "class_srcu_fast_notrace_t"
    assert not preempts_probes(_kernel(), frozenset())
    assert not preempts_probes(_kernel(kfunc), frozenset())
    assert preempts_probes(_kernel(kfunc, guard), frozenset())
    assert preempts_probes(_kernel(kfunc), frozenset({"preempt_off"}))


def test_spare_copies_are_attached_right_after_their_program() -> None:
    assert {"on_sys_exit_spare1", "on_sock_recv_length_spare4"} < SPARES
    for probe in PROBES:
        if probe.copies > 1:
            names = (probe.function, *spare_names(probe.function))
            orders = [attach_order(name) for name in names]
            assert orders == list(range(orders[0], orders[0] + len(names)))
