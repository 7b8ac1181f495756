# SPDX-License-Identifier: Apache-2.0
"""Asks for what a traced process can make take any time to read, and never waits for long.

A process that did not answer is asked again only when its reader has come back, and not for ever.
``reasons`` tells what is missing then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from iotrace import errors
from iotrace.errors import IotraceError, NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.status import read_status
from iotrace.target_reader.messages import ANSWERED, REFUSED, TooLong
from iotrace.target_reader.pool import Late, Pool

MOST_BLOCKED_OF_USER = 2
"""Readers that processes of one user may keep: whoever wants to use them up gets no more."""
MOST_FAILURES = 3
"""So often a process is asked that does not answer, or whose answers are errors."""
_MOST_REASONS = 64
"""More processes than these are counted together."""


class NotAnswering(Unsupported):
    """A process cannot be read: it does not answer, or what it holds cannot be made sense of."""


class TargetReader:
    """Use as a context manager, or call ``close``. To be made where there are no threads yet and no
    probes: it forks, and what it forks must not hold them.
    """

    def __init__(self) -> None:
        self._pool = Pool()
        self._blocking: dict[int, tuple[int, int]] = {}
        """Pid -> (lane, user)."""
        self._failures: Counter[int] = Counter()
        self._reasons: dict[int, str] = {}
        self._untold = 0
        self._cpu_ns: Counter[int] = Counter()

    def ask(self, question: str, pid: int, *arguments: Any) -> Any:
        """The answer of a function of that name in the modules of ``server.QUESTIONS``.

        Raises NoSuchProcess, PermissionDenied, Unsupported (NotAnswering too).
        """
        self._refuse_silent(pid)
        try:
            status, value, cpu_ns, reader = self._pool.ask((question, (pid, *arguments)))
        except Late as late:
            if late.lane is not None:
                self._blocking[pid] = late.lane, _user(pid)
            raise self._failed(pid, str(late)) from None
        except TooLong as error:
            raise self._failed(pid, str(error)) from None
        self._cpu_ns[reader] = cpu_ns
        if status == ANSWERED:
            return value
        if status == REFUSED:
            name, what, why, paste = value
            kind: type[IotraceError] = getattr(errors, name, Unsupported)
            raise kind(what, why=why, paste=paste)
        raise self._failed(pid, value)

    def cpu_ns(self) -> int:
        """CPU time of the readers so far."""
        return sum(self._cpu_ns.values())

    def cut_short(self, pid: int, what: str) -> None:
        """Not all of a process was read; ``what`` says what is missing."""
        if pid in self._reasons or len(self._reasons) < _MOST_REASONS:
            self._reasons.setdefault(pid, what)
        else:
            self._untold += 1

    def forget(self, pids: Iterable[int]) -> None:
        """These have ended: their numbers may come again. What was missing stays told."""
        for pid in pids:
            self._blocking.pop(pid, None)
            self._failures.pop(pid, None)

    def reasons(self) -> Mapping[str, str]:
        """What is missing of which process -> why."""
        told = {f"some facts of process {pid}": why for pid, why in self._reasons.items()}
        if self._untold:
            told["some facts of more processes"] = f"{self._untold} times they could not be read"
        return told

    def close(self) -> None:
        """No more questions; nobody who hangs is waited for."""
        self._pool.close()

    def _refuse_silent(self, pid: int) -> None:
        if not self._blocking and not self._failures:
            return
        for blocked, (lane, _) in tuple(self._blocking.items()):
            if not self._pool.blocked(lane):
                del self._blocking[blocked]
        if pid in self._blocking or self._failures[pid] >= MOST_FAILURES:
            raise NotAnswering(f"process {pid} does not answer", why=self._reasons.get(pid, ""))
        users = Counter(user for _, user in self._blocking.values())
        if users and users[_user(pid)] >= MOST_BLOCKED_OF_USER:
            why = f"{MOST_BLOCKED_OF_USER} processes of the same user did not answer: not asked"
            self.cut_short(pid, why)
            raise NotAnswering(f"process {pid} is not asked", why=why)

    def _failed(self, pid: int, why: str) -> NotAnswering:
        self._failures[pid] += 1
        self.cut_short(pid, f"its memory or its files could not be read: {why}")
        return NotAnswering(f"process {pid} could not be read", why=why)

    def __enter__(self) -> TargetReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _user(pid: int) -> int:
    """The real user of a process; -1: it is gone."""
    try:
        return read_status(pid).uid
    except (NoSuchProcess, PermissionDenied, ValueError):
        return -1
