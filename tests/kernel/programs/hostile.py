"""A process whose every name is an attack: hostile.py (it starts itself anew under its names)."""

import ctypes
import os
import shutil
import socket
import sys
import threading

from gate import finished, ready

TERMINAL = b"\x1b]0;owned\x07\x1b[2J\n\r\t\xff\xc3"
PAGE = b"<script>alert(1)</script>"
NAME = b"\x1b[31m)\n\xff<b>x"
PR_SET_NAME = 15


def start_anew():
    """Under a command line that is hostile as a whole."""
    arguments = [b"python\x1b[2J", os.fsencode(__file__), TERMINAL + PAGE, b"\xe2\x80\xae", b""]
    os.execve(sys.executable, arguments, {**os.environb, b"HOSTILE": b"1"})


def rename():
    ctypes.CDLL(None).prctl(PR_SET_NAME, NAME)


def talk(address):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(address)
    served = listener.accept()[0]
    client.send(b"hello")
    served.recv(64)
    return listener, client, served


def main():
    if "HOSTILE" not in os.environ:
        start_anew()
    rename()
    directory = b"/tmp/hostile-%d" % os.getpid() + TERMINAL + b"<img src=x onerror=alert(1)>"
    os.makedirs(directory)  # noqa: PTH103 (bytes that no Path can hold)
    path = directory + b"/" + PAGE.replace(b"/", b"") + b"\n00000: 00000002 00000000 00010000"
    ready()
    held = talk(b"\0" + TERMINAL + PAGE), talk(path[:100])
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(file, b"seventeen bytes..")
    threads = [threading.Thread(target=rename) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    shutil.rmtree(directory)
    finished(held=len(held))


main()
