# SPDX-License-Identifier: Apache-2.0
"""Who reads the pipe that a thread writes to, and what it is called there."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.stacks import InCall
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import WRITES
from iotrace.vocabulary.kinds import PIPES

_STANDARD = {1: "stdout", 2: "stderr"}
MOST_NAMED = 3
"""Of who has the other end: a child that was forked has it, too, and need not read."""
_MOST_WORDS = 2
"""Of a command line: the program, and what an interpreter runs."""


def output_name(profile: ProcessProfile, fd: int | None, kind: str) -> str:
    """ "stderr (pipe:[81])"; a path of a named pipe or of a terminal; "a pipe"."""
    rows = [one for one in profile.process.descriptors if (one.fd, one.kind) == (fd, kind)]
    target = next((one.local or one.peer for one in rows), "")
    if fd in _STANDARD:
        return f"{_STANDARD[fd]} ({target or kind})"
    return target or f"a {kind}"


def reader_of(profile: ProcessProfile, fd: int | None, kind: str) -> str:
    """ "process 902 (less)"; of a child with what it runs; "process 902 (less) or 903 (bash)" where
    several have that end of the pipe; "": not known: no thread was writing at the end, or nobody
    may see whose it is."""
    if kind not in PIPES:
        return ""
    for call in _writing(profile, fd):
        if call.read_by:
            named = " or ".join(_named(profile, one) for one in call.read_by[:MOST_NAMED])
            more = len(call.read_by) - MOST_NAMED
            return f"process {named}" + (f" or {more} more" if more > 0 else "")
        others = [pid for pid in call.others if pid != profile.process.pid]
        if others:
            name = _command(profile, others[0])
            return f"process {others[0]}" + (f" ({name})" if name else "")
    return ""


def _named(profile: ProcessProfile, reader: str) -> str:
    pid, _, name = reader.partition(" ")
    return f"{pid} ({_command(profile, int(pid)) or name})"


def _writing(profile: ProcessProfile, fd: int | None) -> Iterator[InCall]:
    for row in profile.process.threads:
        call = row.in_call
        if call is not None and call.fd == fd and call.syscall in WRITES:
            yield call


def _command(profile: ProcessProfile, pid: int) -> str:
    """Of a child that was traced: "python ship.py"."""
    for child in profile.children:
        if child.process.pid == pid and child.process.cmdline:
            words = [one.rpartition("/")[2] for one in child.process.cmdline[:_MOST_WORDS]]
            return " ".join(words)
    return ""
