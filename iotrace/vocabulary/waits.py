# SPDX-License-Identifier: Apache-2.0
"""What a thread waits for. One row a reason: all that any part of iotrace knows of it.

The order is the number of a reason, which the probes charge time to and timelines store. So a new
reason is appended; none is moved or removed, and none is inserted between others.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitReason:
    """One reason to be asleep.

    ``name``: the key in JSON and the word in tables. ``label``: after a colour in the HTML page.
    ``summary``: how a process's summary says it; ``{poll}`` stands for the multiplexers' names.
    ``asleep_in``: what the thread is asleep in, for docs/reading-a-report.md.
    ``blocks_a_loop``: a thread that runs an event loop must not wait for this.
    ``brings_work``: a thread that serves may be asleep in it because nobody wants anything.
    ``light`` and ``dark``: its colour on a light and on a dark page.
    """

    name: str
    label: str
    summary: str
    asleep_in: str
    blocks_a_loop: bool
    brings_work: bool
    light: str
    dark: str


WAITS: tuple[WaitReason, ...] = (
    WaitReason(
        "recv",
        "waits for data",
        "asleep waiting for data in reads",
        "a read from a socket, pipe, eventfd or terminal (recvfrom, recvmsg, read, ...)",
        blocks_a_loop=True,
        brings_work=True,
        light="#9fc7b4",
        dark="#4f7f69",
    ),
    WaitReason(
        "send",
        "waits to write",
        "asleep in writes that the other end does not take",
        "a write to one: the peer is slow, or the buffer full",
        blocks_a_loop=True,
        brings_work=False,
        light="#c9b98f",
        dark="#7f7148",
    ),
    WaitReason(
        "accept",
        "waits for a connection",
        "asleep waiting for connections",
        "accept: no connection has come",
        blocks_a_loop=True,
        brings_work=True,
        light="#c3d3a2",
        dark="#687a44",
    ),
    WaitReason(
        "connect",
        "waits for an answer",
        "asleep in connect",
        "connect: the other side has not answered",
        blocks_a_loop=True,
        brings_work=False,
        light="#a9b6d8",
        dark="#566694",
    ),
    WaitReason(
        "poll",
        "waits for readiness",
        "asleep in {poll} with nothing ready",
        "select, poll, epoll_wait and their kin: the multiplexers",
        blocks_a_loop=False,
        brings_work=True,
        light="#b9d5e3",
        dark="#4a7186",
    ),
    WaitReason(
        "lock",
        "waits for a lock",
        "asleep in locks",
        "futex: a lock, a queue, a condition, the end of another thread; the GIL of a Python that "
        "is not known",
        blocks_a_loop=False,  # finding IO113 is about locks
        brings_work=True,
        light="#dfa5a0",
        dark="#8f4a44",
    ),
    WaitReason(
        "gil",
        "waits for Python's GIL",
        "asleep waiting for Python's GIL",
        "futex on the very address of the Python interpreter's GIL (CPython 3.9 to 3.15)",
        blocks_a_loop=False,  # finding IO113 is about the GIL
        brings_work=False,  # whoever waits for it wants to run
        light="#c98fb3",
        dark="#8f4f78",
    ),
    WaitReason(
        "sleep",
        "sleeps",
        "asleep because it asked to (sleep)",
        "nanosleep, and select or poll on no descriptor at all",
        blocks_a_loop=True,
        brings_work=False,
        light="#cfcfd4",
        dark="#4d5157",
    ),
    WaitReason(
        "child",
        "waits for a child",
        "asleep waiting for child processes",
        "wait4, waitid: the end of a child process",
        blocks_a_loop=True,
        brings_work=False,
        light="#d8c4e0",
        dark="#6f5880",
    ),
    WaitReason(
        "signal",
        "waits for a signal",
        "asleep waiting for signals",
        "pause, sigtimedwait; or stopped by a signal",
        blocks_a_loop=False,
        brings_work=True,
        light="#e4cfae",
        dark="#80683f",
    ),
    WaitReason(
        "file",
        "waits for a file",
        "asleep in file I/O",
        "a read, write, open or fsync of a file",
        blocks_a_loop=True,
        brings_work=False,
        light="#a3a38c",
        dark="#5f5f4c",
    ),
    WaitReason(
        "uring",
        "waits for io_uring",
        "asleep waiting for io_uring",
        "io_uring_enter",
        blocks_a_loop=False,
        brings_work=True,
        light="#86b7c4",
        dark="#38707f",
    ),
    WaitReason(
        "other",
        "asleep in another call",
        "asleep in other calls",
        "any other call",
        blocks_a_loop=False,
        brings_work=False,
        light="#bfb8b0",
        dark="#5c564f",
    ),
    WaitReason(
        "fault",
        "asleep outside of calls",
        "asleep over page faults",
        "no call: a page was fetched, or something else made it sleep outside of calls",
        blocks_a_loop=False,
        brings_work=False,
        light="#8d9a7a",
        dark="#55613f",
    ),
)

SUMMARIES = {reason.name: reason.summary for reason in WAITS}
WAIT_REASONS: tuple[str, ...] = tuple(reason.name for reason in WAITS)
"""The names, each at its number."""

BLOCKS_A_LOOP: tuple[str, ...] = tuple(reason.name for reason in WAITS if reason.blocks_a_loop)
"""Waits that a thread with an event loop must not have."""

FOR_PEERS: tuple[str, ...] = ("recv", "send", "connect", "poll")
"""Waits for the other end of a connection."""

FIRST_WAIT_REASONS: tuple[str, ...] = WAIT_REASONS[: WAIT_REASONS.index("fault") + 1]
"""Those of the first timelines, which do not list them (and those of before ``gil`` lack it)."""
