# SPDX-License-Identifier: Apache-2.0
"""Threads and processes that wait for each other, and their twins that only wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.stacks import InCall
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, descriptor, in_call, judged, process, thread


def test_a_parent_and_its_child_that_serve_different_pipes() -> None:
    read = in_call("read", "pipe", "app.py:9 check", fd=4, peer="pipe:[81]", others=(702,))
    written = in_call("write", "pipe", "tool.py:6 main", fd=2, peer="pipe:[82]", others=(PID,))
    parent = process([hangs.waiting(PID, read, recv=10 * S)])
    child = process([hangs.waiting(702, written, send=10 * S)], pid=702, parent=PID)
    (found,) = judged(parent, child).findings
    assert found.title.startswith("Deadlock for the whole trace: the parent reads one pipe")
    assert [line.split()[0] for line in found.lines] == ["srv/app.py:9", "tool.py:6"]
    same = replace(written, peer="pipe:[81]")
    writes = process([hangs.waiting(702, same, send=10 * S)], pid=702, parent=PID)
    assert "Deadlock" not in " ".join(one.title for one in judged(parent, writes).findings)


def test_of_a_deadlock_with_a_child_the_parents_side_is_told() -> None:
    """Though the child has waited for a little less, and for the pipe alone."""
    join = in_call("wait4", "", "app.py:12 run_job", *hangs.HANDLER, wait=10 * S)
    written = in_call(
        "write", "pipe", "lib/multiprocessing/queues.py:260 Queue._feed", fd=4, peer="pipe:[81]",
        others=(PID,), wait=9 * S, since=S,
    )  # fmt: skip
    parent = process([hangs.waiting(PID, join, child=10 * S)])
    child = process([hangs.waiting(702, written, send=10 * S)], pid=702, parent=PID)
    (found,) = judged(parent, child).findings
    assert found.title.startswith("Deadlock for the whole trace: the parent waits for its child")
    assert "before joining the child" in found.advice
    assert [one.pid for one in found.symptoms] == [702]


def test_a_program_that_a_childs_shell_has_started() -> None:
    """It is the child's child that writes; where another program reads that, it is a pipeline."""
    wait = in_call("wait4", "", "lib/subprocess.py:1955 Popen._try_wait", "app.py:9 check")
    shell = in_call("wait4", "", wait=10 * S)
    written = in_call("write", "pipe", fd=1, peer="pipe:[81]", others=(PID,))
    parent = process([hangs.waiting(PID, wait, child=10 * S)])
    child = process([hangs.waiting(702, shell, child=10 * S)], pid=702, parent=PID)
    grandchild = process([hangs.waiting(703, written, send=10 * S)], pid=703, parent=702)
    (found,) = judged(parent, child, grandchild).findings
    assert found.title.startswith("Deadlock for the whole trace: the parent waits for its child")
    assert found.lines[0].startswith("srv/app.py:9 check")
    busy = process([thread(702, user=10 * S)], pid=702, parent=PID)
    titles = [one.title for one in judged(parent, busy, grandchild).findings]
    assert "Deadlock" not in " ".join(titles)
    piped = replace(written, others=(PID, 704))
    writes = process([hangs.waiting(703, piped, send=10 * S)], pid=703, parent=702)
    titles = [one.title for one in judged(parent, child, writes).findings]
    assert "Deadlock" not in " ".join(titles)


def test_a_lock_for_which_the_one_waits_that_has_the_other() -> None:
    """logging formats with the handler's lock taken: what is formatted takes a lock itself."""
    logging = ("lib/logging/__init__.py:1634 Logger._log", "app.py:26 resize", "app.py:31 change")
    logs = in_call(
        "futex", "", "lib/logging/__init__.py:927 Handler.acquire",
        "lib/logging/__init__.py:976 Handler.handle", *logging, *hangs.BOOTSTRAP, object="a0",
    )  # fmt: skip
    formats = in_call(
        "futex", "", "app.py:19 __str__", "lib/logging/__init__.py:377 LogRecord.getMessage",
        "lib/logging/__init__.py:978 Handler.handle", *logging[:1], "app.py:36 show",
        *hangs.BOOTSTRAP, object="b0",
    )  # fmt: skip
    (found,) = judged(process([hangs.waiting(701, logs), hangs.waiting(702, formats)])).findings
    assert "Deadlock for the whole trace: 2 threads wait for 2 locks" in found.title
    assert [line.split()[0] for line in found.lines] == ["srv/app.py:26", "srv/app.py:19"]


