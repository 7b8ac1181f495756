"""A server to trace, and a client of it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from tests.kernel.targets import PROGRAMS
from tests.waiting import DEADLINE_S

PROGRAM = "request_server.py"


class Server:
    """Answers requests of one line; see the program."""

    def __init__(self, word: str) -> None:
        command = [sys.executable, "-u", str(PROGRAMS / PROGRAM), "loop", "tcp", word]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert self.process.stdout is not None
        facts = json.loads(self.process.stdout.readline())
        self.client = socket.create_connection(("127.0.0.1", facts["where"][1]), DEADLINE_S)

    def ask(self, line: str) -> None:
        self.client.sendall(line.encode() + b"\n")
        assert self.client.recv(100)

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
