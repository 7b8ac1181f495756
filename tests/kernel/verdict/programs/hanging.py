"""A program that hangs in the way that sys.argv[2] names. Fixed: what it waits for comes."""

import asyncio
import contextlib
import ctypes
import os
import queue
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from common import WRONG, listen, ready
from connection_pool import Pool
from ends import ENDS
from gone import serve_and_end, unanswered_connect
from idle import busy_pipe, full_server, one_worker, read_by_another, sleeping_requests

WAY = sys.argv[2]
JOB_S = 0.05
CLIENTS = 8
NATIVE_US = 300_000
listener = listen()


def start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def full_pipe():
    """IO140: nobody reads."""
    read, write = os.pipe()
    if not WRONG:
        start(lambda: [None for _ in iter(lambda: os.read(read, 1 << 16), b"")])
    while True:
        os.write(write, b"x" * (1 << 16))
        time.sleep(0.05)


def opposite_locks():
    """IO141: each of two threads has the lock that the other one wants."""
    one, other = threading.Lock(), threading.Lock()
    met = threading.Barrier(2)

    def take(first, second):
        with first:
            met.wait()
            take_both(second)

    def take_both(second):
        while True:
            with second:
                time.sleep(0.05)

    if WRONG:
        start(take, one, other)
    start(take, other, one if WRONG else threading.Lock())
    if not WRONG:
        met.wait()
    threading.Event().wait()


def full_pool():
    """IO142: two threads, and always more jobs than they do."""
    pool = ThreadPoolExecutor(2)
    jobs = []
    while True:
        while len(jobs) < (8 if WRONG else 1):
            jobs.append(pool.submit(time.sleep, JOB_S))
        jobs.pop(0).result()


def taken_connections():
    """IO143: one request keeps the only connection."""
    pool = Pool(1)
    if WRONG:
        pool.get_connection()
    start(index, pool)
    threading.Event().wait()


def index(pool):
    while True:
        pool.get_connection()
        time.sleep(JOB_S)
        pool.give_back()


def held_lock():
    """IO144: whoever has the lock sleeps with it."""
    lock = threading.Lock()

    def handle():
        while True:
            if WRONG:
                with lock:
                    time.sleep(JOB_S)
            else:
                with lock:
                    pass
                time.sleep(JOB_S)

    for _ in range(3):
        start(handle)
    threading.Event().wait()


def native_sleep():
    """IO145: a native call sleeps with the GIL."""
    library = ctypes.PyDLL(None) if WRONG else ctypes.CDLL(None)
    start(call_native, library)
    while True:
        time.sleep(0.01)


def call_native(library):
    while True:
        library.usleep(NATIVE_US)
        time.sleep(JOB_S)


def silent_client():
    """IO146: one client says nothing, and others are not accepted."""
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    while True:
        connection, _ = listener.accept()
        if WRONG:
            connection.recv(100)
        clients.append(connection)


def result_under_lock():
    """IO140: the work that is waited for takes the lock that is held meanwhile."""
    pool, lock = ThreadPoolExecutor(1), threading.RLock()

    def load():
        with lock:
            time.sleep(JOB_S / 10)

    def run():
        if WRONG:
            with lock:
                pool.submit(load).result()
        pool.submit(load).result()

    while True:
        run()


def polled_result():
    """IO170: two jobs look for what does not come; fixed: it comes, and the next jobs begin."""
    pool = ThreadPoolExecutor(2)

    def wait_for(looks, pause):
        while looks:
            time.sleep(pause)
            looks -= 1

    how = (-1, 4 * JOB_S) if WRONG else (5, JOB_S / 5)
    while True:
        for job in [pool.submit(wait_for, *how) for _ in range(2)]:
            job.result()


def busy_worker():
    """IO171: the only thread is busy for longer than clients come."""

    def client():
        while True:
            with socket.create_connection(listener.getsockname()) as one:
                one.sendall(b"question")
                one.recv(100)
            time.sleep(JOB_S)

    for _ in range(3):
        start(client)
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            if WRONG:
                time.sleep(4 * JOB_S)
            connection.sendall(b"answer")


def busy_connections():
    """IO147: requests queue for one of two connections upstream; fixed: there are enough."""
    upstream = listen()
    sys.stdin.readline()  # traced by now: its requests are known from the first on
    if not os.fork():
        answer_slowly(upstream)
    if not os.fork():
        ask_at_once(CLIENTS)
    asyncio.run(serve_from_pool(upstream.getsockname(), 2 if WRONG else CLIENTS))


def answer_slowly(upstream, pause_s=JOB_S):
    def serve(connection):
        while data := connection.recv(100):
            time.sleep(pause_s)
            connection.sendall(data)

    while True:
        start(serve, upstream.accept()[0])


