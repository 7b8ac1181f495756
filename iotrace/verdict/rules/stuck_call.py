# SPDX-License-Identifier: Apache-2.0
"""A call that has not returned: an answer that does not come, a pipe that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.stacks import InCall
from iotrace.verdict.asking_children import Asking, asking_child
from iotrace.verdict.callbacks import (
    CALLING_BACK,
    IN_READING_LOOP,
    calling_back,
    calling_back_text,
    reads_in_loop,
)
from iotrace.verdict.deadlocks import Deadlock, deadlock_of, writers_to
from iotrace.verdict.family_evidence import HANGING_CHILDREN
from iotrace.verdict.handovers import (
    FORKED,
    IN_LOOP,
    awaited_text,
    handover_text,
    idle_workers,
    in_loop,
    left_behind,
    result_text,
    waits_in_request,
)
from iotrace.verdict.lost_results import workers_that_die
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import (
    Purpose,
    asks,
    joins_queue,
    named,
)
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.stuck import (
    Stuck,
    began_text,
    group_held_text,
    in_calls,
    place_text,
    stuck_lines,
    stuck_threads,
    target_text,
)
from iotrace.verdict.work_in_progress import is_worked_at
from iotrace.vocabulary.kinds import PIPES, SOCKETS

MOST_NAMED = 3
_EXIT = re.compile(r"/threading\.py:_shutdown$|/thread\.py:_python_exit$")


def _stuck(profile: ProcessProfile) -> Iterator[Hit]:
    groups: dict[object, list[Stuck]] = {}
    for one in stuck_threads(profile):
        if _hangs(one, profile):
            key = one.purpose, one.call.syscall, one.call.kind, place_text(one) or one.tid
            groups.setdefault(key, []).append(one)
    deadlocks = [
        None if left_behind(group[0], profile) else deadlock_of(group, profile)
        for group in groups.values()
    ]
    told = {one.tid for deadlock in deadlocks if deadlock for one in deadlock.others}
    of_pool = any(
        deadlock and group[0].purpose is Purpose.RESULT
        for group, deadlock in zip(groups.values(), deadlocks, strict=True)
    )
    for group, deadlock in zip(groups.values(), deadlocks, strict=True):
        if of_pool and not deadlock and group[0].purpose is Purpose.RESULT:
            continue  # these wait for what those that are in the deadlock do not give
        if deadlock or not all(one.tid in told for one in group):
            yield _hit(group, deadlock, profile)


def _hangs(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether somebody waits for it, or nothing normal takes as long."""
    if waits_in_request(one) or calling_back(one, profile):
        return True
    if one.purpose in (Purpose.READER, Purpose.FILE, Purpose.CONNECTION, Purpose.ROOM):
        return True
    if writers_to(one, profile):
        return True
    if one.purpose is Purpose.CHILD:
        asked = asking_child(one, profile) is not None
        return one.serves or bool(one.call.inherited_by) or asked
    if one.purpose is Purpose.RESULT:
        return one.own and not is_worked_at(one, profile)
    if one.purpose is not Purpose.ANSWER:
        return False
    return _owes_answer(one, profile) or (reads_in_loop(one) and _outgoing(one.call, profile))


def _owes_answer(one: Stuck, profile: ProcessProfile) -> bool:
    """It waits for a server that it has asked, in a call of the program's own code.

    Where nothing tells that it has asked, it may listen to what the server sends when it likes.
    """
    if one.call.kind not in SOCKETS or not one.own or not _outgoing(one.call, profile):
        return False
    return asks(one.call.stack) or one.serves or _sent_before(one.call, profile)


def _sent_before(call: InCall, profile: ProcessProfile) -> bool:
    return bool(call.since_ns) and any(
        row.bytes_out
        for row in profile.process.descriptors
        if row.fd == call.fd and row.kind == call.kind
    )


def _outgoing(call: InCall, profile: ProcessProfile) -> bool:
    ports = profile.listening_ports()
    rows = [
        row for row in profile.process.descriptors if row.fd == call.fd and row.kind == call.kind
    ]
    if not call.peer and not any(row.peer for row in rows):
        return False
    return not any(row.local[row.local.rfind(":") :] in ports for row in rows if row.local)


