"""Which Python lines a finding names, and how it tells of them."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import StallCall, Stalls
from iotrace.report.stacks import Frame, Line, StallCause
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict import made_servers
from tests.unit.verdict.made import MS, PID, S, call, descriptor, event_loop, findings, thread

_LIBRARY = Frame("recv_into", "/usr/lib/python3.11/socket.py", 706)
_MAIN = Frame("<module>", "/srv/serve.py", 3)


def _frame(function: str, line: int | None, file: str = "/srv/shop/orders.py") -> Frame:
    return Frame(function, file, line, True)


def _stall_cause(cause: str, count: int, total_ns: int, *stack: Frame, own: int = 0) -> StallCause:
    syscall, kind, fd = ("recvfrom", "tcp", 9) if cause == "call" else ("", "", None)
    times = (total_ns, 0, 0, 0, total_ns, total_ns // count + MS)
    return StallCause(cause, syscall, kind, fd, count, *times, own, stack)


def _line(syscall: str, kind: str, fd: int | None, calls: int, *stack: Frame) -> Line:
    wait_ns = calls * 200 * MS
    return Line(PID, syscall, kind, fd, calls, 0, wait_ns, wait_ns, 0, 0, 230 * MS, 0, stack)


def _stalled(*stall_causes: StallCause) -> tuple[str, ...]:
    count = sum(one.count for one in stall_causes)
    total = sum(one.total_ns for one in stall_causes)
    waits = dict.fromkeys(WAIT_REASONS, 0) | {"recv": total}
    worst = StallCall("recvfrom", "tcp", 9, 230 * MS)
    stalls = Stalls(count, total, 0, 0, waits, worst, stall_causes)
    one = replace(
        event_loop(stalls=stalls, busy=230 * MS),
        descriptors=(descriptor(7), descriptor(9, peer="10.0.0.7:443")),
    )
    return findings(one)["IO103"].lines


def test_a_stall_names_its_line_its_call_and_its_peer() -> None:
    stack = (_LIBRARY, _frame("fetch_price", 88), _MAIN)
    assert _stalled(_stall_cause("call", 12, 2_760 * MS, *stack, own=1)) == (
        "orders.py:88 fetch_price -> blocking recvfrom from 10.0.0.7:443: "
        "12 times, 2.76 s, 231 ms at most",
    )


def test_a_function_that_computes_is_one_place_named_by_its_costliest_line() -> None:
    lines = _stalled(
        _stall_cause("cpu", 2, 300 * MS, _frame("hash_it", 20), _MAIN),
        _stall_cause("cpu", 3, 450 * MS, _frame("hash_it", 19), _MAIN),
        _stall_cause("cpu", 1, 150 * MS, _frame("hash_it", None), _MAIN),
        _stall_cause("gil", 1, 150 * MS, _frame("hash_it", 19), _MAIN),
    )
    assert lines == (
        "orders.py:19 hash_it -> computing: 6 times, 900 ms, 151 ms at most",
        "orders.py:19 hash_it -> holding the GIL that the loop waits for: once, 151 ms",
    )


def test_what_computes_outside_of_python_is_named_beside_the_line() -> None:
    dumps = Frame("iterencode", "/usr/lib/python3.14/json/encoder.py", 250)
    in_library = _stall_cause("cpu", 1, 300 * MS, dumps, _frame("answer", 20), _MAIN, own=1)
    in_object = _stall_cause("cpu", 1, 200 * MS, _frame("rank", 30), _MAIN)
    lines = _stalled(replace(in_library, native="_json"), replace(in_object, native="libopenblas"))
    assert [line.partition(": ")[0].partition(" -> ")[2] for line in lines] == [
        "computing in encoder.py:250 iterencode, _json",
        "computing in libopenblas",
    ]


def test_calls_at_two_lines_of_one_function_are_two_places_of_three_at_most() -> None:
    lines = _stalled(
        *(_stall_cause("call", 1, n * S, _frame("ask", n), _MAIN) for n in (1, 2, 3, 4))
    )
    assert [line.split()[0] for line in lines] == ["orders.py:4", "orders.py:3", "orders.py:2"]


def test_stalls_without_a_stack_name_no_line() -> None:
    assert _stalled(_stall_cause("cpu", 3, 450 * MS)) == ()


def test_a_blocking_call_names_its_lines_but_not_the_multiplexers() -> None:
    stack = _frame("get", 7, "/srv/shop/prices/main.py")
    one = replace(
        event_loop(),
        threads=(thread(user=S, poll=6 * S, recv=3 * S),),
        calls=(
            call("recvfrom", "tcp", 1_009, wait=3 * S, longest=230 * MS),
            call("epoll_wait", "", 997, wait=6 * S),
        ),
        descriptors=(descriptor(9, nonblocking=False, wait=3 * S, peer="10.0.0.7:443"),),
        lines=(
            _line("epoll_wait", "epoll", None, 30, _frame("select", 468, "/srv/selectors.py")),
            _line("futex", "gil", None, 5, _MAIN),
            _line("recvfrom", "tcp", 9, 13, stack, _MAIN),
            _line("recvfrom", "tcp", 9, 2, stack),
            _line("recvfrom", "tcp", 9, 1),
            replace(_line("recvfrom", "tcp", 9, 1, _MAIN), tid=PID + 1),
        ),
    )
    assert findings(one)["IO104"].lines == (
        "prices/main.py:7 get -> recvfrom from 10.0.0.7:443: 15 times, 3 s, 230 ms at most",
    )


def test_a_sleep_is_told_where_its_line_names_another_thread_of_the_pool() -> None:
    """A line is of all threads with its stack; what no server waits for is none of theirs."""
    (sleeping,) = made_servers.sleeping(True)
    served = (
        _frame("convert", 17),
        Frame("__call__", "/venv/lib/python3.11/site-packages/flask/app.py", 1536),
    )
    for stack, told in ((served, 1), ((_frame("beat", 4), _MAIN), 0)):
        slept = replace(_line("clock_nanosleep", "", None, 25, *stack), tid=PID + 1)
        assert len(findings(replace(sleeping, lines=(slept,)))["IO117"].lines) == told


def test_what_has_no_cpu_computes_in_no_shared_object() -> None:
    stack = (_frame("rank", 30), _MAIN)
    lines = _stalled(
        replace(_stall_cause("runq", 2, 300 * MS, *stack), native="libcrypto"),
        replace(_stall_cause("cpu", 1, 200 * MS, *stack), native="libcrypto"),
    )
    assert [line.partition(": ")[0].partition(" -> ")[2] for line in lines] == [
        "waiting for a free CPU",
        "computing in libcrypto",
    ]


def test_a_thread_that_accepts_as_well_is_told_to_do_only_that() -> None:
    (both,) = made_servers.sleeping(True)
    serves = replace(both, calls=tuple(one for one in both.calls if "accept" not in one.syscall))
    assert "accepts none meanwhile" in findings(both)["IO117"].advice
    assert "accepts none meanwhile" not in findings(serves)["IO117"].advice
