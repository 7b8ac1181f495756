# SPDX-License-Identifier: Apache-2.0
"""Locks that are files by their being there: who finds one sleeps, and tries to make it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from iotrace.report.model import Call
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit
from iotrace.vocabulary.calls import FILE_CALLS, FILE_OPENS, SLEEPS

ASLEEP_SHARE = 0.05
"""Of its time, that a thread sleeps."""
LEAST_SLEEP_NS = 100_000_000
LEAST_REFUSED = 3
THERE = "EEXIST"
"""What making a file that is a lock by its being there is refused with (O_EXCL of open(2), link(2),
mkdir(2))."""
MAKE_FILES = FILE_OPENS | {"link", "linkat"}
MAKE_FOLDERS = frozenset(("mkdir", "mkdirat"))
FOLDERS_SHARE = 0.5
"""Of a thread's calls on files: os.makedirs(exist_ok=True) is refused in the same way, but then
files in the folder are used."""


def made_again(profile: ProcessProfile) -> Iterator[Hit]:
    """The lock is a file that must not be there yet: who finds it there sleeps, and tries again."""
    refused: dict[int, int] = {}
    for tid, seen in profile.threads.items():
        count = found_there(profile.calls[tid])
        asleep, sleeps = seen.sleeps.wait_ns, seen.sleeps.calls
        long = asleep >= max(LEAST_SLEEP_NS, ASLEEP_SHARE * seen.lifetime_ns)
        if long and count >= LEAST_REFUSED and count / 2 <= sleeps <= 2 * count:
            refused[tid] = count
    if not refused:
        return
    lines = [
        one
        for one in profile.process.lines
        if one.tid in refused and one.syscall in MAKE_FILES | MAKE_FOLDERS | SLEEPS
    ]
    path = lock_file(profile, refused)
    asleep = sum(profile.threads[tid].sleeps.wait_ns for tid in refused)
    yield Hit(
        {
            "found_there": sum(refused.values()),
            "sleeps": sum(profile.threads[tid].sleeps.calls for tid in refused),
            "asleep_ns": asleep,
            "threads": len(refused),
            **({"path": path} if path else {}),
        },
        asleep,
        next(iter(refused)) if len(refused) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        title="Waits for a lock file to go away by trying to make it again, with sleeps in between"
        + (f" ({path})" if path else ""),
        advice=STALE_FILE,
    )


def found_there(calls: Sequence[Call]) -> int:
    """How often a lock file or folder was there already."""
    files, folders = (
        sum((one.errors or {}).get(THERE, 0) for one in calls if one.syscall in names)
        for names in (MAKE_FILES, MAKE_FOLDERS)
    )
    used = sum(one.calls or 0 for one in calls if one.syscall in FILE_CALLS)
    return files + (folders if folders >= FOLDERS_SHARE * used else 0)


def lock_file(profile: ProcessProfile, tids: Collection[int]) -> str:
    """The file that these threads found there most often; "": such calls were too quick to be kept,
    and those that were may be of files that they have made or opened."""
    makes = MAKE_FILES | MAKE_FOLDERS
    slow = Counter[str]()
    for line in profile.process.lines:
        if line.tid in tids and line.path and line.syscall in makes:
            slow[line.path] += line.calls
    rows = [call for tid in tids for call in profile.calls[tid] if call.syscall in makes]
    succeeded = sum(call.calls or 0 for call in rows) - sum(
        (call.errors or {}).get(THERE, 0) for call in rows
    )
    ((path, calls),) = slow.most_common(1) or [("", 0)]
    return path if calls > succeeded else ""


STALE_FILE = (
    "Who makes the file (O_EXCL, mkdir, link) has the lock until it removes it; all others sleep "
    "for a fixed time, also when it is free again at once. Hold it for less, and do slow work "
    "before; wait for it in the kernel (fcntl.flock, filelock.FileLock), which wakes the next one. "
    "Where its maker has died without removing it, it stays there for ever: look at who has "
    "written it and how old it is."
)