def _hit(group: list[Stuck], deadlock: Deadlock | None, profile: ProcessProfile) -> Hit:
    first = max(group, key=lambda one: one.held_ns)
    call = first.call
    itself = bool(call.peer) and _outgoing(call, profile) and profile.is_own(call.peer)
    evidence: dict[str, float | int | str] = {"call": call.syscall}
    if call.kind:
        evidence["kind"] = call.kind
    if call.peer:
        evidence["path" if first.purpose is Purpose.FILE else "peer"] = call.peer
    if call.file_system:
        evidence["file_system"] = call.file_system
    if itself:
        evidence["that_is"] = "this program's own listener"
    evidence |= {
        "threads": len(group),
        "waited_ns": first.held_ns,
        "began": began_text(first),
    }
    others = [pid for pid in call.others if pid != profile.process.pid]
    if others:
        evidence["other_end_has"] = ", ".join(map(str, others))
    hanging = [
        str(child.process.pid)
        for child in profile.children
        if first.purpose is Purpose.CHILD and any(map(_is_no_idling, stuck_threads(child)))
    ]
    if hanging:
        evidence[HANGING_CHILDREN] = ", ".join(hanging)
    lines = stuck_lines(group)
    asking = asking_child(first, profile)
    if asking:
        evidence["child_that_asks"] = f"{asking.pid} {asking.name}"
        evidence["its_stdin"] = asking.reading.call.peer or asking.reading.call.kind
    dying = workers_that_die(first, profile)
    if dying:
        evidence["workers_ended"] = dying
    if deadlock:
        evidence |= deadlock.evidence
        lines = (*lines[:1], *stuck_lines(deadlock.others))[:3]
    return Hit(
        evidence,
        first.held_ns,
        first.tid if len(group) == 1 and not dying else None,
        call.fd if len(group) == 1 else None,
        severity="high",
        lines=lines,
        title=deadlock.title if deadlock else _title(group, first, profile, itself=itself),
        advice=deadlock.advice if deadlock else _ITSELF if itself else _advice(first, profile),
    )


def _is_no_idling(one: Stuck) -> bool:
    return one.purpose not in (Purpose.WORK, Purpose.OTHER)


def _title(group: list[Stuck], first: Stuck, profile: ProcessProfile, *, itself: bool) -> str:
    who = f"Thread {first.tid} hangs" if len(group) == 1 else f"{len(group)} threads hang"
    held = group_held_text(group, profile)
    on = target_text(first.call)
    what = {
        Purpose.READER: f"in {first.call.syscall} to {on or 'a peer'}: nobody reads it",
        Purpose.ANSWER: f"in {first.call.syscall} from {on or 'a peer'}: no answer comes"
        + (", and its event loop serves nothing else meanwhile" if reads_in_loop(first) else ""),
        Purpose.CONNECTION: f"in connect to {on or 'a peer'}: it does not answer",
        Purpose.CHILD: _child_text(first, profile),
        Purpose.RESULT: result_text(first, profile),
        Purpose.WORK: _work_text(first, profile),
        Purpose.ROOM: "putting into a queue that is full: nobody takes from it",
        Purpose.FILE: f"in {first.call.syscall} of {on or 'a file'}: neither the file "
        "system nor the other end of a named pipe answers",
    }[first.purpose]
    if itself:
        what += ", for that is its own server: it asks itself, a deadlock"
    exiting = f", and the program cannot exit before {_it(group)}" if _exits(profile) else ""
    again = _sent_again(first, profile)
    lost = (
        f" (sent again {plural(again, 'time')} and not acknowledged: the network drops it, or that "
        "host is gone)"
        if again
        else ""
    )
    return f"{who} {what}{lost}; the call has not returned {held}{exiting}"


def _work_text(one: Stuck, profile: ProcessProfile) -> str:
    caller = calling_back(one, profile)
    return calling_back_text(caller, awaited_text(one)) if caller else handover_text(one)