def test_a_lock_that_a_condition_takes_again() -> None:
    """Who waited with a time limit takes the lock again after it; nobody is left that has it."""
    waits = in_call(
        "futex", "", "lib/threading.py:329 Condition.wait", "app.py:15 poll", *hangs.BOOTSTRAP,
        object="a0",
    )  # fmt: skip
    reads = in_call(
        "futex", "", "lib/threading.py:265 Condition.__enter__",
        "lib/site-packages/netconf/client.py:451 Session.handle", "lib/threading.py:975 Thread.run",
        *hangs.BOOTSTRAP, object="a0",
    )  # fmt: skip
    transport = in_call(
        "poll", "tcp", "lib/site-packages/paramiko/transport.py:2173 Transport.run",
        "lib/threading.py:975 Thread.run", *hangs.BOOTSTRAP, fd=4, peer="10.0.0.9:830",
    )  # fmt: skip
    threads = [hangs.waiting(701, waits), hangs.waiting(702, reads), hangs.waiting(703, transport)]
    (found,) = judged(process(threads)).findings
    assert found.title.startswith("2 threads wait for the whole trace for a lock")
    assert "most likely one has ended" in found.title
    assert "10.0.0.9" not in str(found.evidence)
    brief = replace(
        thread(704, user=9 * S, file=S), in_call=in_call("write", "file", "app.py:50 f")
    )
    for computes in (thread(704, user=10 * S), brief):  # it may have the lock
        told = judged(process([*threads, computes])).findings
        assert "IO141" not in [one.id for one in told]
    waiters = replace(waits, object="w1")
    assert (
        judged(process([hangs.waiting(701, waiters), hangs.waiting(702, waiters)])).findings == ()
    )


def test_a_result_that_is_waited_for_under_a_lock() -> None:
    inside = ("app.py:8 load", "app.py:20 main")
    result = in_call("futex", "", "lib/concurrent/futures/_base.py:451 Future.result", *inside)
    taking = in_call("futex", "", "app.py:8 load", *hangs.WORKER, object="a0")
    threads = [hangs.waiting(PID, result), hangs.waiting(702, taking)]
    (found,) = judged(process(threads)).findings
    assert found.title.startswith(f"Deadlock for the whole trace: thread {PID} waits for a result")
    elsewhere = in_call("futex", "", "app.py:40 other", *hangs.WORKER, object="a0")
    by_exclusion = [threads[0], hangs.waiting(702, elsewhere)]
    assert "Deadlock" in judged(process(by_exclusion)).findings[0].title
    upstream = in_call("connect", "tcp", "app.py:60 ask", *hangs.HANDLER, peer="10.0.0.9:80")
    could_have_it = hangs.waiting(703, upstream, connect=10 * S)
    told = judged(process([*by_exclusion, could_have_it])).findings
    assert "Deadlock" not in " ".join(one.title for one in told)


def test_modules_that_are_waited_for_are_told_as_such() -> None:
    importing = ("lib/importlib/_bootstrap>:1178 _find_and_load",)
    result = in_call(
        "futex", "", "lib/concurrent/futures/_base.py:451 Future.result", "plugins.py:13 <module>",
        *importing, "app.py:11 index", *hangs.HANDLER,
    )  # fmt: skip
    taking = in_call("futex", "", *importing, "plugins.py:6 load", *hangs.WORKER, object="a0")
    frozen = [
        replace(
            call,
            stack=tuple(
                replace(one, file="<frozen importlib._bootstrap>")
                if "importlib" in one.file
                else one
                for one in call.stack
            ),
        )
        for call in (result, taking)
    ]
    threads = [hangs.waiting(PID, frozen[0]), hangs.waiting(702, frozen[1])]
    (found,) = judged(process(threads)).findings
    assert "the lock of the module that it imports" in found.title
    assert "after the import" in found.advice


def _frozen(call: InCall) -> InCall:
    """With the file name that modules of the import system have."""
    frames = (
        replace(one, file="<frozen importlib._bootstrap>") if "importlib" in one.file else one
        for one in call.stack
    )
    return replace(call, stack=tuple(frames))


