# SPDX-License-Identifier: Apache-2.0
"""Where the time goes, where no rule says why: a line, a peer or a lock at which somebody waits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from iotrace.report.stacks import Frame, InCall, Line
from iotrace.verdict.frames import in_package, library_frames, package_of, since_fork
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.purpose import Purpose, purpose_of, serves
from iotrace.verdict.told_lines import COMPUTES, ToldLine
from iotrace.verdict.work_sources import waits_for_work
from iotrace.vocabulary.calls import SLEEPS

Evidence = dict[str, float | int | str]
_TAKES_LONG = (Purpose.CHILD, Purpose.FILE, Purpose.CONNECTION, Purpose.POOL)
"""What nobody sits and waits for because there is no work; an answer may well be the next job, a
lock or a result is another thread's wait."""
_STARTERS = re.compile(
    r"^(?:click|typer|fire|absl|invoke|plac|cement|pytest|_pytest|pluggy|django|flask|streamlit"
    r"|gunicorn|uvicorn|hypercorn|celery|rq|dramatiq|huey|arq)$"
)
"""Packages that call a program's main function, or run it as a whole."""


@dataclass(frozen=True, slots=True)
class TimePlace:
    """``text``: a sentence, "It waits mostly at job.py:11 export -> wait4: 12 times, 3.7 s.", about
    the process ``profile``.

    ``lines`` and ``evidence`` (``peer``) name the place as data, where it is known that somebody
    waits there; () and {} where it may be how the program waits for work. ``cost_ns``: the time
    that is spent there, of all threads together, as far as it is known. ``advice``: what to do,
    where more is known than that it is to be looked at.
    """

    text: str
    profile: ProcessProfile
    lines: tuple[ToldLine, ...] = ()
    evidence: Evidence = field(default_factory=dict)
    cost_ns: int = 0
    advice: str = ""

    @property
    def is_known(self) -> bool:
        """Whether somebody waits there, and where that is."""
        return bool(self.lines or self.evidence)

    @property
    def name(self) -> str:
        """Of its first line: "work.py:19 orders"; "" if it has none."""
        wait = self.lines[0].wait if self.lines else None
        return wait.place if wait else ""

    @property
    def share_text(self) -> str:
        """ "waits for 90 % of the time at job.py:11 export"."""
        return f"waits for {share(self.cost_ns, self.profile.wall_ns)} of the time at {self.name}"

    @property
    def is_computing(self) -> bool:
        """Whether its first line computes."""
        wait = self.lines[0].wait if self.lines else None
        return wait is not None and wait.does == COMPUTES


@dataclass(frozen=True, slots=True)
class TakesLong:
    """``what`` takes long: "half of the requests on 127.0.0.1:80 take 1 s or longer: 83 % of it in
    locks"; and ``place``, at which that time goes; None: nothing tells. ``took_ns``: all of them
    together; 0: it is of a thread."""

    what: str
    evidence: Evidence = field(default_factory=dict)
    place: TimePlace | None = None
    took_ns: int = 0

    @property
    def text(self) -> str:
        """Both, in sentences."""
        return f"{self.what}.{self.place.text if self.place else ''}"


def is_awaited(line: Line, profile: ProcessProfile, *, asked: bool = False) -> bool:
    """Whether somebody waits for what this line waits for: a request or a job, or whoever has
    started a program that works. Neither the wait for the next one, for news or for what the
    client itself is to send, nor a child that a supervisor has. ``asked``: clients are known to
    wait, and may do so for what no server's code has called."""
    if waits_for_work(line) or _is_of_client(line, profile):
        return False
    purpose = purpose_of(
        InCall(line.syscall, line.kind, line.fd, "", 0, 0, own=line.own, stack=line.stack)
    )
    if serves(line.stack):
        # Of queues and conditions that its own code waits at, news are what is waited for.
        by_library = any(map(in_package, library_frames(line.stack)))
        return purpose is not Purpose.WORK or line.syscall in SLEEPS or by_library
    if asked:
        return purpose is not Purpose.WORK
    if purpose is Purpose.ANSWER:
        return line.calls > 0 and is_called_back(line.stack)
    return line.calls > 0 and purpose in _TAKES_LONG


def is_called_back(stack: Sequence[Frame]) -> bool:
    """Whether an installed package has called the program's own code: with a message, an event, a
    job in hand, it does not wait for the next one. What starts programs is no such package."""
    outer = since_fork(stack)[len(library_frames(stack)) :]
    return any(in_package(frame) and not _STARTERS.search(package_of(frame)) for frame in outer)


def _is_of_client(line: Line, profile: ProcessProfile) -> bool:
    """Whether it waits for a client, on a connection that the program has accepted."""
    ports = profile.listening_ports() | profile.served_ports
    ports |= {port_of(row.listener) for row in profile.process.requests}
    return line.fd is not None and any(
        row.fd == line.fd and row.peer and port_of(row.local) in ports
        for row in profile.process.descriptors
    )
