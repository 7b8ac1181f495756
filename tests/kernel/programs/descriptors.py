"""Sockets of every family, numbers used again, data that lies waiting: descriptors.py WHAT."""

import errno
import fcntl
import os
import signal
import socket
import sys
import tempfile
import time

from gate import finished, ready

DELAYS, DELAY_S = 23, 0.015
REUSED, SIGIOS, WINCHES = 7, 13, 17


def connected(family, address):
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    client = socket.socket(family)
    client.connect(listener.getsockname())
    return client, listener.accept()[0], listener


def exchange(client, server):
    client.send(b"question")
    server.recv(64)
    server.send(b"an answer")
    client.recv(64)


def text(name):
    if isinstance(name, bytes):
        return "unix:@" + name[1:].decode()
    if isinstance(name, str):
        return name and f"unix:{name}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def addresses():
    directory = tempfile.mkdtemp()
    pairs = {
        "ipv4": connected(socket.AF_INET, ("127.0.0.1", 0)),
        "ipv6": connected(socket.AF_INET6, ("::1", 0)),
        "unix": connected(socket.AF_UNIX, f"{directory}/socket"),
        "abstract": connected(socket.AF_UNIX, f"\0iotrace-test-{os.getpid()}"),
    }
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    peer.bind(("127.0.0.1", 0))
    udp.connect(peer.getsockname())
    peer.connect(udp.getsockname())
    pairs["udp"] = udp, peer
    ready(
        sockets={
            name: {
                "fds": [pair[0].fileno(), pair[1].fileno()],
                "names": [text(pair[0].getsockname()), text(pair[1].getsockname())],
            }
            for name, pair in pairs.items()
        }
    )
    for pair in pairs.values():
        exchange(*pair[:2])
    finished()


def delays():
    """Data lies for a while before it is read."""
    pairs = {
        "tcp": connected(socket.AF_INET, ("127.0.0.1", 0)),
        "unix": socket.socketpair(),
    }
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.connect(udp.getsockname())
    pairs["udp"] = udp, udp
    ready(fds={name: pair[1].fileno() for name, pair in pairs.items()})
    lay = {name: [] for name in pairs}
    for name, (sender, receiver, *_) in pairs.items():
        try:
            receiver.recv(1, socket.MSG_DONTWAIT)  # from here on the tracer knows it
        except BlockingIOError as error:
            assert error.errno == errno.EAGAIN
        for _ in range(DELAYS):
            before = time.monotonic_ns()
            sender.send(b"12345678")
            sent = time.monotonic_ns()
            time.sleep(DELAY_S)
            receiving = time.monotonic_ns()
            receiver.recv(8192)
            lay[name].append((receiving - sent, time.monotonic_ns() - before))
    # A peek takes nothing; then four parts of one message, each as late as it is.
    sender, receiver = pairs["tcp"][:2]
    sender.send(b"12345678")
    time.sleep(DELAY_S)
    receiver.recv(64, socket.MSG_PEEK)
    for _ in range(4):
        receiver.recv(2)
    sender.send(b"never read")
    finished(lay=lay)


def reuse():
    """One descriptor number is seven sockets, one after the other."""
    ready(fd=os.open("/dev/null", os.O_RDONLY))
    fd = 0
    for i in range(REUSED):
        one, other = socket.socketpair()
        fd = one.fileno()
        for _ in range(i + 1):
            one.send(b"abc")
        one.close()
        other.close()
    duplicate, kept = socket.socketpair()
    os.dup2(kept.fileno(), duplicate.fileno())  # an eighth, under another number's name
    finished(fd=fd)


def signals():
    """SIGIO for arriving data, SIGWINCH from itself."""
    one, other = socket.socketpair()
    seen = []
    signal.signal(signal.SIGIO, lambda number, frame: seen.append(number))
    signal.signal(signal.SIGWINCH, lambda number, frame: seen.append(number))
    fcntl.fcntl(other, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(other, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    ready()
    for i in range(SIGIOS):
        one.send(b"x")
        while seen.count(signal.SIGIO) <= i:
            pass
        other.recv(64)
    for _ in range(WINCHES):
        os.kill(os.getpid(), signal.SIGWINCH)
    finished()


def main():
    globals()[sys.argv[1]]()


main()