def test_a_pool_whose_threads_all_wait_for_results() -> None:
    nested = in_call(
        "futex", "", "lib/concurrent/futures/_base.py:451 Future.result", "app.py:8 outer",
        *hangs.WORKER,
    )  # fmt: skip
    threads = [hangs.waiting(tid, nested) for tid in (701, 702)]
    (found,) = judged(process(threads)).findings
    assert found.title.startswith("Deadlock for the whole trace: all 2 threads of a pool wait")
    asks = in_call(
        "futex", "", "lib/concurrent/futures/_base.py:451 Future.result", "app.py:20 main"
    )
    (found,) = judged(process([*threads, hangs.waiting(PID, asks)])).findings
    assert found.evidence["threads_that_wait_for_the_pool"] == 1
    assert [line.split()[0] for line in found.lines] == ["srv/app.py:8", "srv/app.py:20"]
    spare = judged(process([*threads, hangs.idle(703)])).findings
    assert "Deadlock" not in spare[0].title


@pytest.mark.parametrize("package", ["multiprocessing", "site-packages/multiprocess"])
def test_a_task_that_was_lost_with_its_worker(package: str) -> None:
    pool = f"lib/{package}/pool.py"
    waits = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", f"{pool}:765 ApplyResult.wait",
        "app.py:18 main",
    )  # fmt: skip
    idle = in_call(
        "read", "pipe", "lib/multiprocessing/connection.py:378 recv", f"{pool}:114 worker"
    )
    busy = in_call("read", "pipe", "app.py:30 work", f"{pool}:114 worker")
    parent = process([hangs.waiting(PID, waits)])
    children = [
        process([hangs.waiting(pid, idle, recv=10 * S)], pid=pid, parent=PID) for pid in (702, 703)
    ]
    (found,) = judged(parent, *children).findings
    assert "all 2 workers are idle: the task was lost" in found.title
    works = process([hangs.waiting(702, busy, recv=10 * S)], pid=702, parent=PID)
    told = judged(parent, works, children[1]).findings
    assert "the task was lost" not in " ".join(one.title for one in told)


def _of_pool(*functions: str, workers: bool = True) -> str:
    """What is told of a process that waits for a result, with these threads of its pool."""
    pool = "lib/multiprocessing/pool.py"
    waits = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", f"{pool}:765 ApplyResult.wait",
        "app.py:18 main",
    )  # fmt: skip
    idle = in_call(
        "read", "pipe", "lib/multiprocessing/connection.py:378 recv", f"{pool}:114 worker"
    )
    threads = [
        hangs.waiting(number, in_call("futex", "", f"{pool}:5 Pool.{name}", *hangs.BOOTSTRAP))
        for number, name in enumerate(functions, 801)
    ]
    ended = thread(809, ended=3 * S)
    parent = process([hangs.waiting(PID, waits), *threads, ended])
    child = process([hangs.waiting(702, idle, recv=10 * S)], pid=702, parent=PID)
    (found,) = judged(parent, *([child] if workers else ())).findings
    return found.title


def test_results_that_nobody_takes_any_more() -> None:
    all_of_them = ("_handle_workers", "_handle_tasks", "_handle_results")
    assert "the task was lost" in _of_pool(*all_of_them)
    assert "thread that takes results" in _of_pool(*all_of_them[:2])


def test_a_pool_of_which_nothing_is_left_was_terminated() -> None:
    assert "that was terminated" in _of_pool(workers=False)
    assert "that was terminated" not in _of_pool()
    assert "that was terminated" not in _of_pool("_handle_results", workers=False)


def test_a_parent_waits_for_a_child_that_hangs_itself() -> None:
    """The child is the cause, whatever the parent's wait has cost."""
    joining = in_call(
        "wait4", "", "lib/multiprocessing/popen_fork.py:27 Popen.poll", "app.py:26 do_GET",
        *hangs.HANDLER,
    )  # fmt: skip
    taking = in_call("futex", "", "lib/site-packages/log.py:9 info", "app.py:14 work", wait=9 * S)
    parent = process([hangs.waiting(PID, joining, child=10 * S)])
    child = process([hangs.waiting(702, taking)], pid=702, parent=PID)
    (found,) = judged(parent, child).findings
    assert (found.id, found.pid) == ("IO141", 702)
    assert "had the lock when the process was forked" in found.title
    assert "forkserver" in found.advice
    assert [(one.id, one.pid) for one in found.symptoms] == [("IO140", PID)]


