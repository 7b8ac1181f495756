# SPDX-License-Identifier: Apache-2.0
"""A call that has not returned: an answer that does not come, a pipe that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.stacks import InCall
from iotrace.verdict.asking_children import Asking, asking_child
from iotrace.verdict.callbacks import (
    calling_back,
    calling_back_text,
    reads_in_loop,
)
from iotrace.verdict.deadlocks import Deadlock, deadlock_of, writers_to
from iotrace.verdict.family_evidence import HANGING_CHILDREN
from iotrace.verdict.handovers import (
    STANDS_STILL,
    awaited_text,
    handover_text,
    in_loop,
    left_behind,
    result_text,
    waits_in_request,
)
from iotrace.verdict.lone_waits import LEFT_ALONE, nobody_gives, unread_peer
from iotrace.verdict.lost_results import workers_that_die
from iotrace.verdict.native_clients import sender, sender_text, served_peer
from iotrace.verdict.number_formats import plural
from iotrace.verdict.own_pipes import (
    feeds_queue,
    feeds_queue_text,
    nobody_writes,
    nobody_writes_text,
)
from iotrace.verdict.own_transactions import other_connections, own_transaction_text
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, asks
from iotrace.verdict.reader_threads import reader_for, reader_text
from iotrace.verdict.rules.accept_paused import keeps_from_accepting
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.stuck import (
    Stuck,
    began_text,
    group_held_text,
    place_text,
    stuck_lines,
    stuck_threads,
    target_text,
)
from iotrace.verdict.stuck_advice import ITSELF, advice_of, exits
from iotrace.verdict.work_in_progress import below, is_worked_at
from iotrace.verdict.worker_processes import asked_text, asking_worker
from iotrace.vocabulary.calls import FAMILIES
from iotrace.vocabulary.kinds import SOCKETS

MOST_NAMED = 3
_KEEPS_FROM_TAKING = (
    Purpose.ANSWER, Purpose.CONNECTION, Purpose.CHILD, Purpose.READER, Purpose.FILE,
)  # fmt: skip
_NO_ROOM = "; a queue of the program is full meanwhile, and who puts into it waits for room"
_TOLD_OF_LOOPS = (Purpose.RESULT, Purpose.WORK)
"""What is waited for there is told with the loop, where there is one."""


def _stuck(profile: ProcessProfile) -> Iterator[Hit]:
    groups: dict[object, list[Stuck]] = {}
    stuck = stuck_threads(profile)
    putting = [one for one in stuck if one.purpose is Purpose.ROOM]
    for one in stuck:
        if _hangs(one, profile, needed=bool(putting)):
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
    taking = [group for group in groups.values() if group[0].purpose in _KEEPS_FROM_TAKING]
    for group, deadlock in zip(groups.values(), deadlocks, strict=True):
        if group[0].purpose is Purpose.ROOM and taking:
            continue  # told with what keeps the other threads, most likely those that take from it
        if of_pool and not deadlock and group[0].purpose is Purpose.RESULT:
            continue  # these wait for what those that are in the deadlock do not give
        if deadlock or not all(one.tid in told for one in group):
            full = putting if group in taking else []
            yield _hit(group, deadlock, full, profile)


def _hangs(one: Stuck, profile: ProcessProfile, *, needed: bool) -> bool:
    """Whether somebody waits for it, or nothing normal takes as long. ``needed``: other threads
    wait for room in a queue."""
    if waits_in_request(one) or calling_back(one, profile) or reader_for(one, profile):
        return True
    if one.purpose in (Purpose.READER, Purpose.FILE, Purpose.CONNECTION, Purpose.ROOM):
        return True
    if sender(one, profile):
        return True
    if writers_to(one, profile) or nobody_writes(one, profile) or nobody_gives(one, profile):
        return True
    if one.purpose is Purpose.CHILD:
        asked = asking_child(one, profile) is not None
        return one.serves or bool(one.call.inherited_by) or asked
    if one.purpose is Purpose.RESULT:
        return one.own and not is_worked_at(one, profile)
    if one.purpose is not Purpose.ANSWER:
        return False
    asked = reads_in_loop(one) or (needed and one.own)
    return _owes_answer(one, profile) or (asked and _outgoing(one.call, profile))


def _owes_answer(one: Stuck, profile: ProcessProfile) -> bool:
    """It waits for a server that it has asked, in a call of the program's own code.

    A worker process that a library runs counts as such. Where nothing tells that it has asked, it
    may listen to what the server sends when it likes.
    """
    if one.call.kind not in SOCKETS or not _outgoing(one.call, profile):
        return False
    if asking_worker(one, profile):
        return True
    if one.call.syscall in FAMILIES and one.call.fd is None:
        return one.own  # it has a peer as that was asked, and never said anything
    return one.own and (asks(one.call.stack) or one.serves or _sent_before(one.call, profile))


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


def _hit(
    group: list[Stuck], deadlock: Deadlock | None, putting: Sequence[Stuck], profile: ProcessProfile
) -> Hit:
    """``putting``: threads that wait for room in a queue meanwhile."""
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
    polls = sum(one.polls for one in group)
    if polls:
        evidence["polls_that_timed_out"] = polls
    if itself:
        evidence["that_is"] = "this program's own listener"
    evidence |= {
        "threads": len(group),
        "waited_ns": first.held_ns,
        "began": began_text(first),
    }
    reader = reader_for(first, profile)
    if reader and reader.call.peer:
        evidence["peer"] = reader.call.peer
    if sender(first, profile) and served_peer(profile):
        evidence["peer"] = served_peer(profile)
    others = [pid for pid in call.others if pid != profile.process.pid]
    if others:
        evidence["other_end_has"] = ", ".join(map(str, others))
    hanging = [
        str(child.process.pid)
        for child in (below(profile) if deadlock else profile.children)
        if first.purpose is Purpose.CHILD and any(map(_is_no_idling, stuck_threads(child)))
    ]
    if hanging:
        evidence[HANGING_CHILDREN] = ", ".join(hanging)
    lines = stuck_lines(group)
    asking = asking_child(first, profile)
    if asking:
        evidence["child_that_asks"] = f"{asking.pid} {asking.name}"
        evidence["its_stdin"] = asking.reading.call.peer or asking.reading.call.kind
    connections = other_connections(first, profile)
    if connections:
        evidence["other_connections_to_it"] = connections
    dying = workers_that_die(first, profile)
    if dying:
        evidence["workers_ended"] = dying
    if putting:
        evidence["threads_putting_into_a_full_queue"] = len(putting)
        lines = (*lines[:2], *stuck_lines(putting))[:3]
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
        title=(deadlock.title if deadlock else _title(group, first, profile, itself=itself))
        + (_NO_ROOM if putting else ""),
        advice=deadlock.advice if deadlock else ITSELF if itself else advice_of(first, profile),
    )


def _is_no_idling(one: Stuck) -> bool:
    return one.purpose not in (Purpose.WORK, Purpose.OTHER)


def _title(group: list[Stuck], first: Stuck, profile: ProcessProfile, *, itself: bool) -> str:
    who = f"Thread {first.tid} hangs" if len(group) == 1 else f"{len(group)} threads hang"
    held = group_held_text(group, profile)
    on = target_text(first.call)
    asker = asking_worker(first, profile)
    what = {
        Purpose.READER: f"in {first.call.syscall} to {on or 'a peer'}: nobody reads it",
        Purpose.ANSWER: f"in {first.call.syscall} from {on or 'a peer'}"
        f"{asked_text(asker) if asker else ''}: no answer comes",
        Purpose.CONNECTION: f"in connect to {on or 'a peer'}: it does not answer",
        Purpose.CHILD: _child_text(first, profile),
        Purpose.RESULT: result_text(first, profile),
        Purpose.WORK: _work_text(first, profile),
        Purpose.ROOM: "putting into a queue that is full: nobody takes from it",
        Purpose.FILE: f"in {first.call.syscall} of {on or 'a file'}: {_no_file(first)}",
    }[first.purpose]
    if first.purpose not in _TOLD_OF_LOOPS and (reads_in_loop(first) or in_loop(first)):
        what += f", and {STANDS_STILL}"
    if nobody_writes(first, profile):
        what = nobody_writes_text(first)
    if feeds_queue(first):
        what = feeds_queue_text(first, profile)
    if itself:
        what += ", for that is its own server: it asks itself, a deadlock"
    connections = other_connections(first, profile)
    if connections:
        what += own_transaction_text(connections)
    exiting = f", and the program cannot exit before {_it(group)}" if exits(profile) else ""
    again = _sent_again(first, profile)
    lost = (
        f" (sent again {plural(again, 'time')} and not acknowledged: the network drops it, or that "
        "host is gone)"
        if again
        else ""
    )
    return f"{who} {what}{lost}; {_returned_text(group)} {held}{exiting}"


def _returned_text(group: Sequence[Stuck]) -> str:
    """ "the call has not returned"."""
    polls = sum(one.polls for one in group)
    if polls:
        of_it = "it looks" if len(group) == 1 else "they look"
        return f"{of_it} for that again and again, and {plural(polls, 'poll')} in a row timed out,"
    return f"{'the call has' if len(group) == 1 else 'these calls have'} not returned"


def _no_file(one: Stuck) -> str:
    if one.call.allowed_by:
        who = ", ".join(f"process {each}" for each in one.call.allowed_by)
        return f"{who} has to allow it (fanotify: an antivirus or the like), and does not answer"
    return "neither the file system nor the other end of a named pipe answers"


def _work_text(one: Stuck, profile: ProcessProfile) -> str:
    caller = calling_back(one, profile)
    if caller:
        return calling_back_text(caller, awaited_text(one))
    reader = reader_for(one, profile)
    if reader:
        return reader_text(one, reader)
    sends = sender(one, profile)
    if sends:
        return sender_text(sends, served_peer(profile))
    if nobody_gives(one, profile) and not waits_in_request(one):
        peer = unread_peer(profile)
        unread = f"; what {peer} has sent lies unread" if peer else ""
        return f"waiting for {awaited_text(one)}, {LEFT_ALONE}{unread}"
    return handover_text(one)


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
        "IO186": keeps_from_accepting, "IO187": always, "IO208": always, "IO212": covers,
    },
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)  # fmt: skip
