# SPDX-License-Identifier: Apache-2.0
"""Who a process's figures are of: its program, and the unit or container that it runs in."""

from __future__ import annotations

import time

from iotrace.discovery.containers import Container, read_containers
from iotrace.errors import IotraceError
from iotrace.metrics.groups import Group, program_name
from iotrace.procfs.cgroup_paths import container_id_in, read_cgroup_paths, unit_in
from iotrace.report.model import Process, Report

_SHORT_ID_DIGITS = 12
_LOOK_AGAIN_NS = 10_000_000_000
"""The runtimes' files are not read more often for containers that they do not name."""


class Identities:
    """Remembers who each process is while it is there."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[str, str]] = {}
        """Pid -> unit and container."""
        self._groups: dict[int, Group] = {}
        self._containers: dict[str, Container] = {}
        self._read_ns = 0

    def meet(self, report: Report) -> None:
        """Look at processes that are new, and forget those that are gone."""
        there = {process.pid: process for process in report.processes}
        for known in (self._places, self._groups):
            for pid in known.keys() - there.keys():
                del known[pid]
        for pid, process in there.items():
            if pid:
                unit, container = self._place(pid)
                program = program_name(process.cmdline, process.name)
                self._groups[pid] = Group(program, unit, container)

    def group_of(self, process: Process) -> Group:
        """Ended children that were added up belong to their parent's program."""
        found = self._groups.get(process.pid or process.parent or 0)
        return found or Group(program_name(process.cmdline, process.name))

    def _place(self, pid: int) -> tuple[str, str]:
        if pid not in self._places:
            try:
                self._places[pid] = self._look(read_cgroup_paths(pid))
            except IotraceError:  # it is gone, or /proc tells nothing
                return "", ""
        return self._places[pid]

    def _look(self, groups: tuple[str, ...]) -> tuple[str, str]:
        container_id = container_id_in(groups)
        if container_id is None:
            unit = unit_in(groups) or ""
            # Scopes are of one session or one run, and their names never come again.
            return (unit, "") if unit.endswith(".service") else ("", "")
        container = self._container(container_id)
        names = container.names if container else ()
        return "", names[0] if names else container_id[:_SHORT_ID_DIGITS]

    def _container(self, container_id: str) -> Container | None:
        now_ns = time.monotonic_ns()
        if container_id not in self._containers and now_ns >= self._read_ns:
            self._containers, self._read_ns = read_containers(), now_ns + _LOOK_AGAIN_NS
        return self._containers.get(container_id)
