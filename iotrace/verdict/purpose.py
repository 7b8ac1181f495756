# SPDX-License-Identifier: Apache-2.0
"""What a sleeping thread waits for, by its call and by the library functions on its stack.

A thread that waits for work sleeps as deep as one that hangs. What tells them apart is who called:
queue.get() of a worker's loop, or the pool that has no connection left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from iotrace.report.stacks import Frame, InCall
from iotrace.verdict.frames import (
    entry_of,
    in_library,
    in_package,
    library_frames,
    named,
    package_of,
    short_name,
    since_fork,
)
from iotrace.vocabulary.calls import (
    ACCEPTS,
    CONNECTS,
    FAMILIES,
    FILE_CALLS,
    LOCKS,
    READS,
    SLEEPS,
    WRITES,
)
from iotrace.vocabulary.kinds import FILES, INTERPRETER_KINDS, NO_FDS, PIPES_AND_TERMINALS, SOCKETS


class Purpose(Enum):
    """What a call waits for."""

    WORK = "work"
    """Nobody waits for it: workers without a task, listeners, timers, the main thread's join."""
    ANSWER = "answer"
    """Data from a peer, or that a peer takes it; from a pipe, or that somebody reads it."""
    READER = "reader"
    CONNECTION = "connection"
    """That a peer accepts."""
    POOL = "pool"
    """A free connection of a pool."""
    RESULT = "result"
    """What another thread or process of this program is to compute."""
    ROOM = "room"
    """A full queue of this program."""
    LOCK = "lock"
    CHILD = "child"
    FILE = "file"
    OTHER = "other"


def purpose_of(call: InCall) -> Purpose:
    """What the call waits for."""
    library = library_frames(call.stack)
    waits = call.syscall in LOCKS or call.syscall in FAMILIES
    if waits and call.kind not in INTERPRETER_KINDS and _waits_for_connection(call, library):
        return Purpose.POOL
    if _any(library, _FOR_WORK):
        return Purpose.WORK
    if call.syscall in ACCEPTS or call.syscall in SLEEPS or call.kind == NO_FDS:
        return Purpose.WORK
    if waits:
        return _of_lock_or_poll(call, library)
    if call.syscall in CONNECTS:
        return Purpose.CONNECTION
    if call.syscall in ("wait4", "waitid"):
        return Purpose.CHILD
    streams = call.kind in SOCKETS | PIPES_AND_TERMINALS
    if call.syscall in WRITES and streams:
        return Purpose.READER
    if call.syscall in READS and streams:
        return Purpose.ANSWER
    if call.kind in FILES or call.syscall in FILE_CALLS:
        return Purpose.FILE
    return Purpose.OTHER


def _waits_for_connection(call: InCall, library: Sequence[Frame]) -> bool:
    """Whether a function that takes a connection out of a pool waits there, and not what it does
    with one that it has got: it looks whether it still lives, or makes it."""
    stack = call.stack
    for place, frame in enumerate(stack[: len(library) + 1]):
        if takes_connection(frame):
            if not place and call.syscall in LOCKS and in_library(frame):
                return False  # the pool's own lock: a condition, queue or semaphore has a frame
            return not _works_for(frame, stack) and not any(
                _USES_CONNECTION.search(short_name(one)) for one in stack[:place]
            )
    return False


def _of_lock_or_poll(call: InCall, library: Sequence[Frame]) -> Purpose:
    if call.syscall in FAMILIES:
        if _any(library, _FOR_CHILD):
            return Purpose.CHILD
        if call.kind not in SOCKETS or (call.fd is None and not call.peer):
            return Purpose.WORK
        return Purpose.CONNECTION if _any(library[:1], _CONNECTS) else Purpose.ANSWER
    if call.kind in INTERPRETER_KINDS:
        return Purpose.OTHER
    if _any(library, _FOR_RESULT):
        return Purpose.RESULT
    if _any(library, _FOR_ROOM):
        return Purpose.ROOM
    if handles_request(call.stack) and not _any(library[:1], _CONDITIONS):
        return Purpose.LOCK
    if not call.stack or len(library) == len(call.stack):
        return Purpose.LOCK if _any(library, _TAKES_LOCK) else Purpose.WORK
    if _any(library[:1], _CONDITIONS):
        return Purpose.WORK
    return Purpose.LOCK


