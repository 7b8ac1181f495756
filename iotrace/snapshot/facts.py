# SPDX-License-Identifier: Apache-2.0
"""What /proc tells of the traced processes, kept from when they were last alive."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iotrace.errors import IotraceError, NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.cgroup import CpuLimit
from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.file_locks import HeldLock, HeldLocks, LockWait, read_lock_waits
from iotrace.procfs.mounts import Mount, read_mounts
from iotrace.procfs.namespace import Namespace, read_namespace
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.process import Program, read_cwd, read_identity
from iotrace.procfs.python import PythonBuild
from iotrace.procfs.tcp_state import TcpState
from iotrace.snapshot.drop_book import DropBook
from iotrace.snapshot.limit_facts import LimitBook, ProcessLimits
from iotrace.snapshot.tcp_book import TcpBook
from iotrace.target_reader.opened import read_descriptors, read_pipes, read_sockets
from iotrace.target_reader.programs import read_program, read_python
from iotrace.target_reader.reader import TargetReader
from iotrace.vocabulary.kinds import PIPE

_MOST_DESCRIPTORS = 1 << 16
"""Of all processes together: some 300 bytes each."""
_MOST_ARGUMENTS = 1 << 22
"""Characters of all command lines together."""
_MOST_PIPES = 64
"""Of one process: a worker has a handful."""
_UNKNOWN = Program((), None)


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """One process. ``descriptors`` by number and ``sockets`` by inode, as of the last look; what
    sockets have dropped is counted from when the trace of the process began.

    ``sockets`` None: they have not been looked at yet.
    ``limits``: from the first look to the last. ``lock_waits``: for locks on files, then;
    ``held_locks``: by inode, those that any process of the host has.
    ``mounts``: as when its mount namespace was first seen. ``tcp``: by inode, what the kernel keeps
    of some TCP sockets, its counters since the trace of the process began. ``cwd``: its working
    directory, "": not known. ``unread``: bytes that lay in pipes from its parent, by number.
    ``all_descriptors``: it has no more of them open than those that were read.
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
    lock_waits: tuple[LockWait, ...] = ()
    held_locks: Mapping[int, HeldLock] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    tcp: Mapping[int, TcpState] = field(default_factory=dict)
    cwd: str = ""
    unread: Mapping[int, int] = field(default_factory=dict)
    all_descriptors: bool = True


