# SPDX-License-Identifier: Apache-2.0
"""UDP datagrams that came while the receive buffer of their socket was full."""

from __future__ import annotations

from collections.abc import Iterator, Set

from iotrace.report.detail import Detail
from iotrace.report.model import Overflowed
from iotrace.verdict.call_sums import sum_calls
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import FAMILIES, READS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, Kind

LEAST_DROPPED = 5
"""One burst may be a passing one, and a wrong checksum counts, too."""
HIGH_LOST = 0.1
MEDIUM_LOST = 0.01
"""Of the datagrams that came: senders of UDP reckon with a loss now and then."""
BUSY_SHARE = 0.5
"""Of its time that a reader is on a CPU or asleep elsewhere: it reads too slowly even on average.
Below that only bursts are too large for the buffer."""


def _dropped(profile: ProcessProfile) -> Iterator[Hit]:
    sockets = profile.process.sockets
    for one in sockets.overflowed if sockets else ():
        if one.dropped >= LEAST_DROPPED:
            yield _hit(one, profile)


def _hit(one: Overflowed, profile: ProcessProfile) -> Hit:
    udp = [row for row in profile.process.descriptors if row.kind == Kind.UDP.label]
    rows = [row for row in udp if (row.local, row.peer) == (one.local, one.peer)]
    reads = [
        call
        for call in profile.process.calls
        if call.kind == Kind.UDP.label and call.syscall in READS and call.calls
    ]
    tids = {call.tid for call in reads}
    tid = next(iter(tids)) if len(tids) == 1 else None
    evidence: dict[str, float | int | str] = {"socket": one.local, "dropped": one.dropped}
    lost, came = None, f"{one.dropped:,}"
    received = [row for row in udp if row.bytes_in]
    # Calls are not known by descriptor, nor how many messages one of recvmmsg has taken.
    if reads and rows and received == rows and all(call.syscall != "recvmmsg" for call in reads):
        read = sum_calls(reads).ok
        lost = one.dropped / (one.dropped + read)
        came = f"{one.dropped:,} of {one.dropped + read:,}"
        evidence |= {"received": read, "dropped_share_ratio": round(lost, 3)}
    busy, lines = _meanwhile(tid, tids, profile)
    evidence["reader_busy_ratio"] = round(busy, 3)
    bursts = busy < BUSY_SHARE
    return Hit(
        evidence,
        None,
        tid or None,
        rows[0].fd if len(rows) == 1 else None,
        severity=_severity(lost),
        lines=lines,
        title=f"UDP datagrams are lost: the receive buffer of {one.local} was full for {came} "
        f"that came, and the kernel dropped them",
        advice=(_BURSTS if bursts else _TOO_SLOW) + _EITHER,
    )


def _severity(lost: float | None) -> str:
    if lost is None:
        return "medium"
    return "high" if lost >= HIGH_LOST else "medium" if lost >= MEDIUM_LOST else "low"


def _meanwhile(
    tid: int | None, readers: Set[int], profile: ProcessProfile
) -> tuple[float, tuple[ToldLine, ...]]:
    """The part of their time for which the threads that read (none are known: all) do something
    else, and where; ``tid``: of the only one."""
    tids = readers or profile.threads.keys()
    threads = [seen for its, seen in profile.threads.items() if its in tids]
    computes = sum(seen.wants_cpu_ns for seen in threads)
    slow = [
        one
        for one in profile.process.lines
        if one.tid in tids
        and one.syscall not in FAMILIES
        and one.kind not in INTERPRETER_KINDS
        and not (one.syscall in READS and one.kind == Kind.UDP.label)
    ]
    asleep = sum(one.wait_ns for one in slow)
    busy = busy_lines(profile.process, tid or None, callbacks=True)
    waiting = waiting_lines(slow, profile.process)
    part = (computes + asleep) / max(1, sum(seen.lifetime_ns for seen in threads))
    return part, waiting + busy if asleep > computes else busy + waiting


_BURSTS = (
    "They come in bursts that are larger than the buffer, while the thread that reads handles each "
    "at once: "
)
_TOO_SLOW = "They come faster than the thread that reads handles them: "
_EITHER = (
    "give the socket a larger buffer (sock.setsockopt(SOL_SOCKET, SO_RCVBUF, 8 << 20), with sysctl "
    "net.core.rmem_max as large; `ss -uanm` shows both and the drops, d), and do no work where a "
    "datagram is received (asyncio: datagram_received): put it into a queue for another thread or "
    "process. Several processes can share a port (SO_REUSEPORT)."
)


DROPPED = Rule(
    "IO198",
    "UDP datagrams are lost: the receive buffer was full",
    "Give the socket a larger receive buffer, and do no work where a datagram is received.",
    _dropped,
    least=Detail.SOCKETS,
)
