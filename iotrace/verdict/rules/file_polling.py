# SPDX-License-Identifier: Apache-2.0
"""Threads that look at thousands of files again and again, to see whether one has changed."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import busy_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.thread_activity import Activity
from iotrace.vocabulary.calls import FILE_LOOKS

LOOKS_PER_SECOND = 1_000
CPU_SHARE = 0.02
"""Of one CPU, that the looks take."""
ASLEEP_SHARE = 0.1
"""Of its time that the thread sleeps between the looks: who walks through files once does not."""
LEAST_SLEEPS = 3
OPERATIONS_SHARE = 0.05
"""Of the looks: a thread that serves files moves data over sockets as well."""


def _polled(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        looks = sum(row.calls or 0 for row in profile.calls[tid] if row.syscall in FILE_LOOKS)
        if profile.per_second(looks) < LOOKS_PER_SECOND or not _comes_back(seen, looks):
            continue
        cpu_ns = seen.cpu_ns * looks // max(1, seen.syscalls)
        if cpu_ns >= CPU_SHARE * profile.wall_ns:
            yield Hit(
                {
                    "looks": looks,
                    "looks_per_second": round(profile.per_second(looks)),
                    "sleeps": seen.voluntary,
                    "cpu_ns": cpu_ns,
                },
                cpu_ns,
                tid,
                lines=busy_lines(profile.process, tid),
                title="Polls the file system: a thread looks at thousands of files (stat) again "
                "and again",
            )


def _comes_back(seen: Activity, looks: int) -> bool:
    return (
        seen.voluntary >= LEAST_SLEEPS
        and seen.asleep_ns - seen.wait_ns["file"] >= ASLEEP_SHARE * seen.lifetime_ns
        and seen.operations <= OPERATIONS_SHARE * looks
    )


POLLED = Rule(
    "IO172",
    "Polls the file system: looks at thousands of files again and again",
    "Have the kernel tell of changes (inotify: the watchdog or watchfiles packages; reloaders of "
    "Werkzeug, Django and uvicorn use them where they are installed), look less often, or leave "
    "folders out (exclude_patterns, --reload-exclude). No reloader in production.",
    _polled,
)