def slow_service():
    """IO165: requests wait for another service, and the loop is free; fixed: it is quick."""
    upstream = listen()
    sys.stdin.readline()
    if not os.fork():
        answer_slowly(upstream, 0.6 if WRONG else JOB_S)
    if not os.fork():
        ask_at_once(CLIENTS)
    asyncio.run(serve_from_pool(upstream.getsockname(), CLIENTS))


def replaced_workers():
    """IO166"""
    serve_and_end(listener)


def ask_at_once(clients):
    def ask():
        connection = socket.create_connection(listener.getsockname())
        while True:
            connection.sendall(b"question")
            connection.recv(100)

    for _ in range(clients):
        start(ask)
    threading.Event().wait()


async def serve_from_pool(address, size):
    pool = asyncio.Queue()
    for _ in range(size):
        pool.put_nowait(await asyncio.open_connection(*address))

    connected = 0

    async def serve(reader, writer):
        nonlocal connected
        connected += 1
        if connected == CLIENTS:
            print(flush=True)
        while data := await reader.read(100):
            upstream = await pool.get()
            upstream[1].write(data)
            writer.write(await upstream[0].read(100))
            pool.put_nowait(upstream)

    server = await asyncio.start_server(serve, sock=listener)
    await server.serve_forever()


def queued_tasks():
    """IO160: one task at a time, for they all sleep with the lock."""
    asyncio.run(contend(asyncio.Lock()))


async def contend(lock):
    async def handle():
        while True:
            if WRONG:
                async with lock:
                    await asyncio.sleep(JOB_S)
            else:
                async with lock:
                    pass
                await asyncio.sleep(JOB_S)

    await asyncio.gather(*(handle() for _ in range(8)))


def kept_connections():
    """IO161: a connection for each call, and none is closed."""
    start(answer, listener)
    kept = [socket.create_connection(listener.getsockname())]
    while True:
        kept[-1].sendall(b"?")
        kept[-1].recv(1)
        if WRONG:
            kept.append(socket.create_connection(listener.getsockname()))
        time.sleep(JOB_S / 2)


def kept_threads():
    """IO163: a thread for each job, and it stays."""
    while True:
        start(work, queue.Queue())
        time.sleep(JOB_S)


def inherited_pipe():
    """IO140: a daemon has inherited its parent's stdout, whose end is waited for."""
    command = f"sleep 600 {'' if WRONG else '>/dev/null 2>&1'} & echo started"
    subprocess.run(["sh", "-c", command], capture_output=True)
    threading.Event().wait()


def stopped_child():
    """IO190: it waits for a child that somebody has stopped; fixed: the child only takes long."""
    child = subprocess.Popen(["sleep", "600"])
    if WRONG:
        child.send_signal(signal.SIGSTOP)
    child.wait()


def refused_connections():
    """IO174: nothing listens there; who needs the connection sleeps and tries again."""
    address = listener.getsockname()
    if WRONG:
        listener.close()
    else:
        start(lambda: [listener.accept()[0].close() for _ in iter(int, 1)])
    while True:
        reconnect(address)


def reconnect(address):
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(address).close()
    time.sleep(JOB_S)


def kept_transactions():
    """IO177: each asks a service while it has a lock in a database; fixed: before it has."""
    service, database = listen(), listen()
    if not os.fork():
        answer_slowly(service)
    if not os.fork():
        lock_rows(database)
    for _ in range(CLIENTS):
        start(order, *(socket.create_connection(one.getsockname()) for one in (service, database)))
    threading.Event().wait()


def order(service, database):
    while True:
        if WRONG:
            database.sendall(b"lock")
            database.recv(9)
        service.sendall(b"pay")
        service.recv(9)
        if not WRONG:
            database.sendall(b"lock")
            database.recv(9)
        database.sendall(b"free")
        database.recv(9)


def lock_rows(database):
    row = threading.Lock()

    def serve(connection):
        while data := connection.recv(9):
            row.acquire() if data == b"lock" else row.release()
            connection.sendall(data)

    while True:
        start(serve, database.accept()[0])


def work(jobs):
    if WRONG:
        jobs.get()


def answer(served):
    connections = selectors.DefaultSelector()
    connections.register(served, selectors.EVENT_READ)
    while True:
        for key, _ in connections.select():
            if key.fileobj is served:
                connections.register(served.accept()[0], selectors.EVENT_READ)
            else:
                key.fileobj.sendall(key.fileobj.recv(1))


WAYS = {one.__name__: one for one in (
    full_pipe, opposite_locks, full_pool, taken_connections, held_lock, native_sleep, silent_client,
    result_under_lock, polled_result, busy_worker, busy_connections, queued_tasks,
    kept_connections, kept_threads, inherited_pipe, refused_connections, kept_transactions,
    slow_service, unanswered_connect, replaced_workers, stopped_child,
    busy_pipe,
)}  # fmt: skip
for told in (sleeping_requests, full_server, one_worker, read_by_another, *ENDS):
    WAYS[told.__name__] = lambda told=told: told(listener)
ready(listener)
WAYS[WAY]()
