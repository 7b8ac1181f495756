# SPDX-License-Identifier: Apache-2.0
"""UDP datagrams that came while the receive buffer of their socket was full."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.model import Overflowed
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import busy_lines, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import FAMILIES, READS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, Kind

LEAST_DROPPED = 5
"""One burst may be a passing one, and a wrong checksum counts, too."""
HIGH_SHARE = 0.1
MEDIUM_SHARE = 0.01
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
    rows = [
        row
        for row in profile.process.descriptors
        if row.kind == Kind.UDP.label and (row.local, row.peer) == (one.local, one.peer)
    ]
    reads = [
        call
        for call in profile.process.calls
        if call.kind == Kind.UDP.label and call.syscall in READS and call.calls
    ]
    read = sum((call.calls or 0) - sum((call.errors or {}).values()) for call in reads)
    tids = {call.tid for call in reads}
    tid = tids.pop() if len(tids) == 1 else None
    evidence: dict[str, float | int | str] = {"socket": one.local, "dropped": one.dropped}
    share = None
    if reads:
        share = one.dropped / (one.dropped + read)
        evidence |= {"received": read, "dropped_share_ratio": round(share, 3)}
    busy_ns, lines = _meanwhile(tid, profile)
    evidence["reader_busy_ratio"] = round(busy_ns / profile.wall_ns, 3)
    bursts = busy_ns < BUSY_SHARE * profile.wall_ns
    came = f"{one.dropped:,} of {one.dropped + read:,}" if reads else f"{one.dropped:,}"
    return Hit(
        evidence,
        None,
        tid or None,
        rows[0].fd if len(rows) == 1 else None,
        severity=_severity(share),
        lines=lines,
        title=f"UDP datagrams are lost: the receive buffer of {one.local} was full for {came} "
        f"that came, and the kernel dropped them",
        advice=(_BURSTS if bursts else _TOO_SLOW) + _EITHER,
    )


def _severity(share: float | None) -> str:
    if share is None or share >= HIGH_SHARE:
        return "high"
    return "medium" if share >= MEDIUM_SHARE else "low"


def _meanwhile(tid: int | None, profile: ProcessProfile) -> tuple[int, tuple[ToldLine, ...]]:
    """For how long the threads that read (None: any) do something else, and where."""
    computes = profile.threads[tid].wants_cpu_ns if tid else profile.total.wants_cpu_ns
    slow = [
        one
        for one in profile.process.lines
        if (not tid or one.tid == tid)
        and one.syscall not in FAMILIES
        and one.kind not in INTERPRETER_KINDS
        and not (one.syscall in READS and one.kind == Kind.UDP.label)
    ]
    asleep = sum(one.wait_ns for one in slow)
    busy = busy_lines(profile.process, tid or None, callbacks=True)
    waiting = waiting_lines(slow, profile.process)
    return computes + asleep, waiting + busy if asleep > computes else busy + waiting


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
