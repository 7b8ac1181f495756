"""Pids as seen inside a container, and containers as seen from the host."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.children import read_children
from iotrace.procfs.status import read_status
from iotrace.tracing.target_check import check_target
from tests.kernel.containers import IN_CONTAINER, family_in_container
from tests.kernel.family import PROGRAM, check_family
from tests.kernel.targets import command
from tests.kernel.tracing import report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until


@pytest.mark.parametrize("depth", [1, 2])
def test_a_pid_as_seen_inside_a_container(depth: int) -> None:
    pid, report = family_in_container(depth, "full")
    assert pid < 100  # it was the container's number
    check_family(report, pid)


@contextmanager
def _in_container(*command_line: str) -> Iterator[int]:
    """The host's pid of the family program at its gate. Its own pid must not be used here."""
    with subprocess.Popen(
        [*IN_CONTAINER, *command_line, *command(PROGRAM)], stdout=subprocess.PIPE
    ) as container:
        try:
            assert container.stdout is not None
            assert container.stdout.readline()
            yield read_children(container.pid)[-1]
        finally:
            container.kill()


def test_a_container_as_seen_from_the_host() -> None:
    with _in_container() as pid:
        assert read_status(pid).namespaced_ids == (pid, 1)
        with tracing(pid) as trace:
            os.kill(pid, signal.SIGUSR1)
            wait_until(lambda: sleeps_in(pid, pid, "pause"), "the program to finish")
            wait_until(lambda: trace.processes_alive() == {pid}, "the children to be gone")
            check_family(report_of(trace), pid)


def test_an_inner_pid_given_on_the_host_is_answered_with_the_outer() -> None:
    # So many processes in the container that its highest number is none of the host's.
    unused = int(Path("/proc/sys/kernel/pid_max").read_text()) - 7
    script = f'echo {unused - 1} > /proc/sys/kernel/ns_last_pid; "$@" & wait'
    with _in_container("sh", "-c", script, "sh") as outer:
        inner = read_status(outer).namespaced_ids[-1]
        assert inner == unused
        with pytest.raises(NoSuchProcess) as refused:
            check_target(inner)
        assert refused.value.paste == f"sudo iotrace attach {outer}"
