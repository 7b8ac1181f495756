# SPDX-License-Identifier: Apache-2.0
"""asyncio tasks whose client makes a connection, logs in on it, or takes its leave."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_package, library_frames, package_of, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.waiting_tasks import WaitingTasks, mean_of, resolves, waiting_tasks

_GREETS = re.compile(
    r"^_*(?:(?:\w+_)?connect(?:ion_made|_\w+)?|open_connection|create_connection|do_handshake"
    r"|handshake|new_conn(?:ection)?|start_?tls|ehlo\w*|helo|log_?in|auth(?:_\w+|enticate)?|quit"
    r"|log_?out)$"
)
"""Functions of clients that are called once or so for each connection, whatever is done on it."""
_AWAITED = (Purpose.ANSWER, Purpose.CONNECTION)


def connecting_tasks(profile: ProcessProfile) -> list[WaitingTasks]:
    """Those that wait for a peer because of the connection itself. A name is looked up before: by
    another server, or in the turn of a thread pool."""
    stacks = ((one, one.wait.stack) for one in asking_tasks(profile))
    return [one for one, stack in stacks if greets(stack) and not resolves(stack)]


def asking_tasks(profile: ProcessProfile) -> list[WaitingTasks]:
    """All that wait for a peer."""
    return [one for one in waiting_tasks(profile) if one.purpose in _AWAITED]


def waited_ns(tasks: Sequence[WaitingTasks], profile: ProcessProfile) -> int:
    """What they have waited together, by how many there were at a time."""
    return round(mean_of(tasks) * profile.wall_ns)


def greets(stack: Sequence[Frame]) -> bool:
    """Whether a client's library makes a connection or ends it there. What it calls for that is its
    own or the standard library's: a framework's login asks a database with a client of its own."""
    library = library_frames(stack)
    return any(
        in_package(frame)
        and _GREETS.search(short_name(frame))
        and all(package_of(inner) in ("", package_of(frame)) for inner in library[:place])
        for place, frame in enumerate(library)
    )
