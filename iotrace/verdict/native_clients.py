# SPDX-License-Identifier: Apache-2.0
"""Clients whose connections a native thread serves (ZeroMQ): who sends something, or asks, sleeps
in a poll of an eventfd which that thread writes to, and no call of its own names the peer."""

from __future__ import annotations

import re

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_package, library_frames, package_of, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck
from iotrace.vocabulary.calls import FAMILIES
from iotrace.vocabulary.kinds import Kind

_SENDS = re.compile(r"^_*(?:send|publish|push|request|call|invoke|query|ask|rpc)(?:_\w+)?$")
"""Functions that have something to deliver, and may wait for an answer to it: none waits for news,
as one that receives may, for as long as it likes."""


def sender(one: Stuck, profile: ProcessProfile) -> Frame | None:
    """The library's function that the program's own code has called to send something, and that
    waits for a native thread; None: it is in none."""
    if one.purpose is not Purpose.WORK or not one.own:
        return None
    if one.call.syscall not in FAMILIES or one.call.kind != Kind.EVENTFD.label:
        return None
    library = library_frames(one.call.stack)
    sends = any(in_package(frame) and _SENDS.search(short_name(frame)) for frame in library)
    return library[-1] if sends else None


def served_peer(profile: ProcessProfile) -> str:
    """The only peer that the process is connected to; "": there are several, or none."""
    sockets = profile.process.sockets
    peers = {one.peer for one in sockets.connected} if sockets else set()
    return peers.pop() if len(peers) == 1 and not profile.listening_ports() else ""


def sender_text(frame: Frame, peer: str) -> str:
    """What it does, after its name and "hangs"."""
    where = f"{package_of(frame)}, {frame.file.rsplit('/', 1)[-1]}"
    to = f" to {peer}, the only peer that it is connected to," if peer else ""
    return (
        f"in {frame.function} ({where}): what it sends{to} is not taken, or has no answer: "
        "the library's own thread, which serves the connection, has nothing for it"
    )


IN_VAIN = (
    "Give sends and receives a timeout, and make the socket anew where it runs out. ZeroMQ: a REQ "
    "socket whose peer has died with the request, or was restarted, waits for the reply for ever, "
    "connected again or not: RCVTIMEO and SNDTIMEO, LINGER=0, and close and open it then (the lazy "
    "pirate pattern), or REQ_RELAXED with REQ_CORRELATE; a send waits where nobody is connected or "
    "the high-water mark is reached (SNDHWM)."
)