def _sent_again(one: Stuck, profile: ProcessProfile) -> int:
    """Retransmissions of what it waits to have answered, where some of that is still not
    acknowledged."""
    return sum(
        row.retransmits or 0
        for row in profile.process.descriptors
        if (row.fd, row.kind) == (one.call.fd, "tcp") and row.unsent_bytes
    )


def _it(group: Sequence[Stuck]) -> str:
    return "it ends" if len(group) == 1 else "they end"


def _exits(profile: ProcessProfile) -> bool:
    """Whether the main thread has done its work, and the interpreter waits for the others."""
    main = next((one for one in in_calls(profile) if one.tid == profile.process.pid), None)
    return main is not None and any(map(_EXIT.search, map(named, main.call.stack)))


def _child_text(one: Stuck, profile: ProcessProfile) -> str:
    asking = asking_child(one, profile)
    if asking:
        return f"waiting for process {asking.pid} {asking.name}, which {_asking_text(asking)}"
    if not one.call.inherited_by:
        return "waiting for a child process that does not end"
    who = ", ".join(one.call.inherited_by[:MOST_NAMED])
    return (
        f"in {one.call.syscall} for the end of its child's output: the pipe is still open in "
        f"process {who}, which is no child of it and has inherited it"
    )


def _asking_text(asking: Asking) -> str:
    call = asking.reading.call
    if asking.kept_open:
        return "reads its stdin to the end: a pipe that only this process could close"
    where = "the terminal" if call.kind == "tty" else "the pipe"
    return (
        f"waits for input on its stdin, {where} that it has inherited ({call.peer}): it asks "
        "something, and nobody answers"
    )


_ITSELF = (
    "The program waits for an answer that only it could give, and whoever would give it waits "
    "here. Call the function in place of its URL; or ask with a client that does not block the "
    "loop (httpx.AsyncClient, aiohttp), from a `def` endpoint, or with more workers or threads "
    "than such requests at once. A timeout ends the wait, but no answer comes."
)
_ADVICE = {
    Purpose.READER: "Whoever has the other end does not read: find out what it does, or drop it. "
    "Give sends a timeout (settimeout); a pipe that a parent or a log shipper has should be read "
    "all the time, or be a file.",
    Purpose.ANSWER: "Give the call a timeout (requests: timeout=5; sockets: settimeout) and look "
    "at what the peer does: it has not answered. A database may wait itself, for a lock of a "
    "transaction that was never committed (PostgreSQL: pg_stat_activity and pg_locks; "
    "lock_timeout ends such waits).",
    Purpose.CONNECTION: "Give the connect a timeout of a second or two, and look whether the peer "
    "is up and its packets are let through.",
    Purpose.CHILD: "Look at what the child does, give the wait a timeout, and read its pipes "
    "while it runs (subprocess: communicate(timeout=...)).",
    Purpose.RESULT: "Give the wait a timeout (result(timeout=...)), and do not wait for work of "
    "an executor in that executor's own threads: when all of them wait, none is left to do it.",
    Purpose.WORK: "Look at the thread that should set the event or put into the queue: it may have "
    "ended with an exception (threading.excepthook tells), or wait itself; one that was started "
    "before a fork is not in the child. Give the wait a timeout and answer with an error.",
    Purpose.ROOM: "Look at why the consumers of the queue have stopped; put with a timeout.",
    Purpose.FILE: "Look at the file system (mount, disk, network file server); open named pipes "
    "with O_NONBLOCK; keep such files out of threads that serve.",
}


