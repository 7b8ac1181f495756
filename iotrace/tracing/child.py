# SPDX-License-Identifier: Apache-2.0
"""Start a program that is traced from its first instruction.

The child waits, before it execs, until the probes follow it; counting begins at the exec.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Sequence

from iotrace.errors import PermissionDenied, UsageError
from iotrace.privileges.caller import Caller, become


class Child:
    """A program that is about to start. ``pid`` is known; ``release`` lets it exec."""

    def __init__(self, command: Sequence[str], caller: Caller | None) -> None:
        """Fork. The child runs as ``caller`` (as we are, for None)."""
        gate, self._gate = os.pipe()
        self._failure, failure = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            os.close(self._failure)
            _exec(command, caller, gate, failure)
        os.close(gate)
        os.close(failure)
        self._command = command[0]
        self._status: int | None = None

    def release(self) -> None:
        """Let it exec. Raises if the program cannot be started."""
        os.write(self._gate, b"x")
        os.close(self._gate)
        with os.fdopen(self._failure, "rb") as failure:
            number = failure.read()
        if number:
            os.waitpid(self.pid, 0)
            raise _not_started(self._command, int(number))

    def ended(self) -> bool:
        """Whether it has ended; reaps it."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def wait(self) -> int:
        """Its exit status as a shell tells it: 128 + N where signal N ended it."""
        if self._status is None:
            _, self._status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(self._status)
        return code if code >= 0 else 128 - code

    def pass_on(self, number: int) -> None:
        """Send it a signal, if it is still there and still of the same user."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, number)


def _exec(command: Sequence[str], caller: Caller | None, gate: int, failure: int) -> None:
    try:
        if not os.read(gate, 1):
            os._exit(127)  # who was to trace it is gone
        if caller is not None:
            become(caller)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # Python ignores these; a program expects them as the kernel sets them up.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except OSError as error:
        os.write(failure, str(error.errno).encode())
    finally:
        os._exit(127)


def _not_started(command: str, number: int) -> UsageError | PermissionDenied:
    why = os.strerror(number)
    if isinstance(OSError(number, ""), PermissionError):
        return PermissionDenied(
            f"{command} cannot be started.", why=f"{why}.", paste=f"ls -l {shlex.quote(command)}"
        )
    return UsageError(
        f"{command} cannot be started.", why=f"{why}.", paste="iotrace run -- python3 app.py"
    )