class FactBook:
    """Facts of every process of a trace; they stay after the process has ended."""

    def __init__(self, reader: TargetReader, cpu_limits: Mapping[int, Sequence[CpuLimit]]) -> None:
        """``cpu_limits``: of the processes that ran already, read when their trace began."""
        self._reader = reader
        self._facts: dict[int, ProcessFacts] = {}
        self._builds: dict[str, PythonBuild | None] = {}
        self._limits = LimitBook(reader, cpu_limits)
        self._mounts: dict[Namespace, tuple[Mount, ...]] = {}
        self._tcp = TcpBook(reader, cpu_limits)
        self._drops = DropBook(cpu_limits)
        self._held_locks = HeldLocks()

    def meet(self, pids: Iterable[int]) -> None:
        """Look at who these processes are, as far as they can still be asked."""
        for pid in pids:
            try:
                self._meet(pid)
            except IotraceError:
                continue
            except (OSError, ValueError) as error:
                self._failed(pid, error)

    def _meet(self, pid: int) -> None:
        identity = read_identity(pid)
        program = self._program(pid)
        known = self._facts.get(pid)
        if known and (known.exe, known.cmdline) == (program.exe, program.cmdline):
            return
        facts = ProcessFacts(
            pid=pid,
            parent=identity.parent,
            name=identity.name,
            cmdline=self._afforded(pid, program.cmdline),
            exe=program.exe,
            python=self._python(pid, program.exe),
        )
        self._facts[pid] = facts  # whatever comes of the rest
        self._facts[pid] = replace(facts, limits=self._limits.look(pid))

    def _program(self, pid: int) -> Program:
        """What was known of one that does not answer; what is missing is told by the reader."""
        try:
            return read_program(self._reader, pid)
        except (PermissionDenied, Unsupported):
            known = self._facts.get(pid)
            return Program(known.cmdline, known.exe) if known else _UNKNOWN

    def _afforded(self, pid: int, cmdline: tuple[str, ...]) -> tuple[str, ...]:
        """The arguments, as long as all processes together have no endless ones."""
        others = (sum(map(len, facts.cmdline)) for facts in self._facts.values())
        if sum(map(len, cmdline)) + sum(others) <= _MOST_ARGUMENTS:
            return cmdline
        self._reader.cut_short(pid, "the command lines of all processes are too long to keep")
        return ()

    def _failed(self, pid: int, error: Exception) -> None:
        self._reader.cut_short(pid, f"{type(error).__name__}: {error}")

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
                self._look_at_descriptors(pid)
                by_namespace[_network_namespace(pid)].append(pid)
            except PermissionDenied as error:
                self._reader.cut_short(pid, f"what it has open is not known: {error.why}")
            except IotraceError:
                continue
            except (OSError, ValueError) as error:
                self._failed(pid, error)
        self._look_at_file_locks(pids)
        self._look_at_pipes(pids)
        if sockets:
            for members in by_namespace.values():
                self._look_at_sockets(members)

    def _look_at_descriptors(self, pid: int) -> None:
        facts = self._facts[pid]
        others = sum(len(one.descriptors) for one in self._facts.values()) - len(facts.descriptors)
        left = max(0, _MOST_DESCRIPTORS - others)
        descriptors, is_all = read_descriptors(self._reader, pid, left)
        self._facts[pid] = replace(
            facts,
            descriptors=descriptors,
            all_descriptors=is_all,
            limits=self._limits.look(pid),
            mounts=self._mounts_of(pid),
            cwd=_cwd(pid),
        )

    def _mounts_of(self, pid: int) -> tuple[Mount, ...]:
        try:
            namespace = read_namespace(pid, "mnt")
            if namespace not in self._mounts:
                self._mounts[namespace] = read_mounts(pid)
        except (IotraceError, OSError, ValueError):
            return ()
        return self._mounts[namespace]

    def _look_at_file_locks(self, pids: tuple[int, ...]) -> None:
        waits, held = read_lock_waits(frozenset(pids)), self._held_locks.look()
        for pid in pids:
            if pid in self._facts:
                mine = tuple(one for one in waits if one.pid == pid)
                self._facts[pid] = replace(self._facts[pid], lock_waits=mine, held_locks=held)

    def _look_at_pipes(self, pids: Iterable[int]) -> None:
        """Of processes whose parent is traced as well, and writes to them."""
        for pid in pids:
            facts = self._facts.get(pid)
            parent = self._facts.get(facts.parent) if facts else None
            if facts is None or parent is None:
                continue
            written = {
                one.inode for one in parent.descriptors.values() if is_pipe(one, os.O_WRONLY)
            }
            fds = [
                one.fd
                for one in facts.descriptors.values()
                if is_pipe(one, os.O_RDONLY) and one.inode in written
            ]
            try:
                unread = read_pipes(self._reader, pid, fds[:_MOST_PIPES]) if fds else {}
            except (IotraceError, OSError, ValueError):
                unread = {}  # not known now: what lay there at an earlier look is not told
            self._facts[pid] = replace(facts, unread=unread)

    def _look_at_sockets(self, pids: list[int]) -> None:
        """``pids`` share a network namespace."""
        inodes = {
            pid: {d.inode for d in self._facts[pid].descriptors.values() if d.inode is not None}
            for pid in pids
        }
        found: Mapping[int, Socket] | None = None
        for pid in pids:  # any of them that still lives can tell
            try:
                found = read_sockets(self._reader, pid, set().union(*inodes.values()))
                break
            except (NoSuchProcess, PermissionDenied, Unsupported):
                continue
        if found is None:
            return
        for pid in pids:
            mine = {inode: found[inode] for inode in inodes[pid] if inode in found}
            mine |= self._drops.look(pid, mine)
            descriptors = self._facts[pid].descriptors.values()
            tcp = self._tcp.look(pid, descriptors, mine)
            self._facts[pid] = replace(self._facts[pid], sockets=mine, tcp=tcp)

    def listening_ports(self, pid: int) -> tuple[int, ...] | None:
        """The TCP ports that a process accepts connections on; None: it could not be asked."""
        facts = self._facts.get(pid)
        if facts is None or facts.sockets is None:
            return None
        return tuple(
            int(socket.local.rpartition(":")[2])
            for socket in facts.sockets.values()
            if socket.kind == "tcp" and socket.pending is not None
        )

    def forget(self, pids: Iterable[int]) -> None:
        """These processes are no longer told apart."""
        pids = frozenset(pids)
        if not pids:
            return
        for pid in pids:
            self._facts.pop(pid, None)
            self._limits.forget(pid)
        self._tcp.forget(pids)
        self._drops.forget(pids)
        # Containers have mount namespaces of their own.
        in_use = {id(facts.mounts) for facts in self._facts.values()}
        self._mounts = {
            namespace: mounts for namespace, mounts in self._mounts.items() if id(mounts) in in_use
        }

    def all(self) -> Mapping[int, ProcessFacts]:
        """The facts by pid."""
        return dict(self._facts)

    def _python(self, pid: int, exe: str | None) -> PythonBuild | None:
        """The interpreter; workers of one program share one look at its file."""
        if exe is None:
            return None
        if exe not in self._builds:
            try:
                self._builds[exe] = read_python(self._reader, pid)
            except (PermissionDenied, Unsupported):
                return None  # another one may be readable
        return self._builds[exe]


def is_pipe(one: Descriptor, mode: int) -> bool:
    """Whether it is an end of a pipe, opened to read or to write."""
    return one.kind == PIPE and one.info is not None and one.info.flags & os.O_ACCMODE == mode


def _network_namespace(pid: int) -> Namespace | None:
    """None: the process is about to end (or the kernel has no such namespaces)."""
    try:
        return read_namespace(pid, "net")
    except Unsupported:
        return None


def _cwd(pid: int) -> str:
    try:
        return read_cwd(pid)
    except (IotraceError, OSError, ValueError):
        return ""