_INHERITED = (
    "What a child starts in the background inherits its stdout and stderr, and a pipe ends only "
    "when all who have it have closed it: start such a daemon with its output elsewhere "
    "(`daemon >/dev/null 2>&1 &`), do not capture the output of a command that starts one, or have "
    "it written to a file; communicate(timeout=...) returns, but reads on when called again."
)
_ASKS = (
    "A command that is run by a program gets no answer to a question: give it no input (stdin="
    "subprocess.DEVNULL), so that it fails in place of waiting, and tell it not to ask (--yes, "
    "--batch, -n; git: GIT_TERMINAL_PROMPT=0; ssh: -o BatchMode=yes; apt: -y). What it asks is in "
    "the output that is captured: run it by hand to see it. Give the wait a timeout."
)
_KEPT_OPEN = (
    "Close the child's stdin when all is written (process.stdin.close()), or use communicate("
    "input), which does; where it needs no input: stdin=subprocess.DEVNULL."
)
_DYING = (
    "multiprocessing.Pool replaces a worker that ends, whatever it ended of, and never gives up. "
    "See what the workers write to stderr: an initializer that raises (initializer=), a main "
    'module without `if __name__ == "__main__":` where processes are spawned, a crash, a limit of '
    "memory (dmesg). concurrent.futures.ProcessPoolExecutor raises BrokenProcessPool instead."
)
_UNDONE = (
    "join() returns when task_done() was called for each item: call it in a finally clause, and "
    "catch exceptions in the worker's loop, as a thread that raises ends (its traceback is in "
    "stderr) and leaves its item undone and the rest untaken. Or use a ThreadPoolExecutor, whose "
    "results raise."
)
_EXIT_ADVICE = (
    "At its exit the interpreter joins all threads that are no daemons, and those of executors, "
    "even after shutdown(wait=False). "
)


def _advice(first: Stuck, profile: ProcessProfile) -> str:
    if first.call.inherited_by:
        return _INHERITED
    if calling_back(first, profile):
        return CALLING_BACK
    if first.purpose is Purpose.ANSWER and reads_in_loop(first) and not first.own:
        return IN_READING_LOOP
    if in_loop(first) and first.purpose in (Purpose.RESULT, Purpose.WORK):
        return IN_LOOP
    if first.purpose is Purpose.RESULT and left_behind(first, profile):
        return FORKED
    asking = asking_child(first, profile)
    if asking:
        return _KEPT_OPEN if asking.kept_open else _ASKS
    if workers_that_die(first, profile):
        return _DYING
    if joins_queue(first.call.stack):
        return _UNDONE
    if first.purpose is Purpose.RESULT and idle_workers(first, profile):
        return (
            "multiprocessing.Pool does not notice when a worker dies with its task (killed for "
            "want of memory: see dmesg; a crash in native code). ProcessPoolExecutor raises "
            "BrokenProcessPool instead; or give the wait a timeout (get(timeout=...))."
        )
    if first.purpose is Purpose.READER and first.call.fd in (1, 2) and first.call.kind in PIPES:
        return (
            "Whoever reads this process's output has stopped: look at what has the other end of "
            f"the pipe (`sudo lsof +E -a -p PID -d {first.call.fd}` lists it: a log shipper, the "
            "parent), or send the output to a file. Log by way of logging.handlers.QueueHandler, "
            "so that no request waits for the log."
        )
    return (_EXIT_ADVICE if _exits(profile) else "") + _ADVICE[first.purpose]


def _has_the_lock(cause: Hit, symptom: Hit) -> bool:
    """The thread that most likely has the lock hangs there: its line is the symptom's last."""
    waits = {line.wait for line in cause.lines}
    return any(line.wait and line.wait in waits for line in symptom.lines[-1:])


def _replaces_workers(cause: Hit, symptom: Hit) -> bool:
    """The pool's own thread starts workers and looks for those that have ended, all the time."""
    return "workers_ended" in cause.evidence


STUCK = Rule(
    "IO140",
    "A call has not returned: a thread hangs",
    "Look at the line, and at what it waits for; give the call a timeout.",
    _stuck,
    explains={
        "IO103": covers, "IO104": covers, "IO105": always, "IO106": _replaces_workers,
        "IO111": covers, "IO112": _replaces_workers, "IO118": covers,
        "IO119": covers, "IO141": _has_the_lock, "IO142": always, "IO146": always, "IO152": always,
        "IO165": always, "IO171": always, "IO175": _replaces_workers, "IO185": always,
        "IO187": always,
    },
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)  # fmt: skip
