# SPDX-License-Identifier: Apache-2.0
"""Waits for work that comes over a connection that the process itself has opened.

A consumer asks its broker for the next job and sleeps until there is one. The calls are those of a
request that is answered late; only the Python function that makes them tells the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from iotrace.report.stacks import Frame, Line
from iotrace.verdict.frames import (
    in_library,
    library_frames,
    named,
)
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.request_entries import handles_one

CONSUMES_SHARE = 0.8
"""Of the time of a consumer's thread that has a stack, below the library's function."""
IDLE_SHARE = 0.2
"""Of the time of consumers, waiting for the next message, for which they keep up."""
_FUNCTIONS = {
    "/redis/": (
        "blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop",
        "xread", "xreadgroup", "get_message", "listen",
    ),
    "/rq/": ("dequeue_any", "dequeue_job_and_maintain_ttl"),
    "/kombu/": ("drain_events", "_brpop_read"),
    "/celery/": ("synloop", "asynloop"),
    "/pika/": ("start_consuming", "process_data_events", "consume"),
    "/amqp/": ("drain_events",),
    "/kafka/": ("_poll_once", "_message_generator_v2", "poll"),
    "/stomp/": ("__receiver_loop", "_StompTransport__receiver_loop"),
    "/paho/": ("_loop", "loop_forever"),
    "/websocket/": ("run_forever", "dispatch"),
    "/psycopg/": ("notifies",),
    "/dramatiq/": ("__next__",),
    "/zmq/": ("poll", "recv", "recv_multipart"),
    "/imapclient/": ("idle_check",),
    "/imap_tools/idle.py": ("wait", "poll"),
    "/telebot/": ("get_updates",),
    "/telegram/": ("get_updates",),
}  # fmt: skip
"""Functions that wait for work, by a part of the path of their library."""


_POPS = frozenset(
    ("blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop")
)
"""Of those, what takes one thing that somebody else is to put there: in a request that is the
answer to what it has asked. Others wait for news, as a stream or a long poll does."""
_POOL_WORKER = re.compile(
    r"/(?:billiard|multiprocessing)/pool\.py:(?:workloop|worker)$"
    r"|/(?:concurrent/futures/process|loky/process_executor)\.py:_process_worker$"
)
"""What the processes of a pool run: one job after the other."""
_HANDS_OVER = re.compile(r"/(?:billiard|multiprocessing|loky)/\w+\.py$")
_JOB = re.compile(
    r"/celery/app/trace\.py:(?:trace_task|__protected_call__)$|/rq/job\.py:(?:_execute|perform)$"
    r"|/dramatiq/actor\.py:__call__$|/huey/api\.py:_?execute$"
)
"""Functions of task queues that have one job in hand. A command, or a thread of a pool, may well be
what fetches jobs."""


def waits_for_work(line: Line) -> bool:
    """Whether this stack waits for the next message or job rather than for an answer: in a library,
    not in what of the program's own has called for a message; and in no job or request, which waits
    for the answer to what it has asked for."""
    for frame in line.stack:
        if _fetches(frame):
            outer = line.stack[len(library_frames(line.stack)) :]
            pops = frame.plain_function in _POPS
            return not _is_in(_JOB, outer) and not (pops and handles_one(outer))
        if not in_library(frame):
            return False
    return False


def waits_for_job(stack: Sequence[Frame]) -> bool:
    """Whether a process of a pool waits for its next job."""
    for frame in stack:
        if _POOL_WORKER.search(named(frame)):
            return True
        if not _HANDS_OVER.search(frame.file):
            return False
    return False


def is_of_job(stack: Sequence[Frame]) -> bool:
    """Whether a task queue has called what is on the stack for a job."""
    return _is_in(_JOB, stack)


def _is_in(pattern: re.Pattern[str], stack: Sequence[Frame]) -> bool:
    return any(pattern.search(named(frame)) for frame in stack)


def fetches(stack: Sequence[Frame]) -> bool:
    """Whether some function that waits for messages is on the stack, whoever has called it."""
    return any(map(_fetches, stack))


def called_back_by(line: Line) -> Frame | None:
    """The function that waits for messages and has called the program's own code for one, which
    this stack is in; None if it is in no such callback."""
    inner = library_frames(line.stack)
    return next(filter(_fetches, line.stack[len(inner) :]), None)


def _is_consumer(tid: int, profile: ProcessProfile) -> bool:
    """Whether a thread serves nobody but a library that calls it back for messages, or a pool of
    processes that hands it jobs: while it is at one, only the next one waits."""
    if profile.listening_ports() or profile.process.requests or profile.total.accepts.ok:
        return False
    spent = [(one.wait_ns, one.stack) for one in profile.process.lines if one.tid == tid]
    spent += [(one.cpu_ns, one.stack) for one in profile.process.cpu_samples if one.tid == tid]
    called = sum(ns for ns, stack in spent if any(map(_calls_back, stack)))
    return called >= CONSUMES_SHARE * sum(ns for ns, _ in spent) > 0


def has_time(tids: Collection[int], profile: ProcessProfile) -> bool:
    """Whether these threads, all consumers, wait for the next message for much of their time: they
    keep up."""
    alive = profile.threads.keys()  # lines may be of one that has ended, and was added up
    if not tids or not all(tid in alive and _is_consumer(tid, profile) for tid in tids):
        return False
    waited = sum(
        one.wait_ns
        for one in profile.process.lines
        if one.tid in tids and (waits_for_work(one) or waits_for_job(one.stack))
    )
    return waited >= IDLE_SHARE * sum(profile.threads[tid].lifetime_ns for tid in tids)


def mostly_for_work(lines: Collection[Line]) -> bool:
    """Whether most of what was waited in these calls was for work."""
    waited = sum(line.wait_ns for line in lines)
    return 2 * sum(line.wait_ns for line in lines if waits_for_work(line)) > waited


def _calls_back(frame: Frame) -> bool:
    return _fetches(frame) or _POOL_WORKER.search(named(frame)) is not None


def _fetches(frame: Frame) -> bool:
    return any(
        part in frame.file and frame.plain_function in functions
        for part, functions in _FUNCTIONS.items()
    )
