# SPDX-License-Identifier: Apache-2.0
"""From selectors to processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iotrace.discovery.census import Candidate, Census, take_census, without_descendants
from iotrace.discovery.containers import Container, read_containers
from iotrace.discovery.ports import find_listeners
from iotrace.discovery.selectors import (
    AllPython,
    ByCgroup,
    ByContainer,
    ByName,
    ByPod,
    ByPort,
    ByUnit,
    Selector,
)
from iotrace.errors import IotraceError, NoSuchProcess, UsageError
from iotrace.procfs.cgroup_paths import group_of
from iotrace.procfs.files import PROC
from iotrace.target_reader.programs import read_program, read_python
from iotrace.target_reader.reader import TargetReader

_LEAST_ID_DIGITS = 4
_SHORT_ID_DIGITS = 12
_LISTED = 10

Groups = Mapping[str, frozenset[int]]
"""What a selector was found as ("container 4f0c...") -> processes."""


class Finder:
    """Finds the processes of selectors, as often as it is asked."""

    def __init__(
        self,
        selectors: Iterable[Selector],
        reader: TargetReader,
        *,
        root: str = PROC,
        host: str = "",
    ) -> None:
        """``reader`` asks for command lines and interpreters.

        ``root``: where /proc is; ``host``: where the files of container runtimes are.
        """
        self._selectors = tuple(selectors)
        self._reader = reader
        self._root = root
        self._host = host
        self._census: Census = {}
        self._commands: dict[int, tuple[Candidate, str]] = {}
        self._pythons: dict[int, tuple[Candidate, bool]] = {}

    def find(self) -> frozenset[int]:
        """All of them, without those that descend from others of them."""
        self._look()
        found: set[int] = set()
        for selector in self._selectors:
            for pids in self._matching(selector).values():
                found |= pids
        return without_descendants(frozenset(found), self._census)

    def find_unambiguous(self) -> frozenset[int]:
        """As ``find``. Raises NoSuchProcess where a selector finds nothing, and UsageError where it
        finds processes that have nothing to do with each other."""
        self._look()
        found: set[int] = set()
        for selector in self._selectors:
            groups = self._matching(selector)
            if not groups:
                raise self._nothing(selector)
            if len(groups) > 1:
                raise self._ambiguous(selector, groups)
            for pids in groups.values():
                found |= pids
        return without_descendants(frozenset(found), self._census)

    def _look(self) -> None:
        self._census = take_census(self._census, self._root)
        for kept in (self._commands, self._pythons):
            for pid in kept.keys() - self._census.keys():
                del kept[pid]

    def _matching(self, selector: Selector) -> Groups:
        match selector:
            case ByPort(port):
                listeners = find_listeners(port, self._census, self._root)
                return {
                    f"network namespace {network.inode if network else '?'}": pids
                    for network, pids in listeners.items()
                }
            case ByUnit():
                return self._by_unit(selector.unit)
            case ByCgroup(path):
                return self._by_cgroup(group_of(path))
            case ByContainer(name):
                return self._by_container(name)
            case ByPod(namespace, name):
                return self._by_pod(f"{namespace}/{name}")
            case ByName(pattern):
                return _one_group(
                    candidate.pid
                    for candidate in self._census.values()
                    if pattern.search(candidate.name) or pattern.search(self._command(candidate))
                )
            case AllPython():
                return _one_group(
                    candidate.pid
                    for candidate in self._census.values()
                    if self._runs_python(candidate)
                )

    def _by_unit(self, unit: str) -> Groups:
        """A unit is a directory of that name; the same name can be one of the system and one of a
        user's manager."""
        found: dict[str, set[int]] = {}
        for candidate in self._census.values():
            for group in candidate.groups:
                before, name, _ = f"{group}/".partition(f"/{unit}/")
                if name:
                    found.setdefault(f"unit {before}/{unit}", set()).add(candidate.pid)
                    break
        return {name: frozenset(pids) for name, pids in found.items()}

    def _by_cgroup(self, path: str) -> Groups:
        inside = path.rstrip("/") + "/"
        return _one_group(
            candidate.pid
            for candidate in self._census.values()
            if any(f"{group}/".startswith(inside) for group in candidate.groups)
        )

    def _by_container(self, name: str) -> Groups:
        containers = read_containers(self._host)
        found: dict[str, set[int]] = {}
        for candidate in self._census.values():
            key = candidate.container_id
            if key is not None and _is_called(key, containers.get(key), name):
                found.setdefault(f"container {key[:_SHORT_ID_DIGITS]}", set()).add(candidate.pid)
        return {title: frozenset(pids) for title, pids in found.items()}

    def _by_pod(self, pod: str) -> Groups:
        ids = {
            container.id
            for container in read_containers(self._host).values()
            if container.pod == pod
        }
        return _one_group(
            candidate.pid for candidate in self._census.values() if candidate.container_id in ids
        )

    def _command(self, candidate: Candidate) -> str:
        known = self._commands.get(candidate.pid)
        if known is not None and _is_same(known[0], candidate):
            return known[1]
        try:
            command = " ".join(read_program(self._reader, candidate.pid).cmdline)
        except IotraceError:
            command = ""
        self._commands[candidate.pid] = candidate, command
        return command

    def _runs_python(self, candidate: Candidate) -> bool:
        known = self._pythons.get(candidate.pid)
        if known is not None and _is_same(known[0], candidate):
            return known[1]
        try:
            runs = read_python(self._reader, candidate.pid) is not None
        except IotraceError:
            runs = False
        self._pythons[candidate.pid] = candidate, runs
        return runs

    def _nothing(self, selector: Selector) -> NoSuchProcess:
        why = {
            ByPort: "Nobody listens on that TCP port, in no network namespace that can be seen.",
            ByUnit: "No control group has that name, or no process is in it.",
            ByCgroup: "No process is in that control group.",
            ByContainer: "No running container has that name or id; names are known where the "
            "runtime's files can be read (Docker, Podman, containerd).",
            ByPod: "No running container says that it belongs to that pod.",
            ByName: "It is found in no process's name or command line.",
            AllPython: "No process that can be read runs CPython.",
        }[type(selector)]
        paste = {
            ByPort: "ss -ltnp",
            ByUnit: "systemctl list-units --type=service",
            ByCgroup: "systemd-cgls",
            ByContainer: "grep -H . /proc/[0-9]*/cgroup",
            ByPod: "kubectl get pods -A -o wide",
        }.get(type(selector), "ps -e -o pid,ppid,args")
        return NoSuchProcess(f"{selector} finds no process.", why=why, paste=paste)

    def _ambiguous(self, selector: Selector, groups: Groups) -> UsageError:
        lines = []
        roots: list[int] = []
        for title, pids in sorted(groups.items()):
            first = sorted(without_descendants(pids, self._census))
            roots += first
            named = ", ".join(f"{pid} ({self._census[pid].name})" for pid in first[:_LISTED])
            lines.append(f"{title}: {named}")
        return UsageError(
            f"{selector} means several things: {'; '.join(lines[:_LISTED])}.",
            why=f"{len(groups)} were found that have nothing to do with each other.",
            paste=f"sudo iotrace attach {roots[0]}",
        )


def _one_group(pids: Iterable[int]) -> Groups:
    found = frozenset(pids)
    return {"": found} if found else {}


def _is_called(container_id: str, container: Container | None, name: str) -> bool:
    if len(name) >= _LEAST_ID_DIGITS and container_id.startswith(name):
        return True
    return container is not None and name in container.names


def _is_same(known: Candidate, now: Candidate) -> bool:
    return (known.start_ticks, known.exe) == (now.start_ticks, now.exe)
