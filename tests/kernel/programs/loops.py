"""An event loop of known iterations: loops.py MULTIPLEXER [stalls | sleeping | unended | left]."""

import os
import select
import socket
import sys
import time

from gate import finished, ready

SERVED, TIMEOUTS, ZERO_TIMEOUTS, UNSERVED = 31, 17, 19, 23
CPU_STALLS, SLEEP_STALLS, CALL_STALLS = 13, 11, 7
TIMEOUT_S = 0.02
UNENDED_NS = 600_000_000
NEVER_ASLEEP, EACH_NS = 5, 20_000_000
CPU_STALL_NS, SLEEP_STALL_S, CALL_STALL_S = 60_000_000, 0.07, 0.08


class Loop:
    """One of the multiplexers on one socket."""

    def __init__(self, multiplexer, fd):
        self.fd = fd
        self.wait = getattr(self, multiplexer)
        self.poll_ = select.poll()
        self.poll_.register(fd, select.POLLIN)
        self.epoll = select.epoll()
        self.epoll.register(fd, select.EPOLLIN)

    def epoll_wait(self, seconds):
        return self.epoll.poll(seconds)

    def poll(self, seconds):
        return self.poll_.poll(seconds * 1000)

    def pselect6(self, seconds):
        return select.select([self.fd], [], [], seconds)[0]


def compute(nanoseconds):
    until = time.thread_time_ns() + nanoseconds
    while time.thread_time_ns() < until:
        pass


def iterations(wait, one, other):
    for _ in range(SERVED):
        one.send(b"x")
        wait(5)
        other.recv(64)
    for _ in range(TIMEOUTS):
        wait(TIMEOUT_S)
    for _ in range(ZERO_TIMEOUTS):
        wait(0)
    one.send(b"x")
    for _ in range(UNSERVED):
        wait(5)
    other.recv(64)
    # Ready, and served in time: the last of them is no iteration, for nothing follows it.
    wait(0)


def slow_pipe():
    slow_reader, slow_writer = os.pipe()

    def slow_read():
        if not os.fork():
            time.sleep(CALL_STALL_S)
            os.write(slow_writer, b"x")
            os._exit(0)
        os.read(slow_reader, 1)

    return slow_reader, slow_read


def sleeping(wait):
    """Each iteration sleeps first; those of the last stall do not, but for the first of them."""
    slow_reader, slow_read = slow_pipe()
    kinds = {
        lambda: compute(CPU_STALL_NS): CPU_STALLS,
        lambda: time.sleep(SLEEP_STALL_S): SLEEP_STALLS,
        slow_read: CALL_STALLS,
    }
    for stall, times in kinds.items():
        for _ in range(times):
            wait(TIMEOUT_S)
            stall()
    wait(TIMEOUT_S)
    for _ in range(NEVER_ASLEEP):
        compute(EACH_NS)
        wait(0)
    wait(TIMEOUT_S)
    wait(TIMEOUT_S)
    return slow_reader


def stalls(wait, one, other):
    def iteration(stall):
        one.send(b"x")
        wait(5)
        other.recv(64)
        stall()

    slow_reader, slow_read = slow_pipe()
    for _ in range(CPU_STALLS):
        iteration(lambda: compute(CPU_STALL_NS))
    for _ in range(SLEEP_STALLS):
        iteration(lambda: time.sleep(SLEEP_STALL_S))
    for _ in range(CALL_STALLS):
        iteration(slow_read)
    wait(0)
    return slow_reader


def main():
    multiplexer, *stalling = sys.argv[1:]
    one, other = socket.socketpair()
    loop = Loop(multiplexer, other.fileno())
    ready(epoll=loop.epoll.fileno())
    if stalling == ["sleeping"]:
        finished(slow_reader=sleeping(loop.wait))
    elif stalling in (["unended"], ["left"]):
        loop.wait(TIMEOUT_S)
        if stalling == ["left"]:
            loop.epoll.close()
        compute(UNENDED_NS)
        finished()
    elif stalling:
        finished(slow_reader=stalls(loop.wait, one, other))
    else:
        finished(iterations=iterations(loop.wait, one, other))


main()
