# SPDX-License-Identifier: Apache-2.0
"""Many reads where one would do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from iotrace.report.model import Call
from iotrace.report.stacks import Frame
from iotrace.verdict.cpu_samples import busy_lines, most_sampled
from iotrace.verdict.frames import named
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.pool_threads import woken_by_threads
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import MOST
from iotrace.vocabulary.calls import READS, WRITES
from iotrace.vocabulary.kinds import FILES, PIPES_AND_TERMINALS

FILLED_SHARE = 0.8
"""Of the reads that return as much as they asked for: there was more to take."""
SMALL_BYTES = 4096
"""A mean read below it is small; a page is the least that a socket buffer holds."""
GOOD_BYTES = 65536
"""What one read could have taken: asyncio and http.server ask for 64 KiB."""
LEAST_PER_SECOND = 200
BYTEWISE_BYTES = 2
"""A mean below it: byte by byte. Pipes and terminals are told of only then: each message of
multiprocessing is read in two calls that fill their buffers, its length and what it is."""
_STREAMS = PIPES_AND_TERMINALS | {"tcp"}
CPU_SHARE = 0.05
BUSY_SHARE = 0.3
"""Of one CPU, that the process takes or waits for while it reads files by other threads."""
HANDED_SHARE = 0.5
"""Of the reads of files, after which a thread wakes the loop."""
HANDING_SHARE = 0.02
"""Of the CPU samples, in what hands something to a thread: 200 times a second cost that."""
OF_A_REQUEST = 4
"""Hand-overs that any request may have: its function, what that depends on, what is done after the
answer. What its thread reads or writes meanwhile, such as a log, is no piece handed over."""
SENT_SHARE = 0.05
"""Of what is read of files; with less on all sockets together it goes to nobody."""


def _tiny(profile: ProcessProfile) -> Iterator[Hit]:
    """Of each kind of stream apart: a pipe's messages say nothing of how connections are read."""
    for tid, calls in profile.calls.items():
        for kind in sorted({one.kind for one in calls} & _STREAMS):
            hit = _tiny_hit(profile, tid, kind)
            if hit is not None:
                yield hit


