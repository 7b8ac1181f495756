"""The lines of findings that are about CPU time: places by samples, with what they called."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, Requests, Stalls
from iotrace.report.stacks import CpuSample, Frame, StallCause
from iotrace.report.times import Durations
from iotrace.verdict.cpu_samples import busy_lines, faulting_lines
from iotrace.verdict.told_lines import texts_of
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.found import Found
from tests.unit.verdict.clients import NO_LISTENER
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    event_loop,
    findings,
    judged,
    loop,
    process,
    thread,
)
from tests.unit.verdict.made_busy import never_sleeps, reads_files

_WEATHER = Frame("weather", "/srv/server.py", 13, suspends=True)
_LOADS = Frame("create_default_context", "/usr/lib/python3.11/ssl.py", 713)


def _sampled(*rows: CpuSample) -> Process:
    """All that it has computed was sampled."""
    cpu_ns = sum(row.cpu_ns for row in rows)
    return replace(process([thread(user=cpu_ns)]), cpu_samples=rows)


def _row(samples: int, own: int, *stack: Frame, tid: int = PID, faults: int = 0) -> CpuSample:
    return CpuSample(tid, samples, samples * 5 * MS, 0, 0, faults, own, stack)


def test_a_place_names_what_it_called() -> None:
    one = _sampled(_row(150, 1, _LOADS, _WEATHER), _row(50, 0, _WEATHER), _row(1, 0, _LOADS))
    assert texts_of(busy_lines(one)) == (
        "server.py:13 weather -> ssl.py:713 create_default_context: 99.5 % of its CPU time, "
        "about 1 s",
    )


def test_lines_of_one_thread_are_of_its_own_samples() -> None:
    one = _sampled(_row(500, 0, _LOADS), _row(40, 0, _WEATHER, tid=701))
    assert texts_of(busy_lines(one, 701)) == (
        "server.py:13 weather: 100 % of its CPU time, about 200 ms",
    )


def test_samples_of_a_part_of_the_cpu_time_do_not_stand_for_all_of_it() -> None:
    """Native threads took the rest, or stacks could not be read."""
    one = _sampled(_row(150, 0, _WEATHER), _row(50, 0, _LOADS))
    half = replace(one, threads=(thread(user=2 * S),))
    assert texts_of(busy_lines(half))[0] == "server.py:13 weather: 75 % of its 200 CPU samples"


def test_a_few_samples_say_nothing() -> None:
    assert texts_of(busy_lines(_sampled(_row(7, 0, _WEATHER)))) == ()


def test_page_faults_are_counted_by_place() -> None:
    one = _sampled(_row(0, 0, _WEATHER, faults=1_009))
    assert texts_of(faulting_lines(one)) == ("server.py:13 weather: 1,009 major page faults",)


def test_what_a_spinning_loop_calls_is_not_the_loop() -> None:
    select = Frame("select", "/usr/lib/python3.11/selectors.py", 468)
    one = _sampled(_row(150, 0, select), _row(50, 0, _WEATHER))
    assert texts_of(busy_lines(one, callbacks=True)) == (
        "server.py:13 weather: 25 % of all CPU time of its thread, that is about 250 ms",
    )


def test_where_no_function_stands_out_packages_are_told() -> None:
    packages = "/venv/lib/python3.11/site-packages"
    rows = [
        _row(10, 0, Frame(f"render_{number}", f"{packages}/rich/text.py", number))
        for number in range(12)
    ]
    framework = [
        _row(10, 0, Frame(f"route_{number}", f"{packages}/starlette/routing.py", number))
        for number in range(8)
    ]
    assert texts_of(busy_lines(_sampled(*rows, *framework)))[0] == (
        "by package, of its CPU time with a known stack: rich 60 %, starlette 40 %"
    )


def test_packages_that_a_line_calls_are_named() -> None:
    package = "/venv/lib/python3.11/site-packages/botocore"
    rows = [
        _row(10, 1, Frame(f"load_{number}", f"{package}/loaders.py", number), _WEATHER)
        for number in range(9)
    ]
    assert texts_of(busy_lines(_sampled(*rows, _row(10, 1, _LOADS, _WEATHER)))) == (
        "server.py:13 weather (90 % of it in botocore): 100 % of its CPU time, about 500 ms",
    )


def test_the_loop_of_a_package_that_spins_is_named() -> None:
    """Nearly all samples are in what it calls, and none of that stands out."""
    package = "/venv/lib/python3.11/site-packages/gunicorn"
    polls = Frame("SyncWorker.run", f"{package}/workers/sync.py", 62)
    tells = Frame("SyncWorker.run", f"{package}/workers/sync.py", 61)
    arbiter = Frame("Arbiter.run", f"{package}/arbiter.py", 168)
    called = [Frame(f"step_{number}", f"{package}/util.py", number) for number in range(3)]
    rows = [
        _row(40, 2, polls, arbiter, _WEATHER),
        *(_row(20, 3, one, tells, arbiter, _WEATHER) for one in called[:1]),
        *(_row(15, 3, one, polls, arbiter, _WEATHER) for one in called[1:]),
    ]
    (line,) = texts_of(busy_lines(_sampled(*rows, _row(10, 0, _WEATHER))))
    assert line.startswith(
        "server.py:13 weather (90 % of it in gunicorn, by way of "
        "gunicorn/workers/sync.py:62 SyncWorker.run): 100 % of its CPU time"
    )
    spread = [_row(30, 1, replace(one, line=None), _WEATHER) for one in called]
    assert "by way of" not in texts_of(busy_lines(_sampled(*spread)))[0]


def test_a_loop_at_its_limit_says_what_a_request_costs() -> None:
    threads = (thread(user=9_800 * MS, poll=200 * MS),)
    half = Durations(5_000, 5 * MS, 6 * MS, 9 * MS, 9 * MS, 9 * MS)
    served = Requests("127.0.0.1:8000", 8, 5_000, 8, MS, half, None, half, half, half)
    one = replace(event_loop(), threads=threads, requests=(served,))
    found = findings(one)["IO132"]
    assert found.severity == "medium"
    assert found.evidence["cpu_per_request_ns"] == 9_800 * MS // 5_000
    assert "at its limit" in found.title
    quick = replace(served, exchanges=50_000)
    assert "IO132" not in findings(replace(one, requests=(quick,)))
    rests = (thread(user=7 * S, poll=3 * S),)
    assert "IO132" not in findings(replace(one, threads=rests))


def test_a_regular_expression_that_keeps_the_gil() -> None:
    searches = Frame("search", "/usr/lib/python3.11/re/__init__.py", 176)
    (one,) = never_sleeps(True)
    found = findings(replace(one, cpu_samples=(_row(900, 1, searches, _WEATHER, tid=701),)))
    assert found["IO133"].severity == "medium"
    assert "GIL" not in found["IO133"].title
    loop = replace(one.threads[0], states_ns=thread(poll=5 * S, gil=5 * S).states_ns)
    waits = call("futex", "gil", 1_001, wait=5 * S, errors={"ETIMEDOUT": 997})
    one = replace(one, threads=(loop, *one.threads[1:]), calls=(*one.calls, waits))
    found = findings(replace(one, cpu_samples=(_row(900, 1, searches, _WEATHER, tid=701),)))
    assert found["IO133"].severity == "high"
    assert found["IO133"].evidence["threads_waiting_for_the_gil"] == 1
    assert "keeps Python's GIL" in found["IO133"].title
    assert "backtracking" in found["IO133"].advice
    elsewhere = replace(one, cpu_samples=(_row(900, 0, _WEATHER, tid=701),))
    assert "backtracking" not in findings(elsewhere)["IO133"].advice


def test_a_thread_that_mostly_logs() -> None:
    """A program that computes and serves nobody is told to be busy, at low severity."""
    emits = Frame("StreamHandler.emit", "/usr/lib/python3.11/logging/__init__.py", 1113)
    scans = Frame("scan", "/srv/tags.py", 36)
    one = replace(process([thread(user=9_900 * MS, lock=100 * MS)]), sockets=None)
    for logged, severity in ((600, "medium"), (400, "low")):
        main = Frame("<module>", "/srv/tags.py", 99)
        rows = (_row(logged, 1, emits, scans, main), _row(1000 - logged, 0, scans, main))
        (found,) = judged(replace(one, cpu_samples=rows)).findings
        assert found.severity == severity
        assert ("log messages" in found.title) is (severity == "medium")
        assert ("MemoryHandler" in found.advice) is (severity == "medium")


def test_a_loop_whose_stalls_are_told_has_no_second_finding() -> None:
    waits = dict.fromkeys(WAIT_REASONS, 0)
    stalls = Stalls(30, 9 * S, 9 * S, 0, waits, None)
    one = event_loop(stalls=stalls, busy=300 * MS)
    busy = replace(one, threads=(thread(user=9_900 * MS, poll=100 * MS, switches=7),))
    found = findings(replace(busy, calls=(call("sendto", "tcp", 41),)))
    assert "IO103" in found
    assert "IO133" not in found


def test_stalls_seen_in_a_framework_that_samples_find_in_the_program() -> None:
    """The function that computed had just returned when each stall was seen."""
    waits = dict.fromkeys(WAIT_REASONS, 0)
    routes = Frame("app", "/srv/lib/site-packages/starlette/routing.py", 73)
    makes = Frame("Model._init_from_db", "/srv/lib/site-packages/tortoise/models.py", 714)
    export = Frame("export", "/srv/server.py", 19)
    routing = "starlette/routing.py:73 app"
    named = ((1_500, "server.py:19 export"), (500, routing), (900, routing))
    for samples, told in named:
        cause = StallCause("cpu", "", "", None, 3, 9 * S, 9 * S, 0, 0, 0, 3 * S, 0, (routes,))
        stalls = Stalls(3, 9 * S, 9 * S, 0, waits, None, (cause,))
        rows = (_row(samples, 1, makes, export, routes), _row(2_000 - samples, 0, routes))
        one = replace(event_loop(stalls=stalls, busy=300 * MS), cpu_samples=rows)
        busy = replace(one, threads=(thread(user=9_900 * MS, poll=100 * MS, switches=7),))
        assert findings(busy)["IO103"].lines[0].startswith(told)


def test_files_that_are_read_again_and_again_cost_what_is_computed_with_them() -> None:
    found = findings(*reads_files(True))["IO172"]
    assert found.title.startswith("Reads thousands of files again and again: a thread opens 4,000")
    assert (found.cost_ns, found.evidence["opened"]) == (4 * S, 40_000)
    assert "reloader" not in found.advice
    assert "IO172" not in findings(*reads_files(False))


def test_files_that_are_opened_for_each_write_are_not_read() -> None:
    (one,) = reads_files(True)
    for reads, locks, told in (
        (0, 40_000, "a file is locked each time (flock)"),
        (0, 0, "to write 60 bytes 2,000 times"),
        (
            20_000,
            40_000,
            "Reads thousands of files",
        ),  # a lock for each, and a note of what was read
    ):
        files = [call("write", "file", 20_000, bytes=1_200_000), call("read", "file", reads)]
        seen = replace(one, calls=(*one.calls, *files, call("flock", "file", locks)))
        found = findings(seen)["IO172"]
        assert told in found.title
        assert ("QueueHandler" in found.advice) is (not reads)


def test_of_a_function_the_lines_with_most_samples_are_told() -> None:
    """A line's samples are of several stacks, and a function may have two lines that cost much."""
    first = Frame("to_json", "/srv/models.py", 39)
    second = Frame("to_json", "/srv/models.py", 40)
    inner = [Frame(f"step{number}", "/usr/lib/python3.11/ssl.py", number) for number in range(9)]
    rows = [_row(40, 0, first), *(_row(10, 1, one, second) for one in inner)]
    (told,) = texts_of(busy_lines(_sampled(*rows)))
    assert told.startswith("models.py:40 and models.py:39 to_json: 100 % of its CPU time")
    (told,) = texts_of(busy_lines(_sampled(*rows[1:], _row(20, 0, first))))
    assert told.startswith("models.py:40 to_json: ")