def test_locks_whose_holders_are_not_seen_are_a_deadlock_where_nobody_else_is_at_work() -> None:
    commits = in_call("futex", "", "app.py:16 commit", *hangs.HANDLER, object="a0")
    counts = in_call("futex", "", "app.py:24 stats", *hangs.HANDLER, object="b0")
    threads = [hangs.waiting(701, commits), hangs.waiting(702, counts), hangs.idle(703)]
    (found,) = judged(process(threads)).findings
    assert found.title.startswith("Deadlock for the whole trace: 2 threads wait for 2 locks")
    assert "in the same order" in found.advice
    asks = in_call("recvfrom", "tcp", "app.py:40 fetch", *hangs.HANDLER, fd=9, peer="10.0.0.9:80")
    others = (hangs.waiting(704, asks), thread(704, user=10 * S))
    for other in others:  # may have them both
        told = judged(process([*threads, other])).findings
        assert not any("Deadlock" in one.title for one in told)


def test_a_lock_of_several_processes_has_no_owner() -> None:
    taken = in_call(
        "futex", "", "lib/multiprocessing/synchronize.py:95 SemLock.__enter__", "app.py:9 work",
        "lib/multiprocessing/process.py:108 BaseProcess.run", object="a0",
    )  # fmt: skip
    children = [process([hangs.waiting(pid, taken)], pid=pid, parent=PID) for pid in (702, 703)]
    (found,) = judged(process([thread(child=10 * S)]), *children).findings
    assert "killed or ended while it had it" in found.title
    assert found.evidence["processes"] == 2


def test_a_program_that_cannot_exit_says_so() -> None:
    main = in_call(
        "futex", "", "lib/threading.py:1132 Thread._wait_for_tstate_lock",
        "lib/concurrent/futures/thread.py:31 _python_exit", "lib/threading.py:1553 _shutdown",
    )  # fmt: skip
    asks = in_call(
        "recvfrom", "tcp", "lib/http/client.py:279 HTTPResponse._read_status",
        "app.py:10 send", *hangs.WORKER, fd=9, peer="10.0.0.9:80",
    )  # fmt: skip
    rows = [descriptor(9, local="127.0.0.1:40001", peer="10.0.0.9:80")]
    ends = process([hangs.waiting(PID, main), hangs.waiting(702, asks)], (), (), rows)
    (found,) = judged(ends).findings
    assert found.title.endswith("the program cannot exit before it ends")
    assert "joins all threads" in found.advice
    goes_on = process([thread(sleep=10 * S), hangs.waiting(702, asks)], (), (), rows)
    (found,) = judged(goes_on).findings
    assert "exit" not in found.title


_WORKS = "ThreadWorker.__init__.<locals>.work"
_WORKER = (
    f"lib/site-packages/twisted/_threads/_threadworker.py:75 {_WORKS}",
    *hangs.BOOTSTRAP,
)


def test_a_pool_of_twisteds_that_waits_for_results_of_its_own() -> None:
    """The library that gives them (crochet) has a result of its own making."""
    waits = in_call(
        "futex", "", "lib/threading.py:622 Event.wait",
        "lib/site-packages/crochet/_eventloop.py:169 EventualResult._result",
        "lib/site-packages/crochet/_eventloop.py:194 EventualResult.wait",
        "service.py:21 handle", *_WORKER,
    )  # fmt: skip
    threads = [hangs.waiting(tid, waits) for tid in range(702, 712)]
    (found,) = judged(process(threads)).findings
    assert found.title.startswith("Deadlock for the whole trace: all 10 threads of a pool wait")
    idle = in_call("futex", "", "lib/queue.py:171 Queue.get", *_WORKER)
    free = judged(process([*threads, hangs.waiting(720, idle)])).findings
    assert "Deadlock" not in " ".join(one.title for one in free)


def test_locks_that_one_waits_for_behind_another_are_no_deadlock() -> None:
    """The last one of them waits for a database: nobody waits for who waits for it."""
    first = in_call("futex", "", "app.py:26 pay", "app.py:31 change", *hangs.BOOTSTRAP, object="a0")
    second = in_call(
        "futex", "", "app.py:41 store", "app.py:26 pay", "app.py:36 show", *hangs.BOOTSTRAP,
        object="b0",
    )  # fmt: skip
    asks = in_call(
        "recvfrom", "tcp", "app.py:44 ask", "app.py:41 store", "app.py:50 main", *hangs.BOOTSTRAP,
        fd=9, peer="10.0.0.9:5432",
    )  # fmt: skip
    calls = {701: first, 702: second, 703: asks}
    found = judged(process([hangs.waiting(tid, one) for tid, one in calls.items()])).findings
    told = [one.title for one in (*found, *(two for one in found for two in one.symptoms))]
    assert not any("Deadlock" in title or "each other" in title for title in told), told
    for holder in ("thread 702, sleeps in futex", "thread 703, sleeps in recvfrom"):
        assert any(holder in title for title in told), told
