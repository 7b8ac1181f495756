"""The picture: what is drawn, in which order, how tall, how wide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.demo.diagram import draw, format_at
from iotrace.demo.diagram_rows import Lane, Row, Shape, diagram_rows
from iotrace.demo.request import Request, requests, typical
from iotrace.demo.steps import Fold, Step, items, polling_ns, sums_ns
from iotrace.vocabulary.events import EventKind
from tests.unit.demo.events import CONNECTION, Script, blocking_requests, polling_request


def chosen(script: Script) -> Request:
    request = typical(requests(script.events, {}))
    assert request is not None
    return request


def test_a_blocking_request_reads_as_in_the_textbook() -> None:
    lines = draw(chosen(blocking_requests(3)))
    assert lines[:21] == [
        "        at   application                  kernel                            took",
        "  0.000 ms ┃ the previous answer is out │",
        "  0.001 ms ┃ recvfrom(4) ──────────────▶┃ no data yet           kernel      5 ns",
        "  0.001 ms ┊ asleep                     ┊ wait for data         wait     20.0 ms",
        "           ┊                            ┊",
        "           ┊                            ┊",
        "           ┊                            ┊",
        " 20.001 ms ┊                            ●◀── data arrives",
        " 20.001 ms ┊ awake, but has no CPU yet  ┊                       runq     30.0 us",
        " 20.031 ms │                            ┃ data is there         kernel      4 ns",
        " 20.031 ms │                            ┃ copy 84 bytes         copy        2 ns",
        " 20.031 ms ┃◀─────────────── 84 bytes ──┃",
        " 20.031 ms ┃ the program works          │                       program  11.0 us",
        " 20.042 ms ┃ sendto(4) ────────────────▶┃ take the answer       kernel   5.00 us",
        " 20.047 ms ┃◀─────────────── 84 bytes ──┃ the answer is out",
        "",
        "┃ the thread runs on this side; │ nothing happens on this one. ┊ It has no CPU:",
        "it sleeps, or waits in the run queue (runq) for one. In brackets: the",
        "descriptor. ● The data is in the kernel. What takes 100 us or more is a line",
        "taller for each ten times as long.",
        "20.0 ms = wait 20.0 ms + run queue 30.0 us + copy 2 ns + kernel 5.01 us +",
    ]
    assert " ".join(lines[-3:]) == (
        "Wait phase: 20.0 ms until the data had arrived, 20.0 ms of it asleep. Copy phase: 2 ns, "
        "begun 30.0 us after the arrival. From the arrival to the answer: 46.0 us."
    )


def test_the_parts_add_up_to_the_request() -> None:
    for script in (blocking_requests(3), polling_request(1000)):
        request = chosen(script)
        assert sum(sums_ns(request).values()) == request.to_ns - request.from_ns


def test_many_polls_are_folded_and_counted() -> None:
    request = chosen(polling_request(1009))
    folds = [item for item in items(request) if isinstance(item, Fold)]
    (fold,) = folds
    shown = [item for item in items(request) if isinstance(item, Step)]
    assert len(fold.calls) == 1008
    assert [step.call.result for step in shown] == [-11, 84, 84]
    text = "\n".join(draw(request))
    assert "1,008 more such calls" in text
    assert "each finds nothing" in text
    assert "EAGAIN (EWOULDBLOCK): nothing there, try again." in text.replace("\n", " ")
    assert "none of it asleep" in text


def test_the_part_left_out_is_told_by_what_it_went_to() -> None:
    request = chosen(polling_request(1009))
    (fold,) = (item for item in items(request) if isinstance(item, Fold))
    parts = polling_ns(request)
    assert set(parts) == {"kernel", "program"}
    assert sum(parts.values()) == sum(segment.length_ns for segment in fold.segments)
    assert polling_ns(chosen(blocking_requests(3))) == {}


def test_a_few_polls_are_drawn_each() -> None:
    assert not [i for i in items(chosen(polling_request(3))) if isinstance(i, Fold)]


@pytest.mark.parametrize(
    ("took_ns", "height"),
    [(0, 1), (99_999, 1), (100_000, 2), (1_000_000, 3), (20_000_000, 4), (10**9, 6)],
)
def test_a_phase_ten_times_as_long_is_one_line_taller(took_ns: int, height: int) -> None:
    assert Row(0, Lane.ASLEEP, took_ns=took_ns).height == height
    assert Row(0, Lane.KERNEL, shape=Shape.CALL, took_ns=took_ns).height == 1


def test_rows_are_in_the_order_of_time_from_the_start() -> None:
    request = chosen(polling_request(50))
    times = [row.at_ns for row in diagram_rows(request)]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == request.to_ns - request.from_ns


def test_no_line_is_wider_than_a_terminal() -> None:
    for script in (blocking_requests(3, first_wait_ns=10**11), polling_request(5000)):
        assert max(map(len, draw(chosen(script)))) <= 80


def test_a_signal_is_drawn_as_what_comes_from_the_kernel() -> None:
    script = Script().call("accept4", 3, CONNECTION, 10)
    script.call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    script.add(EventKind.ENTER, "rt_sigsuspend").after(5)
    script.sleep("rt_sigsuspend", -1, wait_ns=1_000_000, runq_ns=9_000, inode=777)
    script.after(2).add(EventKind.EXIT, "rt_sigsuspend", value=-514)
    script.after(3).add(EventKind.SIGNAL, value=29).after(7_000)
    script.call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    lines = draw(requests(script.events, {})[1])
    assert any("◀──────────── interrupted ──┃" in line for line in lines)
    assert any("◀────────────────── SIGIO ──┃ deliver" in line for line in lines)
    assert any("wait for a signal" in line for line in lines)


def test_calls_of_other_clients_are_summed_up() -> None:
    script = Script().call("accept4", 3, CONNECTION, 10)
    script.call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    for other in (7, 8, 9):
        script.after(2_000).call("recvfrom", other, 84, 50).call("sendto", other, 84, 50)
    script.after(2_000).call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    request = next(r for r in requests(script.events, {})[::-1] if r.fd == CONNECTION)
    assert any("serves others, 6 calls" in line for line in draw(request))


@pytest.mark.parametrize(
    ("at_ns", "longest_ns", "text"),
    [
        (1_500, 9_999_999, "1.5 us"),
        (1_234_567, 20_000_000, "1.235 ms"),
        (2_500_000_000, 10**10, "2.500 s"),
    ],
)
def test_moments_are_in_one_unit(at_ns: int, longest_ns: int, text: str) -> None:
    assert format_at(at_ns, longest_ns) == text


def test_data_that_comes_during_a_read_was_not_there_when_it_was_asked_for() -> None:
    script = Script().call("accept4", 3, CONNECTION, 10)
    script.call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    script.call("recvfrom", CONNECTION, 84, 50).call("sendto", CONNECTION, 84, 50)
    request = requests(script.events, {})[1]
    read = next(call for call in request.timeline.calls if call.enter_ns >= request.from_ns)
    late = replace(request, ready_ns=read.enter_ns + 1)
    asked = {
        name: next(row.kernel for row in diagram_rows(one) if row.shape is Shape.CALL)
        for name, one in (("before", request), ("during", late))
    }
    assert asked == {"before": "data is there", "during": "no data yet"}