_SPAWNS = Frame("Runner.spawn_impl", "/v/site-packages/trio/_core/_run.py", 1_575)
_START_SOON = Frame("Nursery.start_soon", "/v/site-packages/trio/_core/_run.py", 1_070)
_CREATES = Frame("BaseEventLoop.create_task", "/usr/lib/python3.11/asyncio/base_events.py", 436)


_EAGER = Frame("ClientSession._request", "/v/site-packages/aiohttp/client.py", 400)


def _starting(*stack: Frame, collecting: int = 0, loops: int = 0) -> dict[str, Found]:
    """Ten seconds of computing, nearly all of it there."""
    rows = (
        CpuSample(PID, 1_900, 9_500 * MS, 0, collecting, 0, len(stack), (*stack, _WEATHER)),
        _row(100, 0, _WEATHER),
    )
    one = process([thread(user=10 * S)], loops=[loop(iterations=9, wait=0)] * loops)
    return findings(replace(one, cpu_samples=rows))


def test_who_starts_tasks_in_masses_lets_none_of_them_run() -> None:
    for stack in ((_SPAWNS, _START_SOON), (_CREATES,)):
        found = _starting(*stack, collecting=1_400)
        assert found["IO133"].severity == "high"
        assert "starts one task after the other" in found["IO133"].title
        assert "IO135" in found  # takes time of its own, and is not why
    assert not found["IO135"].symptoms


