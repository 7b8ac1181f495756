# SPDX-License-Identifier: Apache-2.0
"""What helps against calls that do not return, by what they wait for."""

from __future__ import annotations

import re

from iotrace.report.model import Thread
from iotrace.verdict.asking_children import asking_child
from iotrace.verdict.callbacks import CALLING_BACK, IN_READING_LOOP, calling_back, reads_in_loop
from iotrace.verdict.databases import DATABASE, may_be_database
from iotrace.verdict.frames import named
from iotrace.verdict.handovers import FORKED, IN_LOOP, idle_workers, in_loop, left_behind
from iotrace.verdict.lone_waits import NOBODY_GIVES, UNREAD, nobody_gives, unread_peer
from iotrace.verdict.lost_results import (
    POOL_ENDED,
    READER_ENDED,
    pool_has_ended,
    reader_has_ended,
    workers_that_die,
)
from iotrace.verdict.native_clients import IN_VAIN, sender
from iotrace.verdict.own_pipes import NOBODY_WRITES, feeds_queue, nobody_writes
from iotrace.verdict.own_transactions import OWN_TRANSACTION, other_connections
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, joins_queue
from iotrace.verdict.reader_threads import BY_READER, reader_for
from iotrace.verdict.stuck import Stuck, in_calls
from iotrace.vocabulary.kinds import PIPES

_EXIT = re.compile(
    r"/threading\.py:_shutdown$|/thread\.py:_python_exit$"
    r"|/multiprocess(?:ing)?/util\.py:_exit_function$"
)
ITSELF = (
    "The program waits for an answer that only it could give, and whoever would give it waits "
    "here. Call the function in place of its URL; or ask with a client that does not block the "
    "loop (httpx.AsyncClient, aiohttp), from a `def` endpoint, or with more workers or threads "
    "than such requests at once. A timeout ends the wait, but no answer comes."
)
_CONSUMER = (
    " The process is a client of Kafka (librdkafka's threads are in it). If this thread is its "
    "consumer's, it takes no next message and does not call poll() meanwhile: a rebalance of the "
    "group waits for that, so new consumers get no partitions, and after max.poll.interval.ms this "
    "one is put out of the group. Do the slow part in a thread of its own and poll() on (pause() "
    "the partitions), or end it sooner."
)
_ADVICE = {
    Purpose.READER: "Whoever has the other end does not read: find out what it does, or drop it. "
    "Give sends a timeout (settimeout); a pipe that a parent or a log shipper has should be read "
    "all the time, or be a file.",
    Purpose.ANSWER: "Give the call a timeout (requests: timeout=5; sockets: settimeout) and look "
    "at what the peer does: it has not answered.",
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


INHERITED = (
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


_FEEDER = (
    "Who has put items into a multiprocessing.Queue does not end before they are in the pipe: a "
    "pipe holds 64 KiB, and what waits in the queue beyond that is written by its feeder thread as "
    "somebody reads. Take all items with get() before joining the process that put them, or before "
    "the end; if they are not wanted: queue.cancel_join_thread(). A queue.Queue is enough among "
    "threads."
)


def advice_of(first: Stuck, profile: ProcessProfile) -> str:
    """What to do about a thread that is stuck so."""
    if first.call.inherited_by:
        return INHERITED
    if nobody_writes(first, profile):
        return NOBODY_WRITES
    if calling_back(first, profile):
        return CALLING_BACK
    if first.purpose is Purpose.ANSWER and reads_in_loop(first) and not first.own:
        return IN_READING_LOOP
    if reader_for(first, profile):
        return BY_READER
    if sender(first, profile):
        return IN_VAIN
    if other_connections(first, profile):
        return OWN_TRANSACTION
    if in_loop(first) and first.purpose in (Purpose.RESULT, Purpose.WORK):
        return IN_LOOP
    if nobody_gives(first, profile):
        return (UNREAD if unread_peer(profile) else "") + NOBODY_GIVES
    if first.purpose is Purpose.RESULT and left_behind(first, profile):
        return FORKED
    asking = asking_child(first, profile)
    if asking:
        return _KEPT_OPEN if asking.kept_open else _ASKS
    if workers_that_die(first, profile):
        return _DYING
    if joins_queue(first.call.stack):
        return _UNDONE
    if reader_has_ended(first, profile):
        return READER_ENDED
    if pool_has_ended(first, profile):
        return POOL_ENDED
    if first.purpose is Purpose.RESULT and idle_workers(first, profile):
        return (
            "multiprocessing.Pool does not notice when a worker dies with its task (killed for "
            "want of memory: see dmesg; a crash in native code) or ends itself: sys.exit() in a "
            "task or in a signal handler is no result for it (raise another exception there). "
            "ProcessPoolExecutor raises BrokenProcessPool instead; or give the wait a timeout "
            "(get(timeout=...))."
        )
    if feeds_queue(first):
        return _FEEDER
    if first.purpose is Purpose.READER and first.call.fd in (1, 2) and first.call.kind in PIPES:
        return (
            "Whoever reads this process's output has stopped: look at what has the other end of "
            f"the pipe (`sudo lsof +E -a -p PID -d {first.call.fd}` lists it: a log shipper, the "
            "parent), or send the output to a file. Log by way of logging.handlers.QueueHandler, "
            "so that no request waits for the log."
        )
    return (
        (_EXIT_ADVICE if exits(profile) else "")
        + _ADVICE[first.purpose]
        + (DATABASE if _may_be_of_database(first) else "")
        + (_CONSUMER if _consumes(first, profile) else "")
    )


def _consumes(first: Stuck, profile: ProcessProfile) -> bool:
    """Whether the program's own code waits for a peer, and the process has threads of Kafka's
    library."""
    peers = (Purpose.ANSWER, Purpose.CONNECTION, Purpose.READER)
    threads = profile.process.threads
    return first.own and first.purpose in peers and any(map(_of_librdkafka, threads))


def _of_librdkafka(row: Thread) -> bool:
    return row.name.startswith("rdk:")


def _may_be_of_database(first: Stuck) -> bool:
    return first.purpose is Purpose.ANSWER and may_be_database(first.call.stack)


def exits(profile: ProcessProfile) -> bool:
    """Whether the main thread has done its work, and the interpreter waits for the others."""
    main = next((one for one in in_calls(profile) if one.tid == profile.process.pid), None)
    return main is not None and any(map(_EXIT.search, map(named, main.call.stack)))