def serves(stack: Sequence[Frame]) -> bool:
    """Whether somebody outside waits: a server or a task queue has called the program's code."""
    outer = since_fork(stack)[len(library_frames(stack)) :]
    return _in_worker_of_anyio(outer) or any(
        _SERVER.search(frame.file) for frame in outer if in_library(frame)
    )


def _in_worker_of_anyio(stack: Sequence[Frame]) -> bool:
    """Whether it is what a coroutine has handed to a thread (FastAPI: a plain def)."""
    return any(
        inner.file.endswith("/anyio/_backends/_asyncio.py") and outer.file.endswith("/threading.py")
        for inner, outer in pairwise(stack)
    )


def handles_request(stack: Sequence[Frame]) -> bool:
    """Whether a server has called another package's code, which is where it is: a framework, with
    no frame of the program's own yet."""
    if not stack or not in_package(stack[0]):
        return False
    return any(
        _HANDLES.search(named(frame)) and package_of(frame) != package_of(stack[0])
        for frame in stack[1:]
    )


def asks(stack: Sequence[Frame]) -> bool:
    """Whether a library waits for the answer to what it has asked: HTTP, SQL, mail, a handshake."""
    return any(_CLIENT.search(named(frame)) for frame in library_frames(stack))


def takes_shared_lock(frame: Frame) -> bool:
    """Whether a library's function takes a lock that other programs may have: one in Redis, in a
    database, of a file."""
    place = f"{frame.file.rsplit('-packages/', 1)[-1]}:{frame.function}"
    return bool(
        in_package(frame) and _TAKES_SHARED.search(short_name(frame)) and _LOCK.search(place)
    )


def captures_output(stack: Sequence[Frame]) -> bool:
    """Whether the parent of a child process reads the child's output until its end."""
    return _any(library_frames(stack), _FOR_CHILD)


def awaits_result(stack: Sequence[Frame]) -> bool:
    """Whether it waits for what other threads or processes compute, or for these to end."""
    return _any(library_frames(stack), _FOR_RESULT) or joins(stack)


def joins_queue(stack: Sequence[Frame]) -> bool:
    """Whether it waits until all items of a queue are done."""
    return _any(library_frames(stack), _JOINS_QUEUE)


def joins(stack: Sequence[Frame]) -> bool:
    """Whether the program's own code waits for a thread to end."""
    library = library_frames(stack)
    return len(library) < len(stack) and _any(library, _JOINS)