def test_who_comes_back_to_the_loop_or_computes_starts_no_masses() -> None:
    back, computing = _starting(_SPAWNS, _START_SOON, loops=1), _starting(_LOADS)
    runs_at_once = _starting(_EAGER, _CREATES)  # asyncio.eager_task_factory
    for found in (back, computing, runs_at_once):
        assert "starts one task" not in found["IO133"].title
    (symptom,) = _starting(_LOADS, collecting=1_400)["IO135"].symptoms
    assert symptom.id == "IO133"


def _spinning(*stack: Frame, loops: int = 0, tid: int = PID, python: str = "python3") -> Found:
    """Ten seconds in which a thread looks at something again and again."""
    row = CpuSample(tid, 2_000, 10 * S, 0, 0, 0, 0, stack)
    one = process([thread(tid, user=10 * S)], loops=[loop(iterations=9, wait=0)] * loops)
    one = replace(one, cpu_samples=(row,), cmdline=(python, "crawl.py"), sockets=NO_LISTENER)
    return findings(one)["IO133"]


def test_a_greenlet_that_never_yields_keeps_the_others_waiting() -> None:
    """Its stack begins with its own function, not with the program's module."""
    spins, module = Frame("crawler", "/srv/crawl.py", 19), Frame("<module>", "/srv/crawl.py", 30)
    found = _spinning(spins)
    assert found.severity == "medium"
    assert found.title.startswith("A greenlet never yields, most likely")
    assert "gevent.sleep()" in found.advice
    for other in (
        _spinning(spins, module),
        _spinning(spins, loops=1),
        _spinning(spins, tid=PID + 1),
        _spinning(spins, python="/usr/bin/uwsgi"),
        _spinning(*(spins,) * 32),  # nobody knows what is further out
    ):
        assert "greenlet" not in other.title
