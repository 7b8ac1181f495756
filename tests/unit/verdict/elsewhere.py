"""Processes that wait for peers, name servers and files, and their twins that hardly do."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import FileLockWait, Process
from iotrace.report.times import Percentiles
from tests.unit.verdict.made import MS, S, blocking, call, descriptor, line


def tail(wrong: bool) -> tuple[Process, ...]:
    server = blocking(wait=7 * S)
    upstream = descriptor(
        8, local="127.0.0.1:51000", peer="10.0.0.9:5432", wait=6 * S, nonblocking=False
    )
    one = replace(server, descriptors=(*server.descriptors, upstream))
    # 5 ms for most; 12 of them 0.4 s, or 120, that are not to be called few.
    late = 12 if wrong else 120
    buckets = ((4 * MS, 6 * MS, 588), (268 * MS, 403 * MS, late))
    times = Percentiles(5 * MS, 5 * MS, 5 * MS, 400 * MS, 402 * MS, buckets)
    return (replace(one, lines=(line("recvfrom", "tcp", 8, 588 + late, times=times),)),)


def file_lock(wrong: bool) -> tuple[Process, ...]:
    asleep = 5 * S if wrong else 40 * MS
    locks = call("flock", "file", 31, wait=asleep, longest=450 * MS)
    waits = (FileLockWait("flock", "/srv/state.lock", 4321, "python3"),)
    one = blocking(wait=4 * S, file=asleep)
    return (replace(one, calls=(*one.calls, locks), file_lock_waits=waits if wrong else ()),)


def slow_file(wrong: bool) -> tuple[Process, ...]:
    # As much time, but in calls of which none is long: a disk at its usual work.
    writes = call("fsync", "file", 41, wait=4 * S, longest=(400 if wrong else 9) * MS)
    one = blocking(wait=4 * S, file=4 * S)
    file = replace(
        descriptor(5, kind="file", local="/srv/log", peer="", wait=4 * S),
        file_system="nfs4 at /srv from nas:/srv",
    )
    return (replace(one, calls=(*one.calls, writes), descriptors=(*one.descriptors, file)),)


def silent_dns(wrong: bool) -> tuple[Process, ...]:
    # Nothing came back in 5 s; or the answers came, in 20 ms each.
    asleep = 5_005 * MS if wrong else 60 * MS
    one = blocking(wait=4 * S, poll=asleep)
    dead, good = (
        descriptor(
            fd, kind="udp", local="10.0.0.7:40001", peer=f"10.0.0.{server}:53", opened=3,
            polled=polled, bytes_in=answered,
        )
        for fd, server, polled, answered in (
            (9, 2, asleep, 0 if wrong else 300), (10, 3, MS, 300),
        )
    )  # fmt: skip
    return (replace(one, descriptors=(*one.descriptors, dead, good)),)
