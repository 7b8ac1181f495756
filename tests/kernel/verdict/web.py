"""Real servers: started on a socket of ours, and asked by clients at a moderate rate."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kernel.targets import PROGRAMS

WEB = Path(__file__).parent / "programs" / "web.py"


@contextmanager
def serving(arguments: tuple[str, ...], certificate: Path) -> Iterator[tuple[int, int]]:
    """(pid, port) of a server; ``{fd}``, ``{certificate}`` in its arguments are filled in."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, *(one.format(fd=fd, certificate=certificate) for one in arguments)],
            pass_fds=(fd,),
            cwd=PROGRAMS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process.pid, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def make_certificate(directory: Path) -> Path:
    """A key and a certificate for it, in one file."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    both = directory / "both.pem"
    both.write_text(key.read_text() + certificate.read_text())
    return both


def ask(port: int, clients: int, seconds: float, per_second: float, keep: bool, tls: bool) -> int:
    """Requests at a steady rate; how many were answered."""
    answered = [0] * clients
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        connection = _connect(port, tls)
        due = time.monotonic() + place / per_second
        while time.monotonic() < until:
            time.sleep(max(0.0, due - time.monotonic()))
            due += clients / per_second
            connection.request("GET", "/", headers={} if keep else {"Connection": "close"})
            assert connection.getresponse().read() == b"hello\n"
            answered[place] += 1
            if not keep:
                connection.close()
                connection = _connect(port, tls)
        connection.close()

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered)


def _connect(port: int, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
