"""What /proc tells of the traced processes, kept from when they were last alive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.cgroup import CpuLimit
from iotrace.procfs.descriptors import Descriptor, read_descriptors
from iotrace.procfs.namespace import Namespace, read_namespace
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.process import read_process
from iotrace.procfs.python import PythonBuild, read_python
from iotrace.procfs.sockets import read_sockets
from iotrace.snapshot.limits import LimitBook, ProcessLimits


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """One process. ``descriptors`` by number and ``sockets`` by inode, as of the last look.

    ``sockets`` None: they have not been looked at yet.
    ``limits``: from the first look to the last.
    """

    pid: int
    parent: int
    name: str
    cmdline: tuple[str, ...]
    exe: str | None
    python: PythonBuild | None
    descriptors: Mapping[int, Descriptor] = field(default_factory=dict)
    sockets: Mapping[int, Socket] | None = None
    limits: ProcessLimits | None = None


class FactBook:
    """Facts of every process of a trace; they stay after the process has ended."""

    def __init__(self, cpu_limits: Mapping[int, Sequence[CpuLimit]]) -> None:
        """``cpu_limits``: of the processes that ran already, read when their trace began."""
        self._facts: dict[int, ProcessFacts] = {}
        self._builds: dict[str, PythonBuild | None] = {}
        self._limits = LimitBook(cpu_limits)

    def meet(self, pids: Iterable[int]) -> None:
        """Look at who these processes are, as far as they can still be asked."""
        for pid in pids:
            try:
                process = read_process(pid)
                known = self._facts.get(pid)
                if known and (known.exe, known.cmdline) == (process.exe, process.cmdline):
                    continue
                self._facts[pid] = ProcessFacts(
                    pid=pid,
                    parent=process.parent,
                    name=process.name,
                    cmdline=process.cmdline,
                    exe=process.exe,
                    python=self._python(pid, process.exe),
                    limits=self._limits.look(pid),
                )
            except (NoSuchProcess, PermissionDenied, Unsupported):
                continue

    def look(self, pids: Iterable[int], *, sockets: bool) -> None:
        """Look at what these processes have open now; ``sockets``: and where those lead to.

        On a host with many connections the sockets are what costs: their tables are read once
        for all processes of one network namespace.
        """
        pids = tuple(pids)
        self.meet(pids)
        by_namespace: dict[Namespace | None, list[int]] = defaultdict(list)
        for pid in pids:
            if pid not in self._facts:
                continue
            try:
                self._facts[pid] = replace(
                    self._facts[pid],
                    descriptors=read_descriptors(pid),
                    limits=self._limits.look(pid),
                )
                by_namespace[_network_namespace(pid)].append(pid)
            except (NoSuchProcess, PermissionDenied, Unsupported):
                continue
        if sockets:
            for members in by_namespace.values():
                self._look_at_sockets(members)

    def _look_at_sockets(self, pids: list[int]) -> None:
        """``pids`` share a network namespace."""
        inodes = {
            pid: {d.inode for d in self._facts[pid].descriptors.values() if d.inode is not None}
            for pid in pids
        }
        found: Mapping[int, Socket] = {}
        for pid in pids:  # any of them that still lives can tell
            try:
                found = read_sockets(pid, set().union(*inodes.values()))
                break
            except (NoSuchProcess, PermissionDenied, Unsupported):
                continue
        for pid in pids:
            mine = {inode: found[inode] for inode in inodes[pid] if inode in found}
            self._facts[pid] = replace(self._facts[pid], sockets=mine)

    def listening_ports(self, pid: int) -> tuple[int, ...]:
        """The TCP ports that a process accepts connections on."""
        facts = self._facts.get(pid)
        return tuple(
            int(socket.local.rpartition(":")[2])
            for socket in (facts.sockets.values() if facts and facts.sockets else ())
            if socket.kind == "tcp" and socket.pending is not None
        )

    def forget(self, pids: Iterable[int]) -> None:
        """These processes are no longer told apart."""
        for pid in pids:
            self._facts.pop(pid, None)
            self._limits.forget(pid)

    def all(self) -> Mapping[int, ProcessFacts]:
        """The facts by pid."""
        return dict(self._facts)

    def _python(self, pid: int, exe: str | None) -> PythonBuild | None:
        """The interpreter; workers of one program share one look at its file."""
        if exe is None:
            return None
        if exe not in self._builds:
            self._builds[exe] = read_python(pid)
        return self._builds[exe]


def _network_namespace(pid: int) -> Namespace | None:
    """None: the process is about to end (or the kernel has no such namespaces)."""
    try:
        return read_namespace(pid, "net")
    except Unsupported:
        return None
