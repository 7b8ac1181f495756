"""The figures of a run, and whether its I/O was synchronous."""

from __future__ import annotations

from iotrace.demo.figures import figures, lock_wait_ns
from iotrace.report.model import Operation, Pickup, Signal
from tests.unit.demo.samples import PID, blocking, call, descriptor, process, report, thread


def test_a_blocking_server() -> None:
    seen = figures(blocking(7), 7)
    assert (seen.requests, seen.calls, seen.voluntary, seen.involuntary) == (7, 14, 7, 3)
    assert seen.cpu_ns == 7 * 42_000
    assert (seen.wait_ns, seen.copy_ns, seen.runq_ns) == (7 * 20_000_000, 7 * 2_000, 7 * 30_000)
    assert seen.asleep_in == ("recvfrom", 1.0)
    assert (seen.servants, seen.read_calls, seen.read_bytes) == ("main", 7, 7 * 84)
    assert seen.pickup == Pickup(7, 40_000, 90_000, 95_000)


def test_an_acceptor_that_only_waits_is_not_in_the_waits() -> None:
    seen = figures(
        report(
            process(
                thread(wait_ns=900),
                thread(tid=PID + 1, wait_ns=70),
                calls=(
                    call("accept4", 3, wait_ns=900),
                    call("recvfrom", 2, tid=PID + 1, octets=84, wait_ns=70),
                ),
            )
        ),
        1,
    )
    assert (seen.wait_ns, seen.waits, seen.servants) == (70, {"recvfrom": 70}, "thread")
    assert seen.threads == 2


def test_children_serve_where_they_read() -> None:
    child = process(
        thread(tid=0, wait_ns=50, count=5),
        calls=(call("recvfrom", 5, tid=0, octets=84, wait_ns=50),),
        pid=0,
        parent=PID,
        count=5,
    )
    parent = process(thread(wait_ns=900), calls=(call("accept4", 5, wait_ns=900),))
    seen = figures(report(parent, child), 5)
    assert (seen.servants, seen.wait_ns, seen.processes) == ("child", 50, 6)


def test_who_never_sleeps_is_asleep_nowhere() -> None:
    seen = figures(report(process(calls=(call("recvfrom", 9, octets=84, eagain=8),))), 1)
    assert seen.asleep_in == ("", 0.0)
    assert seen.eagain == 8


def test_the_io_is_synchronous_where_calls_bring_the_data() -> None:
    operation = Operation("recv", 3, {}, 252, None)
    by_calls = report(process(calls=(call("recvfrom", 3, octets=252),)))
    by_operations = report(process(operations=(operation,)))
    by_a_file = report(process(calls=(call("read", 3, kind="file", octets=252),)))
    assert figures(by_calls, 3).synchronous is True
    assert figures(by_operations, 3).synchronous is False
    assert figures(by_a_file, 3).synchronous is None


def test_what_a_multiplexer_costs() -> None:
    seen = figures(
        report(
            process(
                calls=(
                    call("epoll_wait", 11, kind="", kernel_ns=5_500, wait_ns=10**9),
                    call("recvfrom", 10, octets=84),
                )
            )
        ),
        10,
    )
    assert (seen.multiplexer_calls, seen.multiplexer_ns) == (11, 5_500)
    assert seen.asleep_in == ("epoll_wait", 1.0)


def test_signals_and_locks_and_the_worst_pickup() -> None:
    descriptors = (
        descriptor(4, pickup=Pickup(4, 10, 20, 30)),
        descriptor(5, pickup=Pickup(5, 13, 15, 16)),
        descriptor(7, pickup=Pickup(2, 11, 12, 12)),
        descriptor(6),
    )
    seen = figures(
        report(
            process(
                calls=(
                    call("recvfrom", 1, octets=84),
                    call("futex", 4, kind="", wait_ns=600),
                ),
                descriptors=descriptors,
                signals=(Signal(PID, "SIGIO", 11),),
            )
        ),
        11,
    )
    assert seen.signals == {"SIGIO": 11}
    assert lock_wait_ns(seen.waits) == 600
    assert seen.pickup == Pickup(11, 11, 20, 30)  # 13 has the most data, 11 is in the middle
