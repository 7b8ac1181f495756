"""Threads, children, and children that become another program: a known number of each."""

import os
import socket
import sys
import threading

from gate import finished, ready

THREADS, CHILDREN, EXECS, ROUNDS = 13, 5, 3, 17


def talk():
    one, other = socket.socketpair()
    for _ in range(ROUNDS):
        one.send(b"seven..")
        other.recv(64)
    one.close()
    other.close()


def become_another():
    """From a thread that is not the first: it takes over the process's number."""
    program = [sys.executable, "-S", "-c", "import os\nfor i in range(19): os.getppid()"]
    thread = threading.Thread(target=os.execv, args=(sys.executable, program))
    thread.start()
    thread.join()


def child(work):
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    os.waitpid(pid, 0)


def main():
    ready()
    for _ in range(THREADS):
        thread = threading.Thread(target=talk)
        thread.start()
        thread.join()
    for _ in range(CHILDREN):
        child(talk)
    for _ in range(EXECS):
        child(become_another)
    finished()


main()
