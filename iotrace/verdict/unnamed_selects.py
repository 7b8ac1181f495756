# SPDX-License-Identifier: Apache-2.0
"""For whom a select waits, which does not tell of its descriptors, in a client with one socket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from iotrace.report.model import OpenSockets
from iotrace.report.stacks import Frame, InCall
from iotrace.verdict.frames import library_frames, package_of, short_name
from iotrace.vocabulary.calls import FAMILIES

MOST_QUESTION_SEGMENTS = 10
"""A question goes out before anything has come in: in the initial congestion window (RFC 6928).
What sends more than that and hears nothing has somebody who only listens (a log, metrics)."""
_ASKS = re.compile(
    r"^_*(?:request|query|call|ask|get|post|put|execute|fetch|invoke|sr1|(?:get|read|recv|wait_for)_"
    r"(?:reply|response|answer)|send_(?:and_)?(?:recv|receive|wait|request|command))$"
)
"""Functions of clients that ask, and give the answer back."""
_DEVICES = frozenset((
    "serial", "serial_asyncio", "pyvisa", "pyvisa_py", "usb", "hid", "can", "gpiod", "evdev",
    "pyudev", "inotify", "inotify_simple", "pyinotify", "watchdog", "pexpect", "ptyprocess",
    "sh", "invoke", "prompt_toolkit", "readchar", "curtsies",
))  # fmt: skip
"""Packages that wait for devices, files, terminals and child processes in selects."""
_SELECTORS = "/selectors.py"


def with_peer(call: InCall, sockets: OpenSockets | None, least_ns: int) -> InCall:
    """The call with the peer that it waits for, where a client makes it, and the process has a
    single socket, on which it has sent something, at least so long ago, and never got anything."""
    unnamed = call.syscall in FAMILIES and not call.kind and call.fd is None
    if not unnamed or sockets is None or sockets.count != 1 or not _asks(call.stack):
        return call
    mute = [
        one
        for one in sockets.one_sided
        if not one.accepted and one.silent_ns >= least_ns and one.segments <= MOST_QUESTION_SEGMENTS
    ]
    return replace(call, kind="tcp", peer=mute[0].address) if len(mute) == 1 else call


def _asks(stack: Sequence[Frame]) -> bool:
    """Whether the package that selects is the one that asks: else it may select for something of
    another kind, on behalf of whoever asks."""
    library = [one for one in library_frames(stack) if not one.file.endswith(_SELECTORS)]
    selects = package_of(library[0]) if library else ""
    if not selects or selects in _DEVICES:
        return False
    return any(package_of(one) == selects and _ASKS.search(short_name(one)) for one in library)
