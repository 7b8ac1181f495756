"""Threads that come and go: many_calls.py COUNT PAUSE_NS. Each makes many kinds of calls, once."""

import os
import select
import socket
import sys
import tempfile
import threading
import time

from gate import finished, ready


def work(one, other, pipe, event, file):
    one.send(b"bytes")
    other.recv(5)
    one.sendmsg([b"bytes"])
    other.recvmsg(5)
    select.select([], [one], [])
    poll = select.poll()
    poll.register(one, select.POLLOUT)
    poll.poll()
    for reader, writer in (other.fileno(), one.fileno()), pipe, (event, event), (file, file):
        os.write(writer, b"8 bytes.")
        os.lseek(file, 0, os.SEEK_SET)
        os.read(reader, 8)


def main():
    count, pause_ns = map(int, sys.argv[1:])
    with tempfile.TemporaryFile() as file:
        things = (*socket.socketpair(), os.pipe(), os.eventfd(0), file.fileno())
        ready()
        for _ in range(count):
            thread = threading.Thread(target=work, args=things)
            thread.start()
            thread.join()
            time.sleep(pause_ns / 1e9)
        finished()


main()