def _tiny_hit(profile: ProcessProfile, tid: int, kind: str) -> Hit | None:
    seen = profile.threads[tid]
    rows = [one for one in profile.calls[tid] if one.syscall in READS and one.kind == kind]
    good = sum((one.calls or 0) - sum((one.errors or {}).values()) for one in rows)
    total, filled = sum(one.bytes or 0 for one in rows), sum(one.filled or 0 for one in rows)
    if not good or not total:
        return None
    needed = max(1, -(-total // GOOD_BYTES))
    cost = int(seen.cpu_ns * (good - needed) / max(1, seen.syscalls))
    bytewise = total < BYTEWISE_BYTES * good
    if (
        (kind in PIPES_AND_TERMINALS and not bytewise)
        or total / good >= SMALL_BYTES
        or filled < FILLED_SHARE * good
        or profile.per_second(good) < LEAST_PER_SECOND
        or cost < CPU_SHARE * profile.wall_ns
    ):
        return None
    return Hit(
        {
            **({"kind": kind} if kind in PIPES_AND_TERMINALS else {}),
            "reads": good,
            "mean_read_bytes": total // good,
            "reads_per_kib": round(good / (total / 1024), 2),
            "filled_ratio": round(filled / good, 3),
            "cpu_ns": cost,
        },
        cost,
        tid,
        lines=busy_lines(profile.process, tid) if bytewise else (),
        title=f"{kind} read one byte at a time: {profile.per_second(good):,.0f} reads a second, "
        f"which take {share(cost, profile.wall_ns)} of a CPU"
        if bytewise
        else "",
        advice=_BYTEWISE if bytewise else "",
    )


_BYTEWISE = (
    "Read what is there in one call, and cut lines or messages out of that: recv(65536), "
    "os.read(fd, 65536), sock.makefile('rb'), open(fd, 'rb') without buffering=0. pyserial has no "
    "buffer, so that its readline() and read_until() read byte by byte: read(max(1, "
    "line.in_waiting)) and split what has come, or serial.threaded.LineReader."
)


def _tiny_files(profile: ProcessProfile) -> Iterator[Hit]:
    """A file that an event loop has read, or written, by other threads, a small piece at a time."""
    seen, loops = profile.total, profile.loop_threads()
    if seen.cpu_ns + seen.runq_ns < BUSY_SHARE * profile.wall_ns or not _seen_to_hand_over(profile):
        return
    files = [one for one in profile.process.calls if one.kind in FILES and one.tid not in loops]
    of_requests = OF_A_REQUEST * sum(
        one.exchanges + one.unanswered for one in profile.process.requests
    )
    for names, does, done in ((READS, "read", "read"), (WRITES, "write", "written")):
        rows = [one for one in files if one.syscall in names]
        count, moved = sum(one.calls or 0 for one in rows), sum(one.bytes or 0 for one in rows)
        if (
            profile.per_second(count) >= LEAST_PER_SECOND
            and moved < GOOD_BYTES * count / 2
            and count >= of_requests
            and woken_by_threads(profile) - of_requests >= HANDED_SHARE * count
            and _of_large_things(rows, count, moved, does)
        ):
            yield _pieces_hit(profile, count, moved, does, done)


def _seen_to_hand_over(profile: ProcessProfile) -> bool:
    rows = profile.process.cpu_samples
    seen = sum(one.samples for one in rows if _hands_over(one.stack) is not None)
    return bool(seen) and seen >= HANDING_SHARE * sum(one.samples for one in rows)


def _of_large_things(rows: Sequence[Call], count: int, moved: int, does: str) -> bool:
    """Pieces, not whole small files, whose last read fills no buffer, nor lines of a log."""
    if does == "read":
        return sum(one.filled or 0 for one in rows) >= FILLED_SHARE * count
    return moved >= SMALL_BYTES * count


def _pieces_hit(profile: ProcessProfile, count: int, moved: int, does: str, done: str) -> Hit:
    """``does`` and ``done``: "write", "written"."""
    reads = does == "read"
    files = [one for one in profile.process.descriptors if one.kind in FILES and one.local]
    sizes = Counter[str]()
    for one in files:
        sizes[one.local] += (one.bytes_in if reads else one.bytes_out) or 0
    worst = max(sizes, key=sizes.__getitem__, default="")
    whose = f" of {worst}" if sizes[worst] else ""
    sent = sum(one.bytes_out or 0 for one in profile.connections() if one.local or one.peer)
    nobody = reads and sent < SENT_SHARE * moved
    evidence: dict[str, float | int | str] = {
        **({"file": worst} if whose else {}),
        f"{does}s": count,
        f"mean_{does}_bytes": moved // count,
        f"{done}_bytes": moved,
        "cpu_ns": profile.total.cpu_ns,
    }
    if reads:
        evidence["sent_bytes"] = sent
    return Hit(
        evidence,
        min(profile.wall_ns, profile.total.cpu_ns),
        lines=(
            *most_sampled(profile.process, _hands_over, f"{does}, each piece in another thread"),
            *busy_lines(profile.process),
        )[:MOST],
        title=f"A file is {done} in small pieces, each in another thread: {count:,} {does}s of "
        f"{moved // count:,} bytes each{whose} in {duration(profile.wall_ns)}"
        + (
            f", and it is sent to nobody: all sockets together got {plural(sent, 'byte')}"
            if nobody
            else ""
        ),
        advice=((_NOBODY if nobody else "") + _WHOLE_FILES) if reads else _WHOLE_WRITES,
    )


def _hands_over(stack: Sequence[Frame]) -> Frame | None:
    """What has a piece read in a thread."""
    places = [place for place, one in enumerate(stack) if _HANDS_OVER.search(named(one))]
    return stack[places[-1] + 1] if places and places[-1] + 1 < len(stack) else None


_HANDS_OVER = re.compile(
    r"/aiofiles/|/anyio/|/asyncio/threads\.py:|/concurrent/futures/thread\.py:submit$"
    r"|:run_in_(?:executor|threadpool)$|:iterate_in_threadpool$|:sync_to_async$"
)
_NOBODY = (
    "Whoever asked for it has gone, most likely, and the program goes on to the file's end: look "
    "whether the client is still there between two pieces (Starlette: await "
    "request.is_disconnected(); an update of the server, whose send() then raises), and end. "
)
_WHOLE_FILES = (
    "Read larger pieces (aiofiles: read(1 << 20); Starlette: FileResponse.chunk_size), or leave "
    "files to the kernel or a proxy (loop.sendfile, X-Accel-Redirect): each piece costs two "
    "hand-overs between threads."
)

_WHOLE_WRITES = (
    "Each piece costs two hand-overs between threads, for some microseconds of work: collect a "
    "megabyte before it is handed to a thread. Of uploads: a newer Starlette writes to a thread "
    "only what is on a disk (0.13.5), and a larger UploadFile.spool_max_size keeps more of it in "
    "memory; await request.stream() gives the parts of a body that is no form as they come."
)

TINY = Rule(
    "IO110",
    "Tiny reads: the buffer is always filled, many calls a kilobyte",
    "Read with a larger buffer (recv(65536), sock.makefile('rb') or asyncio streams) and cut the "
    "messages out of it in the program.",
    lambda profile: (*_tiny(profile), *_tiny_files(profile)),
    cost=Cost.CPU,
)
