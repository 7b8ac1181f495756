# SPDX-License-Identifier: Apache-2.0
"""What a case runs in: a virtual environment with its packages, free ports."""

from __future__ import annotations

import fcntl
import hashlib
import random
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

VENVS = Path(tempfile.gettempdir()) / "iotrace-clinic"
PYTHON = "/usr/bin/python3"
PORTS = 20
FIRST_PORT, LAST_PORT = 20_000, 32_000


def python_with(needs: tuple[str, ...]) -> str:
    """The python of a virtual environment that has these packages; made once."""
    key = hashlib.sha256("\n".join((PYTHON, *sorted(needs))).encode()).hexdigest()[:12]
    home = VENVS / key
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            _make(home, needs)
    return str(home / "bin/python")


def _make(home: Path, needs: tuple[str, ...]) -> None:
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([PYTHON, "-m", "venv", str(home)], check=True)
    if needs:
        pip = [str(home / "bin/python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, *needs], check=True, stdout=subprocess.DEVNULL)
    (home / "ready").touch()


def free_ports() -> int:
    """The first of PORTS consecutive free ports, below those that the kernel gives to clients
    (ip(7), ip_local_port_range): connections that are over keep many of these for a minute."""
    blocks = list(range(FIRST_PORT, LAST_PORT - PORTS, PORTS))
    random.shuffle(blocks)
    for first in blocks:
        with ExitStack() as held:
            try:
                for port in range(first, first + PORTS):
                    _bound(held, port)
            except OSError:
                continue
            return first
    raise OSError(f"no {PORTS} free ports in a row")


def _bound(held: ExitStack, port: int) -> None:
    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
