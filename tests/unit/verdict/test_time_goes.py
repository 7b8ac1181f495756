# SPDX-License-Identifier: Apache-2.0
"""IO225 of clients: whose answers they wait for, and in which function."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Finding, OpenSockets, Process, Symptom
from iotrace.report.requests import Durations, Upstream
from iotrace.report.stacks import Frame, Wake
from iotrace.verdict.outcome import outcomes
from iotrace.verdict.process_profile import profile_of
from tests.unit.verdict import made_ends
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    descriptor,
    event_loop,
    in_call,
    judged,
    line_of,
    stack,
    thread,
)
from tests.unit.verdict.made_tasks import ASKS, wait_of, with_tasks


def _outcomes(*processes: Process) -> list[str]:
    return [one.outcome for one in judged(*processes).processes]


def _place(*processes: Process) -> str:
    """What the finding on the place says: title and lines; "" if there is none."""
    found = [one for one in judged(*processes).findings if one.id == "IO225"]
    return "; ".join(text for one in found for text in (one.title, *one.lines))


def test_who_asks_in_a_librarys_callback_has_a_message_in_hand() -> None:
    """Else it may well ask for the next one."""
    times = Durations(9, S, S, S, S, S)
    row = Upstream("10.0.0.9:80", "tcp", 9, 1, 0, None, times, None, None, 0, {})
    asks = (*ASKS[:4], "bot.py:11 report")
    handler = "lib/site-packages/telegram/ext/_application.py:1298 Application.process_update"
    for places, told in (((*asks, handler), True), (asks, False)):
        one = replace(with_tasks(wait_of(*places, tasks=1)), upstreams=(row,))
        one = replace(one, sockets=OpenSockets(3, (), 0, 0))
        assert ("in a function that a library calls for each message" in _place(one)) is told
        assert ("bot.py:11 report: 1 asyncio task" in _place(one)) is told
        assert ("unless that is how it waits for new work" in _outcomes(one)[0]) is not told


def test_a_call_from_before_the_trace_is_seen_by_its_task() -> None:
    """Six answers of a second in ten, and the task is there at each look."""
    handler = "lib/site-packages/telegram/ext/_application.py:1298 Application.process_update"
    places = (*ASKS[:4], "bot.py:11 report", handler)
    for answers, told in ((7, True), (4, False)):
        times = Durations(answers, S, S, S, S, S)
        row = Upstream("10.0.0.9:80", "tcp", answers, 1, 0, None, times, None, None, 0, {})
        one = replace(with_tasks(wait_of(*places, tasks=1)), upstreams=(row,))
        one = replace(one, sockets=OpenSockets(3, (), 0, 0))
        assert ("for 100 % of the time it waited for answers of 10.0.0.9:80" in _place(one)) is told


def test_messages_that_a_librarys_thread_sends_one_by_one() -> None:
    """What asks for messages gets more than it sends; what sends many at once waits for few."""
    waits = in_call("futex", "", "export.py:9 main")
    frames = waits.stack

    def program(calls: int, sent: int, received: int, waker: tuple[Frame, ...] = ()) -> Process:
        times = Durations(calls, 100 * US, MS, MS, MS, MS)
        row = Upstream("10.0.0.9:9092", "tcp", calls, 1, 0, None, times, None, None, 0, {})
        client = descriptor(
            7, local="10.0.0.1:51000", peer="10.0.0.9:9092", bytes_out=sent, bytes_in=received
        )
        return replace(
            event_loop(),
            threads=(thread(lock=9 * S, user=S), thread(PID + 1, poll=9 * S, user=S)),
            sockets=OpenSockets(3, (), 0, 0),
            lines=(line_of(waits, 1_000, 8 * S, 13 * MS),),
            wakes=(Wake("", 1_000, 8 * S, 13 * MS, PID + 1, 0, frames, 0, waker),),
            descriptors=(client,),
            upstreams=(row,),
        )

    said = _place(program(1_100, 150_000, 60_000))
    assert "for 80 % of its time a thread waits until another one, of a library, has sent" in said
    assert "1,100 round trips to 10.0.0.9:9092, one at a time, 8 ms for each wait" in said
    assert said.endswith("export.py:9 main -> futex: 1,000 times, 8 s, 13 ms at most")
    for other in (
        program(1_100, 60_000, 150_000),
        program(300, 150_000, 60_000),
        program(1_100, 150_000_000, 60_000),
        program(1_100, 150_000, 60_000, stack("work.py:3 run")),
    ):
        assert not _place(other)


def test_a_process_whose_hang_is_told_with_another_ones_is_told_once() -> None:
    """Two that wait for each other: the second one's finding is a symptom of the first one's."""
    (job,) = made_ends.runs_children(True)
    profile = profile_of(job, 10 * S)
    assert outcomes([profile], ())[0].hit is not None
    symptom = Symptom("IO140", "high", "", job.pid, None, None, {}, S)
    other = Finding("IO140", "high", "", job.pid + 1, None, None, {}, "", S, symptoms=(symptom,))
    assert outcomes([profile], (other,)) == {}
    low = replace(other, severity="low", symptoms=(), lines=("job.py:11 export -> read: once",))
    assert outcomes([profile], (replace(low, pid=job.pid),))[0].hit is None
    # A stranger's finding on a place of the same name says nothing of this process.
    stranger = outcomes([profile], (low,))[0]
    assert stranger.hit is not None
