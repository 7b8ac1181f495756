# SPDX-License-Identifier: Apache-2.0
"""Waits for a file system: reads, writes, look-ups, changes of files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from iotrace.report.model import Call, Descriptor
from iotrace.report.stacks import Frame, Line
from iotrace.verdict.allowed_files import ADVICE, allowed_by, title_of
from iotrace.verdict.frames import import_statement, is_import
from iotrace.verdict.number_formats import duration, figure, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import Whole, whole_of
from iotrace.verdict.rules.rule import HIGH_SHARE, QUEUES, Hit, Rule, always
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.told_lines import ToldLine, frame_text, wait_at
from iotrace.vocabulary.calls import FILE_CALLS, FILE_LOCKS, FILE_SYNCS
from iotrace.vocabulary.kinds import FILES

LEAST_SHARE = 0.1
"""Of the time traced in which it got a CPU when it wanted one, of all threads together."""
LEAST_WAIT_NS = 100_000_000
SYNCS_PER_SECOND = 20
"""So many, each shorter than the long ones below, and the number is what takes the time;"""
SYNCED_SHARE = 0.5
"""they are most of what is waited for."""
THREAD_SHARE = 0.2
"""The same, of one thread, where the calls are short but many."""
IMPORTS_SHARE = 0.5
"""Of what is waited for files, inside imports."""
LONG_NS = 10_000_000
"""The longest call, at least: a disk that is not overloaded answers sooner."""


def _slow(profile: ProcessProfile) -> Iterator[Hit]:
    calls = [one for one in profile.process.calls if one.wait_ns and _on_files(one)]
    waited = sum(one.wait_ns for one in calls)
    ran_ns = _ran_ns(profile, {one.tid for one in calls})
    whole = whole_of(waited, profile, NOTICED_NS, ("file",), ran_ns)
    if waited < max(LEAST_WAIT_NS, LEAST_SHARE * whole.ns):
        return
    kinds: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for one in calls:
        kinds[one.syscall, one.kind].append(one)
    alike = max(kinds.values(), key=lambda rows: sum(one.wait_ns for one in rows))
    worst = max(alike, key=lambda one: one.wait_ns)
    longest = max((one.latency_ns.max for one in calls if one.latency_ns), default=0)
    unreturned = sum(one.in_flight for one in calls)
    syncs = _syncs(profile)
    mostly_syncs = syncs and waited >= HIGH_SHARE * ran_ns
    if longest < LONG_NS and not unreturned and not mostly_syncs:
        return
    if not unreturned and not mostly_syncs and _is_quick(calls, waited, profile, whole):
        return
    evidence: dict[str, float | int | str] = {
        "call": worst.syscall,
        **profile.count_of(*alike),
        "waited_in_it_ns": sum(one.wait_ns for one in alike),
        "waited_for_files_ns": waited,
        "longest_ns": max(longest, 0 if worst.calls else worst.wait_ns),
    }
    if unreturned:
        evidence["not_returned"] = unreturned
    file = _file(profile, worst)
    path, file_system = (file.local, file.file_system) if file else _path(profile, worst)
    if path:
        evidence["path"] = path
    if file_system:
        evidence["file_system"] = file_system
    deciders = () if syncs else allowed_by(worst, profile)
    if deciders:
        evidence["allowed_by"] = ", ".join(deciders)
    if syncs:
        evidence["syncs_per_second"] = round(profile.per_second(syncs), 1)
    at = f" of {path}" if path else ""
    tids = {one.tid for one in calls}
    lines = [one for one in profile.process.lines if _on_files(one)]
    imports = [one for one in lines if import_statement(one.stack) is not None]
    if _waits(imports) >= IMPORTS_SHARE * _waits(lines) > 0:
        yield replace(_importing(imports, evidence, waited), whole=whole)
        return
    yield Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        file.fd if file is not None else None,
        lines=waiting_lines(lines, profile.process),
        title=f"The program syncs to the disk again and again, {figure(profile.per_second(syncs))} "
        f"times a second, and waits each time: {worst.syscall}{at}"
        if syncs
        else title_of(deciders, worst.syscall, at)
        if deciders
        else f"The file system is slow: {worst.syscall}{at} is waited for",
        advice=_SYNCS if syncs else ADVICE if deciders else "",
        whole=whole,
    )


def _waits(lines: Sequence[Line]) -> int:
    return sum(one.wait_ns for one in lines)


def _importing(lines: Sequence[Line], evidence: dict[str, float | int | str], waited: int) -> Hit:
    """Told by the statements that the program begins to import with, and where the modules are."""
    groups: dict[Frame, list[Line]] = defaultdict(list)
    cut_off: list[Line] = []  # deeper than stacks are kept: where they began is not seen
    for one in lines:
        statement = import_statement(one.stack)
        if is_import(one.stack[-1]):
            cut_off.append(one)
        elif statement is not None:
            groups[statement].append(one)
    if groups:
        max(groups.values(), key=_waits).extend(cut_off)
    for one in cut_off if not groups else ():
        groups[import_statement(one.stack) or one.own_stack[0]].append(one)
    ranked = sorted(groups.items(), key=lambda item: -_waits(item[1]))[:3]
    folder = _folder([one.path for one in lines if one.path])
    if folder:
        evidence["path"] = folder
    tids = {one.tid for one in lines}
    return Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        lines=tuple(
            ToldLine(
                f"{frame_text(frame)} -> {group[0].syscall} and other calls on files "
                f"while it imports: {plural(sum(one.calls for one in group), 'slow call')}, "
                f"{duration(_waits(group))}, {duration(max(one.max_ns for one in group))} at most",
                wait_at(frame, group[0].syscall),
            )
            for frame, group in ranked
        ),
        title=f"Imports wait for a slow file system: {ranked[0][0].place} looks for modules"
        f"{f' in {folder}' if folder else ''}, opens and reads them",
        advice=_IMPORTS,
    )


def _folder(paths: Sequence[str]) -> str:
    """Where the most paths are that have something in common."""
    counts = Counter(one.rpartition("/")[0] for one in paths)
    if not counts:
        return ""
    first = counts.most_common(1)[0][0]
    top = next((part for part in _PACKAGES if part in first), "")
    if top:
        return first.partition(top)[0] + top.rstrip("/")
    common = os.path.commonpath([one for one in counts if one[:1] == first[:1]])
    return common if common.count("/") > 1 else first


_PACKAGES = ("/site-packages/", "/dist-packages/")
_IMPORTS = (
    "Each import asks for some files in each folder of sys.path before the one that has it, and "
    "reads it; with hundreds of modules that is thousands of round trips. Have the environment on "
    "a local disk or in the image (a venv there, conda-pack, a zip file or .pex); put the slow "
    "folder last in sys.path and PYTHONPATH; keep the .pyc (python -m compileall, "
    "PYTHONPYCACHEPREFIX on a local disk); import large packages only where they are used (python "
    "-X importtime shows which)."
)


def _ran_ns(profile: ProcessProfile, tids: Collection[int]) -> int:
    """The time traced, without that in which these threads were ready and others had the CPUs: they
    make no calls then. Where the table of threads was full, some have calls alone."""
    rows = [profile.threads[tid] for tid in tids if tid and tid in profile.threads]
    kept_off = min((one.runq_ns for one in rows), default=0)
    return max(1, profile.wall_ns - kept_off)


def _syncs(profile: ProcessProfile) -> int:
    """How many syncs it makes, where the waits are theirs and each is as short as can be asked of
    a disk; else 0."""
    rows = [one for one in profile.process.calls if one.syscall in FILE_SYNCS and one.calls]
    count = sum(one.calls or 0 for one in rows)
    waited = sum(one.wait_ns for one in rows)
    files = sum(one.wait_ns for one in profile.process.calls if _on_files(one))
    often = profile.per_second(count) >= SYNCS_PER_SECOND
    return count if often and SYNCED_SHARE * files <= waited < LONG_NS * count else 0


def _is_quick(calls: Sequence[Call], waited: int, profile: ProcessProfile, whole: Whole) -> bool:
    """Whether most of them took some milliseconds, and no thread spends much of its time so: a disk
    or a file server that does what it can."""
    sleeps = sum(one.waits_ns.count for one in calls if one.waits_ns)
    by_thread = Counter[int]()
    for one in calls:
        by_thread[one.tid] += one.wait_ns
    (_, most), *_ = by_thread.most_common(1)
    return waited < LONG_NS * sleeps and most < THREAD_SHARE * min(whole.ns, profile.wall_ns)


def _on_files(one: Call | Line) -> bool:
    if one.syscall in FILE_LOCKS:
        return False
    return one.syscall in FILE_CALLS or one.kind in FILES


def _path(profile: ProcessProfile, call: Call) -> tuple[str, str]:
    """Path and file system, of the line that waited longest in such calls."""
    rows = [one for one in profile.process.lines if one.path and one.syscall == call.syscall]
    most = max(rows, key=lambda one: one.wait_ns, default=None)
    return (most.path, most.file_system) if most else ("", "")


def _file(profile: ProcessProfile, call: Call) -> Descriptor | None:
    """The file that was waited for longest; None: calls that take a path leave none."""
    rows = [
        one
        for one in profile.process.descriptors
        if one.kind == call.kind and one.kind in FILES and one.wait_ns and one.local
    ]
    return max(rows, key=lambda one: one.wait_ns, default=None)


_SYNCS = (
    "Each commit of SQLite syncs its journal and the file, and so does each fsync: do it once for "
    "many rows or lines. SQLite: one transaction around the loop (executemany, one commit() for a "
    "thousand rows; peewee: atomic(), Django: transaction.atomic() and bulk_create), PRAGMA "
    "journal_mode=WAL with synchronous=NORMAL. Files: flush() alone where the machine's own crash "
    "need not be survived."
)


SLOW = Rule(
    "IO152",
    "The file system is slow, and calls on files are waited for",
    "See which disk or mount it is and who else uses it (iostat -x 1, nfsstat, df). Keep files "
    "that are written or touched for each request or heartbeat on a tmpfs (/dev/shm; gunicorn: "
    "--worker-tmp-dir /dev/shm), write in larger pieces and from another thread, fsync less often.",
    _slow,
    explains={"IO146": always, **QUEUES},
)
