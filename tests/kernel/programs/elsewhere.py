"""Threads that wait for a file lock, a slow file, a silent name server, a few late answers.

argv: PORT of a service, ADDRESS of a name server that does not answer, FOLDER.
"""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
import time

from gate import finished, ready

PORT, SERVER, FOLDER = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LOCK, LEASED = f"{FOLDER}/state.lock", f"{FOLDER}/leased"
HOLD_S = 0.15


def hold():
    """Take the lock again and again, for a while each time; keep it at last."""
    for last in (False, False, False, True):
        file = os.open(LOCK, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX)
        taken.set()
        time.sleep(HOLD_S)
        if not last:
            taken.clear()
            os.close(file)


def wait_for_lock():
    while True:
        taken.wait()
        file = os.open(LOCK, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX)
        os.close(file)


def ask_names():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.connect((SERVER, 53))
        resolver.settimeout(1.0)
        resolver.send(b"who is it?")
        with contextlib.suppress(TimeoutError):
            resolver.recv(512)


def ask_service():
    with socket.create_connection(("127.0.0.1", PORT)) as service:
        for _ in range(60):
            service.sendall(b"?")
            service.recv(1)


def open_leased():
    waited = 0
    while waited < 3:  # the lease may not have been taken again yet
        began = time.monotonic()
        os.close(os.open(LEASED, os.O_RDONLY))
        waited += time.monotonic() - began > HOLD_S / 2
        time.sleep(0.005)


def lease(pipe):
    """In a child: whoever opens the file waits until the lease is given back (fcntl(2))."""
    file = os.open(LEASED, os.O_RDWR)

    def give_back(number, frame):
        time.sleep(HOLD_S)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        again.append(True)

    again = [True]
    signal.signal(signal.SIGIO, give_back)
    while os.getppid() == parent:
        if again:
            with contextlib.suppress(OSError):  # it is open elsewhere
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                again.clear()
                os.write(pipe, b"!")
        time.sleep(0.001)


taken = threading.Event()
for path in (LOCK, LEASED):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
told, tells = os.pipe()
parent, keeper = os.getpid(), os.fork()
if not keeper:
    lease(tells)
    os._exit(0)
os.read(told, 1)
ready()
threading.Thread(target=wait_for_lock, daemon=True).start()
work = [threading.Thread(target=one) for one in (hold, ask_names, ask_service, open_leased)]
for one in work:
    one.start()
for one in work:
    one.join()
os.kill(keeper, signal.SIGKILL)
finished()
