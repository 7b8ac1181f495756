"""Threads and processes that come and go: children.py WHAT [NUMBER]."""

import _thread
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from gate import finished, ready

AT_ONCE = 7


def short_threads(number):
    """Each thread writes five bytes three times."""
    null = os.open(os.devnull, os.O_WRONLY)
    done = threading.Semaphore(AT_ONCE)

    def send():
        for _ in range(3):
            os.write(null, b"bytes")
        done.release()

    ready()
    for _ in range(number):
        done.acquire()
        _thread.start_new_thread(send, ())
    for _ in range(AT_ONCE):
        done.acquire()
    finished()


def forks(number):
    """Each child sends three messages of five bytes and ends."""
    one, other = socket.socketpair()
    ready()
    for _ in range(number):
        pid = os.fork()
        if not pid:
            for _ in range(3):
                one.send(b"bytes")
            os._exit(0)
        os.waitpid(pid, 0)
        other.recv(4096)
    finished()


def strangers(number):
    """A thread reads once and ends; then a child of a process that was there before reads thrice.

    Often it gets the thread's kernel stack: the kernel keeps two for each CPU, both are on one CPU,
    and others have taken what was kept there when the thread ended.
    """
    first, last = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
    zero = os.open("/dev/zero", os.O_RDONLY)
    one, other = socket.socketpair()

    def fork(work):
        pid = os.fork()
        if not pid:
            work()
            os._exit(0)
        return pid

    def stranger():
        one.close()  # so that it ends with its parent
        os.sched_setaffinity(0, {first})
        while other.recv(1):
            takers = [fork(signal.pause) for _ in range(3)]
            other.send(b".")
            other.recv(1)
            os.waitpid(fork(lambda: [os.pread(zero, 1, 0) for _ in range(3)]), 0)
            for pid in takers:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            other.send(b".")

    def read():
        os.sched_setaffinity(0, {first})
        os.pread(zero, 1, 0)

    def turn():
        one.send(b".")
        one.recv(1)

    fork(stranger)
    os.sched_setaffinity(0, {last})
    ready()
    for _ in range(number):
        turn()
        _thread.start_new_thread(read, ())
        while len(list(Path("/proc/self/task").iterdir())) > 1:
            pass
        turn()
    finished()


def spawns(number):
    """Programs started in children: each writes its five bytes to a pipe."""
    ready()
    for _ in range(number):
        subprocess.run(["/bin/echo", "four"], stdout=subprocess.PIPE, check=True)
    finished()


def grandchild():
    """A child of a child sends five bytes."""
    one, other = socket.socketpair()
    ready()
    pid = os.fork()
    if not pid:
        inner = os.fork()
        if not inner:
            one.send(b"bytes")
            signal.pause()
        one.send(str(inner).encode().ljust(16))
        signal.pause()
    told = b""
    while len(told) < 21:
        told += other.recv(64)
    print(int(told.replace(b"bytes", b"")), flush=True)
    os.write(1, f'{{"child": {pid}}}\n'.encode())
    finished()


def exec_leader():
    """The process becomes another program, which starts at its own gate."""
    ready()
    os.execv(sys.executable, [sys.executable, __file__, "executed"])


def exec_thread():
    """The same, but a thread that is not the first one does it."""
    ready()
    _thread.start_new_thread(exec_now, ())
    threading.Event().wait()


def exec_now():
    os.execv(sys.executable, [sys.executable, __file__, "executed"])


def executed():
    """What a process has become: sends eleven messages of three bytes."""
    one, other = socket.socketpair()
    for _ in range(11):
        one.send(b"abc")
    other.close()
    signal.signal(signal.SIGUSR2, lambda number, frame: None)
    finished()


def dies():
    """Two threads sleep in recv until the whole process is killed."""
    sockets = [socket.socketpair() for _ in range(2)]
    tids = []

    def sleep(sock):
        tids.append(threading.get_native_id())
        sock.recv(1)

    for pair in sockets:
        threading.Thread(target=sleep, args=(pair[0],), daemon=True).start()
    while len(tids) < 2:
        pass
    ready(tids=tids)
    finished()


def main():
    what, *numbers = sys.argv[1:]
    globals()[what](*map(int, numbers))


main()