_SERVER = re.compile(
    r"/(?:socketserver|http/server|xmlrpc/server|wsgiref/\w+)\.py$"
    r"|/(?:gunicorn|uvicorn|hypercorn|daphne|waitress|cheroot|cherrypy|werkzeug|flask|django"
    r"|starlette|fastapi|bottle|tornado|aiohttp|eventlet|gevent|grpc|twisted|falcon|pyramid"
    r"|celery|rq|dramatiq|huey|asgiref|sanic|zmq|kombu)(?:/|\.py$)"
    r"|/concurrent/futures/\w+\.py$|/multiprocess(?:ing)?/pool\.py$"
)
_HANDLES = re.compile(
    r"/gunicorn/workers/\w+\.py:handle_request|/werkzeug/serving\.py:run_wsgi"
    r"|/waitress/(?:task|channel)\.py:service|/(?:cheroot|cherrypy)/\S+:respond"
    r"|/(?:gevent/pywsgi|eventlet/wsgi)\.py:handle_one_response"
    r"|/(?:socketserver\.py:finish_request|wsgiref/handlers\.py:run)$"
)
_CLIENT = re.compile(
    r"/(?:http/client|ssl|smtplib|ftplib|imaplib|poplib|telnetlib|xmlrpc/client|urllib/request)\.py:"
    r"|/(?:requests|urllib3|httpx|httpcore|psycopg2?|pymysql|MySQLdb|mysql|pg8000|sqlalchemy|redis"
    r"|pymongo|cassandra|ldap3|paramiko|botocore|elasticsearch|clickhouse_driver|pymssql|oracledb"
    r"|peewee|django/db|aiohttp|confluent_kafka|grpc/_channel)(?:/|\.py:)"
)
_FOR_WORK = re.compile(
    r"(?:concurrent/futures/(?:thread|process)\.py:_(?:worker|process_worker)"
    r"|queue\.py:get|queues\.py:get|simple_queue.*:get|threading\.py:(?:join|_shutdown"
    r"|_wait_for_tstate_lock)|_thread_cache\.py:_work|waitress/task\.py:handler_thread"
    r"|workers/threadpool\.py:run|anyio/_backends/_asyncio\.py:run|multiprocess(?:ing)?/pool\.py:"
    r"(?:worker|_handle_\w+|_wait_for_updates)|logging/handlers\.py:_monitor"
    r"|asyncio/base_events\.py:_run_once|serve_forever|signal\w*\.py:\w+"
    r"|billiard/\S+:(?:wait_for_job|recv|_do_exit)"
    r"|.*:(?:blpop|brpop|brpoplpush|bzpopmin|bzpopmax|blmove|xread|xreadgroup|listen|get_message"
    r"|consume|consuming|start_consuming|drain_events|notifies|wait_for_notify|recv_message"
    r"|next_message|poll_messages|dequeue_any|run_forever|recv_events|handle_events|subscribe"
    r"|idle_check|wait_server_push)"
    r"|psycopg_pool/\w+\.py:(?:worker|run)|pymongo/(?:\w+/)*change_stream\.py:\w+)$"
)
_FOR_RESULT = re.compile(
    r"(?:concurrent/futures/_base\.py:(?:result|exception|wait|as_completed|result_iterator)"
    r"|concurrent/futures/thread\.py:shutdown"
    r"|multiprocess(?:ing)?/pool\.py:(?:get|wait|map|starmap|apply|next)"
    r"|multiprocess(?:ing)?/\w+\.py:join|/queue\.py:join|asgiref/sync\.py:\w+|anyio/from_thread\.py:\w+"
    r"|-packages/\S+:_*(?:get_|wait_|wait_for_)?result)$"
)
_CONNECTS = re.compile(r":_?(?:sock_)?connect(?:_socket)?$")
_FOR_CHILD = re.compile(r"/subprocess\.py:_communicate$")
_JOINS_QUEUE = re.compile(r"/queues?\.py:join$")
_JOINS = re.compile(r"threading\.py:(?:join|_wait_for_tstate_lock)$")
_FOR_ROOM = re.compile(r"queues?\.py:put$")
_TAKES_LOCK = re.compile(
    r"(?:logging/\S*:(?:acquire|handle|emit|flush|_acquireLock)|threading\.py:(?:acquire|__enter__)"
    r"|<frozen importlib\._bootstrap>:(?:acquire|_lock_unlock_module|__enter__))$"
)
_TAKES_SHARED = re.compile(r"^_?(?:do_)?(?:acquire|lock|obtain|block|__a?enter__)(?:_lock)?$")
_LOCK = re.compile(r"(?<![bc])lock|mutex|semaphore", re.IGNORECASE)
_CONDITIONS = re.compile(r"(?:threading|synchronize)\.py:(?:wait|wait_for|_wait)$")
_POOLED = re.compile(r"pool(?!s?/__init__)", re.IGNORECASE)
_TAKES = re.compile(
    r"^_?(?:do_)?(?:get|getconn|get_conn|get_connection|acquire|acquire_connection|checkout"
    r"|check_out|borrow|take|wait_for_connection|connection|_?wait)$|wait_for_connection",
    re.IGNORECASE,
)
_USES_CONNECTION = re.compile(
    r"^_*(?:can_read|read(?!y|er)\w*|recv\w*|send\w*|connect|on_connect|ping|check_health|check"
    r"_connection|reset|execute\w*|do_handshake|new_conn|create_connection)$"
)
_CLIENT_POOL = re.compile(
    r"redis/connection\.py:get_connection|kombu/resource\.py:acquire|:_?(?:get|acquire|borrow)"
    r"_(?:db_)?conn(?:ection)?$|:wait_for_connection$"
)


def _any(frames: Sequence[Frame], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(named(frame)) for frame in frames)


def _works_for(taker: Frame, stack: Sequence[Frame]) -> bool:
    """Whether the thread is the pool's own, which waits for what it has to look after."""
    entry = entry_of(stack)
    return entry is not None and bool(package_of(entry)) and package_of(entry) == package_of(taker)


def takes_connection(frame: Frame) -> bool:
    """Whether a function takes a connection out of a pool."""
    if frame.file.endswith(("/multiprocessing/pool.py", "/multiprocess/pool.py")):
        return False
    name = short_name(frame)
    pooled = _POOLED.search(frame.file.rsplit("-packages/", 1)[-1].rsplit("/", 2)[-1])
    in_pool = pooled or "/pool/" in frame.file or "_pool/" in frame.file
    return bool((in_pool and _TAKES.search(name)) or _CLIENT_POOL.search(named(frame)))
