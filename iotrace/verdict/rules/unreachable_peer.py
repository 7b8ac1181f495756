# SPDX-License-Identifier: Apache-2.0
"""A service that cannot be reached, while the program waits and tries again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from iotrace.report.requests import Upstream
from iotrace.report.stacks import Frame, Line
from iotrace.verdict.cpu_samples import busy_lines, cpu_ns_of
from iotrace.verdict.frames import has_own, library_frames, short_name
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import asks, serves
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import HIGH_SHARE, Hit, Rank, Rule, always
from iotrace.vocabulary.calls import CONNECTS, FAMILIES, LOCKS, SLEEPS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

FAILED_SHARE = 0.9
"""Of the attempts: of one that is up, some may fail."""
REFUSED_NS = 100_000_000
"""An attempt that fails sooner is refused; nobody has so short a timeout."""
_CONNECTS = re.compile(r"connect|select_?server|bootstrap|handshake", re.IGNORECASE)
_TRIES_AGAIN = re.compile(r"connect|retr(?:y|ies)|back_?off|select_?server", re.IGNORECASE)
"""Functions that wait for a connection; those that sleep between two attempts."""
ALL_ALONG_SHARE = 0.5
"""Of its life that a thread waits in one native call, while native threads cannot connect."""
LEAST_ATTEMPTS = 2
"""Of these, from which on they are most likely what it waits for."""
WITHOUT_PAUSE = 100.0
"""Attempts a second: a pause of 10 ms is none for a service that is to be started meanwhile."""


def _unreachable(profile: ProcessProfile) -> Iterator[Hit]:
    failing = [one for one in profile.process.upstreams if _fails(one)]
    waiting = _waiting(profile) if failing else []
    native = []
    if failing and not waiting:
        attempts = max(one.connect_errors for one in failing)
        native = [
            one
            for one in _behind_native_threads(profile)
            if attempts >= LEAST_ATTEMPTS or asks(one.stack)
        ]
        waiting = native
    waited = sum(one.wait_ns for one in waiting)
    if native:
        tids = {one.tid for one in native}
        waited = sum(profile.threads[tid].asleep_ns for tid in tids)
    if failing and waited >= HIGH_SHARE * profile.wall_ns:
        worst = max(failing, key=lambda one: one.connect_errors)
        yield _hit(worst, len(failing), waiting, waited, profile)
    elif failing:
        worst = max(failing, key=lambda one: one.connect_errors)
        spent = _trying_cpu_ns(profile)
        if (
            profile.per_second(worst.connect_errors) >= WITHOUT_PAUSE
            and _hardly_connects(profile)
            and spent >= HIGH_SHARE * profile.wall_ns
        ):
            yield _spinning_hit(worst, len(failing), spent, profile)


def _trying_cpu_ns(profile: ProcessProfile) -> int:
    """CPU time of making connections, by samples."""
    trying = (one for one in profile.process.cpu_samples if _connects(one.stack))
    return cpu_ns_of(trying)


def _connects(stack: Sequence[Frame]) -> bool:
    """Whether a function that makes a connection is at work, or what it has called."""
    library = stack[: len(library_frames(stack)) + 1]
    return any(_CONNECTS.search(short_name(frame)) for frame in library)


def _spinning_hit(peer: Upstream, peers: int, spent: int, profile: ProcessProfile) -> Hit:
    """Nobody sleeps between two attempts."""
    attempts = peer.connect_errors
    trying = Counter[int]()
    for one in profile.process.cpu_samples:
        if _connects(one.stack):
            trying[one.tid] += one.samples
    ((tid, _),) = trying.most_common(1)
    return Hit(
        {
            "peer": peer.peer,
            "failed_connects": attempts,
            "per_second": round(profile.per_second(attempts)),
            "cpu_ns": spent,
            **({"peers": peers} if peers > 1 else {}),
        },
        spent,
        tid if tid in profile.threads else None,
        severity="high",
        lines=busy_lines(profile.process, tid, callbacks=True),
        title=f"No connection to {peer.peer} comes about ({plural(attempts, 'attempt')}, each "
        "fails at once, most likely refused: nothing listens there), and it is tried again without "
        f"a pause: {profile.per_second(attempts):,.0f} times a second, about {duration(spent)} of "
        "CPU time",
        advice=_PAUSES + _ADVICE,
    )


def _fails(one: Upstream) -> bool:
    established = one.connect_ns.count if one.connect_ns else 0
    return one.connect_errors > 0 and one.connect_errors >= FAILED_SHARE * (
        one.connect_errors + established
    )


def _hardly_connects(profile: ProcessProfile) -> bool:
    """To none of its peers: samples do not tell to whom a connection is made."""
    rows = profile.process.upstreams
    failed = sum(one.connect_errors for one in rows)
    made = sum(one.connect_ns.count for one in rows if one.connect_ns)
    return failed >= FAILED_SHARE * (failed + made)


def _waiting(profile: ProcessProfile) -> list[Line]:
    """Waits in functions that make connections: of those who serve if the process does; else of
    the program's own code, or of a library's where nobody else waits."""
    found = [one for one in profile.process.lines if one.wait_ns and _for_connection(one)]
    if profile.listening_ports():
        return [one for one in found if serves(one.stack)]
    own = [one for one in found if has_own(one.stack)]
    return own or found


def _for_connection(line: Line) -> bool:
    names = [short_name(frame) for frame in line.stack[: len(library_frames(line.stack)) + 1]]
    if line.syscall in SLEEPS:
        return any(map(_TRIES_AGAIN.search, names))
    waits = line.syscall in LOCKS or line.syscall in FAMILIES or line.syscall in CONNECTS
    return waits and any(map(_CONNECTS.search, names))


def _behind_native_threads(profile: ProcessProfile) -> list[Line]:
    """Waits for a lock inside a native function that the program calls (librdkafka's flush, a call
    of gRPC), where all connects are made by threads that run no Python: by those of that library.
    """
    followed = {one.tid for one in profile.process.lines if one.stack}
    followed |= {one.tid for one in profile.process.threads if one.in_call and one.in_call.stack}
    if any(one.tid in followed for one in profile.process.calls if one.syscall in CONNECTS):
        return []
    inside: dict[int, list[Line]] = {}
    for one in profile.process.lines:
        if one.wait_ns and one.stack and _is_native_wait(one):
            inside.setdefault(one.tid, []).append(one)
    return [
        one
        for tid, group in inside.items()
        if tid in profile.threads and _is_all_along(tid, group, profile)
        for one in group
    ]


def _is_all_along(tid: int, group: Sequence[Line], profile: ProcessProfile) -> bool:
    """Whether a thread waits so for much of its life. Of many short waits only some have a line:
    these are compared with its other lines, and all waits with its life."""
    syscalls = {one.syscall for one in group}
    waited = sum(one.wait_ns for one in profile.calls.get(tid, ()) if one.syscall in syscalls)
    with_line = sum(one.wait_ns for one in profile.process.lines if one.tid == tid)
    there = sum(one.wait_ns for one in group)
    return (
        there >= ALL_ALONG_SHARE * with_line
        and waited >= ALL_ALONG_SHARE * profile.threads[tid].lifetime_ns
    )


def _is_native_wait(line: Line) -> bool:
    """The program's own code has called it directly, or by way of a client's library, which may
    wait in a multiplexer of its own."""
    library = library_frames(line.stack)
    if len(library) == len(line.stack) or line.kind in INTERPRETER_KINDS:
        return False
    if line.syscall in FAMILIES:
        return asks(line.stack)
    return line.syscall in LOCKS and (not library or asks(line.stack))


def _hit(
    peer: Upstream, peers: int, waiting: Sequence[Line], waited: int, profile: ProcessProfile
) -> Hit:
    attempts = peer.connect_errors
    each = _trying_ns(peer, profile) // attempts
    evidence: dict[str, float | int | str] = {
        "peer": peer.peer,
        "failed_connects": attempts,
        **({"each_took_ns": each} if each else {}),
        "waited_ns": waited,
        "waits": sum(one.calls + one.in_flight for one in waiting),
    }
    if peers > 1:
        evidence["peers"] = peers
    longest = _longest_connect_ns(waiting)
    how, advice = ", refused at once, nothing listens there", _ADVICE
    if max(each, longest) >= REFUSED_NS:
        advice = _DROPPED + _ADVICE
        how = (
            f", it does not answer within {duration(max(each, longest))}: that host is gone, or "
            "the network drops the packets"
        )
        if each < REFUSED_NS and _connects_slowly(profile):
            how = ""  # that may be what took so long
    return Hit(
        evidence,
        waited,
        severity="high",
        lines=waiting_lines(waiting, profile.process),
        title=f"No connection to {peer.peer} comes about ({plural(attempts, 'attempt')}{how}), "
        "while threads wait for one",
        advice=advice,
    )


def _trying_ns(peer: Upstream, profile: ProcessProfile) -> int:
    """Asleep in connects and in polls of a socket that is to be connected. A socket that could not
    be has no peer."""
    rows = [
        one for one in profile.process.descriptors
        if one.kind == "tcp" and one.peer in ("", peer.peer) and not one.bytes_in
    ]  # fmt: skip
    return sum(one.wait_ns + one.polled_ns for one in rows)


def _longest_connect_ns(waiting: Sequence[Line]) -> int:
    """By lines: a descriptor's number that others had since tells nothing of the attempts on it."""
    return max((one.max_ns for one in waiting if _makes(one)), default=0)


