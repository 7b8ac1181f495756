# SPDX-License-Identifier: Apache-2.0
"""What a process has around it: its sockets, its limits, locks on files. A part of the model."""

from __future__ import annotations

from dataclasses import dataclass, field

from iotrace.report.detail import FULL

MOST_PEERS = 20
"""As many rows of ``OpenSockets`` of one sort there are at most."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that accepts connections, at the last look.

    ``pending`` connections were in the accept queue, which holds ``max_pending`` (listen(2)).
    ``dropped``: connections (SYNs, or last ACKs) that it had no room for while it was traced.
    """

    local: str
    pending: int
    max_pending: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Connected:
    """TCP connections to one peer that were open at the last look and lead away from all listeners.

    ``closed_by_peer``: of these, those that the peer has closed and this process has not.
    """

    peer: str
    connections: int
    closed_by_peer: int


@dataclass(frozen=True, slots=True)
class LeftByClients:
    """Accepted connections that their clients had closed at the last look, and this process not.

    ``clients``: their addresses; ``client``: the one with the most. ``typical_ns``: for how long,
    in the middle, of those that the kernel has told of; None: of none. ``open_connections``: all
    that were accepted and are open.
    """

    connections: int
    open_connections: int
    clients: int
    client: str
    typical_ns: int | None


@dataclass(frozen=True, slots=True)
class Unsent:
    """A TCP socket with data that its peer had not taken at the last look.

    ``shut_ns``: its receive window had been closed without a break for so long at least; None: not
    known.
    """

    peer: str
    unsent_bytes: int
    shut_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """TCP connections whose peer acknowledged nothing at the last look.

    ``connecting``: they are not established, nobody has answered their SYNs. ``tries``: so often
    what was not acknowledged was sent again, at most; ``silent_ns``: that takes so long at least.
    """

    peer: str
    connecting: bool
    connections: int
    tries: int
    silent_ns: int


@dataclass(frozen=True, slots=True)
class OneSided:
    """Established TCP connections over which data has gone one way only since they were made, the
    last of it a second ago or longer.

    ``accepted``: by this process, whose listener ``address`` is: it has read what the client sent,
    and sent nothing. Else ``address`` is the peer's, which has acknowledged what it was sent, and
    sent nothing. ``silent_ns``: since the last data, of the one where that is longest ago;
    ``segments`` with data, at most.
    """

    address: str
    accepted: bool
    connections: int
    silent_ns: int
    segments: int


@dataclass(frozen=True, slots=True)
class Overflowed:
    """A UDP socket that had no room for ``dropped`` datagrams while the process was traced: its
    receive buffer was full (SO_RCVBUF), or their checksums were wrong.
    """

    local: str
    peer: str
    dropped: int


@dataclass(frozen=True, slots=True)
class InheritedConnection:
    """An established connection with unread data, of a listener that a process and its parent have
    open, and that the parent, which was traced, does not have open. ``peer``: the client."""

    peer: str
    unread_bytes: int


@dataclass(frozen=True, slots=True)
class OpenSockets:
    """All sockets that a process had open at the last look, also those that no call used.

    ``listening``: the local addresses that it accepts connections on. ``pending``: connections in
    the accept queues. ``unread``: established connections with unread data. ``count`` None: /proc
    could not be read, for the process had ended or was another user's. ``listeners``: those of TCP
    of which the kernel told more. ``connected``: the 20 peers with the most connections.
    ``unsent``: the 20 sockets with the most data that has not been taken. ``silent``: the 20 peers
    that have acknowledged nothing for longest, though it was sent twice or more. ``overflowed``:
    the 20 UDP sockets that have dropped most. ``one_sided``: the 20 addresses to or from which data
    has gone one way only, and for longest. ``left``: None: no client has left. ``inherited``: the
    20 with most unread data.
    """

    count: int | None
    listening: tuple[str, ...] = ()
    pending: int | None = None
    unread: int | None = None
    listeners: tuple[Listener, ...] = ()
    connected: tuple[Connected, ...] = ()
    unsent: tuple[Unsent, ...] = ()
    silent: tuple[Silent, ...] = ()
    overflowed: tuple[Overflowed, ...] = ()
    one_sided: tuple[OneSided, ...] = ()
    left: LeftByClients | None = None
    inherited: tuple[InheritedConnection, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """What the control groups of a process allow it, on whatever level (cgroups(7)); its CPUs, its
    memory on swap, its descriptors; and what the machine's CPUs did meanwhile.

    ``throttled_ns``: how long the quota of ``cpu_group`` kept that group from running while the
    process was traced; None: there is no quota. ``cpu_quota_cpus``: CPU time for each unit of time
    (0.5: half of one CPU). ``memory_used_bytes`` at the last look, of ``memory_group``, whose limit
    leaves the process the least; ``memory_idle_cache_bytes``: of that, cached files that have not
    been used lately. None: no limit. ``oom_kills``: so many processes the kernel killed in that
    group for want of memory while the process was traced; None: not known. ``cpus``: so many it
    may run on, at the last look (sched_setaffinity(2), cpuset); None: not known.
    ``swapped_bytes``: of its memory, at the last look (proc_pid_status(5), VmSwap); None: not
    known. ``swapped_in_pages``: that the whole machine has fetched from swap while the process was
    traced (proc_vmstat(5)); None: not known.
    ``machine_running_ns``: so long all CPUs of the machine together ran anything meanwhile, and
    ``machine_stolen_ns``: so long they had something to run, and the hypervisor did not let them
    (proc_stat(5), steal; both count in ticks of 10 ms); None: not known. ``open_files``: its
    descriptors at the last look, of ``most_open_files`` (RLIMIT_NOFILE); None: not known.
    ``own_bytes``: of its memory that no file holds, in RAM or on swap, at the last look, and
    ``own_grown_bytes``: what that grew by (less than 0: it shrank) from the first one, which was
    ``own_watched_ns`` before (RssAnon and VmSwap); None: not known.
    """

    cpu_group: str = ""
    cpu_quota_cpus: float | None = None
    throttled_ns: int | None = None
    memory_group: str = ""
    memory_limit_bytes: int | None = None
    memory_used_bytes: int | None = None
    memory_idle_cache_bytes: int | None = None
    oom_kills: int | None = None
    cpus: int | None = None
    swapped_bytes: int | None = None
    swapped_in_pages: int | None = None
    machine_running_ns: int | None = None
    machine_stolen_ns: int | None = None
    open_files: int | None = None
    most_open_files: int | None = None
    own_bytes: int | None = None
    own_grown_bytes: int | None = None
    own_watched_ns: int | None = None


@dataclass(frozen=True, slots=True)
class UnreadPipe:
    """A pipe that a process reads and its parent, which was traced, writes to, and in which data
    lay at the end.

    ``pipe``: "pipe:[81]". ``others``: the traced processes but for the parent that could read it
    as well. ``reads``: calls of this process that read it while it was traced; None: not known.
    """

    fd: int
    pipe: str
    unread_bytes: int
    reads: int | None = field(default=None, metadata=FULL)
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLockWait:
    """A lock on a file that a process waited for at the end, or had been refused, and that another
    process had then (proc_locks(5)).

    ``call``: "flock" or "fcntl". ``path``: of the file, "": not known. ``holder``: the process that
    had the lock, None: it is not one process, or of another PID namespace; ``holder_name``: its
    command name.
    """

    call: str
    path: str
    holder: int | None
    holder_name: str = ""
