# SPDX-License-Identifier: Apache-2.0
"""What the threads of a process do, and what they do it on.

/proc/PID/task/TID/syscall waits while the process execs (exec_update_lock), and an exec can take
any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.descriptors import iterate_descriptors
from iotrace.procfs.task import OUTSIDE, RUNNING, Blocked, TaskActivity, read_activity
from iotrace.target_reader.asking import Asker

_GONE, _NOT_TOLD = "gone", "not told"
_ACTIVITIES = {activity.value: activity for activity in (RUNNING, OUTSIDE)}
_PART = 1024


def read_activities(reader: Asker, pid: int, tids: Sequence[int]) -> dict[int, TaskActivity | None]:
    """What each thread does; None where /proc does not tell. Those that have ended are left out.

    Raises what ``Asker.ask`` raises.
    """
    found: dict[int, TaskActivity | None] = {}
    for begin in range(0, len(tids), _PART):
        part = tids[begin : begin + _PART]
        answers = reader.ask("activities", pid, tuple(part))
        for tid, answer in zip(part, answers, strict=True):
            if answer == _NOT_TOLD:
                found[tid] = None
            elif answer != _GONE:
                known = _ACTIVITIES.get(answer) if isinstance(answer, str) else None
                found[tid] = known or Blocked(*answer)
    return found


def read_kinds(reader: Asker, pid: int, fds: Sequence[int]) -> Mapping[int, str]:
    """The kinds (procfs.descriptors.Descriptor) of those of these descriptors that are open.

    Raises what ``Asker.ask`` raises.
    """
    kinds: Mapping[int, str] = reader.ask("kinds", pid, tuple(fds))
    return kinds


def activities(_session: object, pid: int, tids: Sequence[int]) -> list[Any]:
    """In the reader."""
    found: list[Any] = []
    for tid in tids:
        try:
            activity = read_activity(pid, tid)
        except NoSuchProcess:
            found.append(_GONE)
        except (PermissionDenied, Unsupported):
            found.append(_NOT_TOLD)
        else:
            found.append(_plain(activity))
    return found


def _plain(activity: TaskActivity) -> Any:
    if isinstance(activity, Blocked):
        return activity.number, activity.args, activity.sp, activity.pc
    return activity.value


def kinds(_session: object, pid: int, fds: Sequence[int]) -> dict[int, str]:
    """In the reader."""
    return {one.fd: one.kind for one in iterate_descriptors(pid, fds)}
