# SPDX-License-Identifier: Apache-2.0
"""Programs that a benchmark starts, and ends again with everything they have started."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
SERVER_CPU, LOAD_CPU = 0, 1
DEADLINE_S = 30
"""A server that is not ready by then will not be."""


class Missing(Exception):
    """Something that a benchmark needs is not installed; says what."""


@functools.cache
def _build_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="iotrace-bench-")


def native() -> str:
    """The path of native.c, compiled. Raises Missing."""
    return compiled("native", "-pthread")


@functools.cache
def compiled(name: str, *flags: str) -> str:
    """The path of a C program of ours, compiled. Raises Missing."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise Missing("cc (apt-get install gcc libc6-dev)")
    program = str(Path(_build_directory().name) / name)
    source = str(PROGRAMS / f"{name}.c")
    subprocess.run([compiler, "-O2", "-o", program, source, *flags], check=True)
    return program


def require(module: str) -> None:
    """Raises Missing if Python cannot import it."""
    if importlib.util.find_spec(module) is None:
        raise Missing(f"{module} (.venv/bin/pip install {module})")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_until_listening(port: int) -> None:
    """Until somebody does. Raises ConnectionRefusedError after half a minute."""
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def prepare(cpu: int) -> None:
    """In the child: on one CPU, with as many descriptors as may be."""
    os.sched_setaffinity(0, {cpu % (os.cpu_count() or 1)})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.contextmanager
def first_in_line() -> Iterator[None]:
    """This process, and those that it starts, wait for no CPU that an ordinary thread has."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


class ProcessGroup(contextlib.ExitStack):
    """Use as a context manager: leaving it ends all programs."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: list[int] = []

    def stop(self) -> None:
        """All its programs stand still."""
        self._signal(signal.SIGSTOP)

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """After ``stop``: they go on meanwhile."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.stop()

    def _signal(self, number: int) -> None:
        for group in self._groups:
            os.killpg(group, number)

    def start(
        self, *command: object, cpu: int, fds: tuple[int, ...] = (), counter: str = ""
    ) -> int:
        """Run a program on one CPU (if there are so many); its pid."""
        process = subprocess.Popen(
            list(map(str, command)),
            pass_fds=fds,
            cwd=PROGRAMS,
            env={**os.environ, "BENCHMARK_COUNTER": counter, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=functools.partial(prepare, cpu),
        )
        self.callback(_end, process)
        self._groups.append(process.pid)
        return process.pid

    def program(self, name: str, *arguments: object, fds: tuple[int, ...] = ()) -> int:
        """Run one of the Python programs that are traced."""
        return self.start(sys.executable, name, *arguments, cpu=SERVER_CPU, fds=fds)

    def listener(self) -> socket.socket:
        """A socket that listens on a port of its own."""
        return self.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
