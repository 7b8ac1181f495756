"""Connects that are quick, one that is refused, and opens that fail for want of a descriptor."""

import os
import resource
import socket
from contextlib import suppress

from gate import finished, ready

TIMES = 7
listener = socket.create_server(("127.0.0.1", 0))
refuses = socket.socket()
refuses.bind(("127.0.0.1", 0))  # nobody listens there


def connect(address):
    with socket.socket() as client:
        client.connect(address)  # LINE connects


def refused():
    with suppress(ConnectionRefusedError):
        socket.socket().connect(refuses.getsockname())  # LINE refused


def out_of_descriptors():
    with suppress(OSError):
        os.open("/dev/null", os.O_RDONLY)  # LINE opens


ready()
for _ in range(TIMES):
    connect(listener.getsockname())
    listener.accept()[0].close()
    refused()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
for _ in range(TIMES):
    out_of_descriptors()
resource.setrlimit(resource.RLIMIT_NOFILE, (90, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
finished()
