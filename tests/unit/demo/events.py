"""Hand-made timelines: what a thread of a server does, event by event."""

from __future__ import annotations

from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.events import EventKind

PID, TID = 100, 101
LISTENER, CONNECTION = 3, 4
INODE = 777
EAGAIN = -11


class Script:
    """Writes events; ``at`` is the time of the next one."""

    def __init__(self, at_ns: int = 0, pid: int = PID, tid: int = TID) -> None:
        self.at_ns = at_ns
        self.pid = pid
        self.tid = tid
        self.events: list[Event] = []

    def after(self, ns: int) -> Script:
        """Let time pass."""
        self.at_ns += ns
        return self

    def add(
        self,
        kind: EventKind,
        syscall: str = "",
        fd: int = -1,
        value: int = 0,
        tid: int | None = None,
    ) -> Script:
        """One event, now."""
        owner = self.tid if tid is None else tid
        pid = self.pid if kind is not EventKind.READY else 0
        self.events.append(Event(self.at_ns, pid, owner, kind, syscall, fd, value))
        return self

    def call(self, syscall: str, fd: int, result: int, took_ns: int) -> Script:
        """A call that does not sleep."""
        self.add(EventKind.ENTER, syscall, fd).after(took_ns)
        return self.add(EventKind.EXIT, syscall, fd, result)

    def ready(self, inode: int = INODE) -> Script:
        """Data arrives."""
        return self.add(EventKind.READY, value=inode, tid=0)

    def sleep(self, syscall: str, fd: int, *, wait_ns: int, runq_ns: int, inode: int = 0) -> Script:
        """Asleep in a call until data arrives, then in the run queue, then on a CPU."""
        self.add(EventKind.SLEEP, syscall, fd).after(wait_ns)
        if inode:
            self.ready(inode)
        self.after(3).add(EventKind.WAKE, syscall, fd).after(runq_ns)
        return self.add(EventKind.RUN, syscall, fd)


def blocking_read(script: Script, *, wait_ns: int = 20_000_000, octets: int = 84) -> Script:
    """recvfrom: 5 ns until it sleeps, the wait, 30 us run queue, 4 ns, 2 ns of copy."""
    script.add(EventKind.ENTER, "recvfrom", CONNECTION).after(5)
    script.sleep("recvfrom", CONNECTION, wait_ns=wait_ns, runq_ns=30_000, inode=INODE).after(4)
    script.add(EventKind.COPY, "recvfrom", CONNECTION).after(2)
    return script.add(EventKind.EXIT, "recvfrom", CONNECTION, octets)


def blocking_requests(number: int, *, first_wait_ns: int = 20_000_000) -> Script:
    """So many requests of a blocking server; each handler takes 1 us longer than the last."""
    script = Script()
    script.add(EventKind.ENTER, "accept4", LISTENER).after(10)
    script.add(EventKind.EXIT, "accept4", LISTENER, CONNECTION)
    for index in range(number):
        script.after(1_000)
        blocking_read(script, wait_ns=first_wait_ns + index)
        script.after(10_000 + 1_000 * index).call("sendto", CONNECTION, 84, 5_000)
    return script


def polling_request(polls: int) -> Script:
    """An answer, then so many reads that find nothing, then one that finds data, the answer."""
    script = Script()
    script.call("accept4", LISTENER, CONNECTION, 100)
    script.call("recvfrom", CONNECTION, 84, 200).call("sendto", CONNECTION, 84, 300)
    for _ in range(polls):
        script.after(1_000).call("recvfrom", CONNECTION, EAGAIN, 500)
    script.after(1_000).ready().after(7)
    script.add(EventKind.ENTER, "recvfrom", CONNECTION).after(5)
    script.add(EventKind.COPY, "recvfrom", CONNECTION).after(2)
    script.add(EventKind.EXIT, "recvfrom", CONNECTION, 84)
    return script.after(6_000).call("sendto", CONNECTION, 84, 300)
