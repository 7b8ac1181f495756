# SPDX-License-Identifier: Apache-2.0
"""Worker processes that a library has forked and runs itself: the program's own code is in them
only while it has a task, yet what their main thread waits for is the program's work."""

from __future__ import annotations

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_library, in_package, package_of, since_fork
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import asks
from iotrace.verdict.stuck import Stuck
from iotrace.vocabulary.calls import READS
from iotrace.vocabulary.kinds import SOCKETS


def asking_worker(one: Stuck, profile: ProcessProfile) -> Frame | None:
    """Where the library that runs a forked process has asked a server, for whose answer its main
    thread waits without a timeout; None: it is no such process, or no such wait.

    Who waits for news as long as it takes (a long poll) gives such a read a timeout, which is in a
    poll(2) before it: a read that just waits never ends when the connection is lost.
    """
    stack = since_fork(one.call.stack)
    if one.tid != profile.process.pid or len(stack) == len(one.call.stack):
        return None
    if one.call.syscall not in READS or one.call.kind not in SOCKETS:
        return None
    if not all(map(in_library, stack)) or not asks(stack):
        return None
    installed = [frame for frame in stack if in_package(frame)]
    runs = package_of(installed[-1]) if installed else ""
    return next((frame for frame in installed if package_of(frame) == runs), None)


def asked_text(asker: Frame) -> str:
    """After the peer: who has asked it."""
    function = asker.function.split(".<locals>", 1)[0]
    return f" (asked by {function}, {asker.place})"
