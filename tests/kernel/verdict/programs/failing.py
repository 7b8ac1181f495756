"""An echo server, one thread a connection, with one defect: sys.argv[3]. Fixed: without it."""

import contextlib
import os
import resource
import select
import socket
import sys
import threading
from pathlib import Path

from common import WRONG, listen, ready

DEFECT = sys.argv[3]
FIRST, LAST = 500, 4500


def used_up():
    """IO130: all descriptors are in use when a file is to be opened."""
    with contextlib.suppress(OSError):
        os.close(os.open(os.devnull, os.O_RDONLY))


def failing():
    """IO131: closes all descriptors that there could be, one by one."""
    if WRONG:
        for number in range(FIRST, LAST):
            with contextlib.suppress(OSError):
                os.close(number)
    else:
        os.closerange(FIRST, LAST)


def serve(connection):
    with connection:
        while data := connection.recv(65536):
            DEFECTS[DEFECT]()
            connection.sendall(data)


def compute():
    """IO133: a thread that looks again and again whether there is something to do."""
    while WRONG and not over.is_set():
        pass
    over.wait()


def read_on():
    """IO214: whoever wrote to a pipe has gone; fixed: the end of it is the end of the loop."""
    read, write = os.pipe()
    os.close(write)
    while (os.read(read, 4096) or WRONG) and not over.is_set():
        pass


def control():
    """IO222: asks a device for 15 bytes, and reads 22 until a time-out; fixed: 15."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=answer, args=(theirs,), daemon=True).start()
    while not over.is_set():
        ours.sendall(b"where?")
        left = 22 if WRONG else 15
        while left and select.select([ours], (), (), 0.02)[0]:
            left -= len(ours.recv(left))
        over.wait(0 if WRONG else 0.02)


def answer(device):
    while device.recv(6):
        device.sendall(bytes(15))


def reload():
    """IO172: looks at 2,000 files each 50 ms; fixed: at one."""
    program = Path(__file__)
    while not over.wait(0.05):
        for _ in range(2_000 if WRONG else 1):
            program.stat()


DEFECTS = {
    "used up": used_up,
    "failing": failing,
    "never sleeps": lambda: None,
    "polls files": lambda: None,
    "at the end": lambda: None,
    "time-outs": lambda: None,
}
BESIDE = {
    "never sleeps": compute,
    "polls files": reload,
    "at the end": read_on,
    "time-outs": control,
}
over = threading.Event()
listener = listen()
if DEFECT in BESIDE:
    threading.Thread(target=BESIDE[DEFECT], daemon=True).start()
ready(listener)
connections = [listener.accept()[0] for _ in range(2)]
if DEFECT == "used up" and WRONG:
    lowest = os.dup(listener.fileno())  # before anybody else opens or closes something
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, lowest))
for connection in connections:
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
if DEFECT == "used up" and WRONG:
    over.wait()  # accept would take a descriptor
listener.accept()