def _makes(line: Line) -> bool:
    """It waits for nothing but the connection."""
    if line.syscall in CONNECTS:
        return True
    frame = line.stack[0]
    made = frame.plain_function == "create_connection" and frame.file.endswith("/socket.py")
    return made and line.syscall in FAMILIES


def _connects_slowly(profile: ProcessProfile) -> bool:
    """Whether a connection that was established took as long as none that is refused."""
    made = [one.connect_ns.max for one in profile.process.upstreams if one.connect_ns]
    return max(made, default=0) >= REFUSED_NS


_DROPPED = (
    "Look at the way there: `ip route get ADDRESS`, firewalls, whether the host is up; `ss -tni` "
    "shows what is sent again. "
)
_PAUSES = (
    "Sleep between two attempts, longer each time (redis: Retry(ExponentialBackoff(), ...); "
    "tenacity, backoff), and log the first failure. "
)
_ADVICE = (
    "See whether that service runs and listens at this address (`ss -ltn` on its host; its log), "
    "and whether the address and port in the configuration are right. Until it is back: a short "
    "limit on how long and how often is tried (pymongo: serverSelectionTimeoutMS; celery: "
    "retry=False or retry_policy in apply_async; redis, databases: a connect timeout), and an "
    "error for the client at once in place of a wait in each request."
)


def _by_trying(cause: Hit, symptom: Hit) -> bool:
    """Whether the CPU time goes with the attempts."""
    return "cpu_ns" in cause.evidence


UNREACHABLE = Rule(
    "IO174",
    "A service cannot be reached, and threads wait for a connection",
    _ADVICE,
    _unreachable,
    explains={
        "IO103": _by_trying, "IO105": always, "IO106": _by_trying, "IO120": _by_trying,
        "IO132": _by_trying, "IO133": _by_trying,
        "IO117": always, "IO118": always, "IO119": always, "IO131": always,
        "IO140": always, "IO142": always, "IO157": always, "IO170": always, "IO171": always,
    },
    rank=Rank.STUCK,
)  # fmt: skip
