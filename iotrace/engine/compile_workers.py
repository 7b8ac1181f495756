# SPDX-License-Identifier: Apache-2.0
"""Where the probes are compiled: short-lived children, which hand images over and are gone.

So clang and LLVM (120 MB) never enter the memory of the process that traces. One child loads the
compiler, and can do so while it is still being found out what is to be compiled; then it forks one
for each part.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import select
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from iotrace.engine.compile_answer import KILLED, read_answer
from iotrace.errors import IotraceError, Unsupported
from iotrace.privileges.capabilities import refused

if TYPE_CHECKING:
    from iotrace.engine.image import Image
    from iotrace.engine.map_limits import Limits

_MOST_PARTS = 3
_CLOSED = -1
_PLACE = re.compile(r"^(\w+\.[ch]):(\d+):\d+: (?:fatal )?error: ", re.MULTILINE)
"""As the #line marks of probe_sources.py name our own files."""
_NO_ROOM = re.compile(r"could not open bpf map: (\S+), error: ([^\n]+)")


class CompileWorkers:
    """The first child starts at once. To be made while this process has no threads yet.

    Then ``request``, and take what ``early_parts`` and ``late_parts`` return. ``close`` ends
    whatever goes on.
    """

    def __init__(self) -> None:
        requests, self._requests = os.pipe()
        pipes = [os.pipe() for _ in range(_MOST_PARTS)]
        self._output = os.memfd_create("iotrace's compiler")
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(BaseException):
                gc.disable()
                # Ctrl-C reaches it, too: it is for the trace, which ends by it once it has begun.
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                for mine in (self._requests, *(reader for reader, _ in pipes)):
                    os.close(mine)
                from iotrace.engine.compile_worker import run_worker

                run_worker(requests, [writer for _, writer in pipes], self._output)
            os._exit(1)
        for its in (requests, *(writer for _, writer in pipes)):
            os.close(its)
        self._answers = [os.fdopen(reader, "rb") for reader, _ in pipes]
        self._late: tuple[bool, ...] = ()

    def request(self, limits: Limits, absent: frozenset[str], namespaced: bool) -> None:
        """Compile for these; ``absent`` and ``namespaced`` as in program.build_program."""
        import json
        from dataclasses import asdict

        from iotrace.engine.tracepoints import parts_of

        parts = parts_of(limits.detail, len(os.sched_getaffinity(0)), limits.python)
        self._late = tuple(part.late for part in parts)
        request = {
            "limits": asdict(limits),
            "parts": [[sorted(part.functions), part.late] for part in parts],
            "absent": sorted(absent),
            "namespaced": namespaced,
        }
        with contextlib.suppress(BrokenPipeError):  # it was killed: no answer comes
            os.write(self._requests, json.dumps(request).encode() + b"\n")

    def early_parts(self) -> Iterator[Image]:
        """The parts that charging waits for, as they come.

        Raises what compiler.Compiler raises; ``details`` of the error are its own words.
        """
        waiting = [
            answer for answer, late in zip(self._answers, self._late, strict=False) if not late
        ]
        while waiting:
            for answer in select.select(waiting, [], [])[0]:
                waiting.remove(answer)
                yield self._image(answer.read())

    def late_parts(self) -> Iterator[Image]:
        """The others, begun only now: so far the CPUs were needed. Raises as ``early_parts``."""
        self._close_requests()
        for answer, late in zip(self._answers, self._late, strict=False):
            if late:
                yield self._image(answer.read())

    def close(self) -> None:
        """Nothing of it is left."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)  # its children go with it
            self._wait()
        self._close_requests()
        if self._output != _CLOSED:
            os.close(self._output)
        self._output = _CLOSED
        for answer in self._answers:
            answer.close()

    def _close_requests(self) -> None:
        if self._requests != _CLOSED:
            os.close(self._requests)
        self._requests = _CLOSED

    def _wait(self) -> int:
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _image(self, answer: bytes) -> Image:
        result = read_answer(answer) if answer else self._ended()
        if not isinstance(result, IotraceError):
            return result
        error = result
        words = os.pread(self._output, os.fstat(self._output).st_size, 0)
        error.details = words.decode(errors="replace")
        if no_room := _NO_ROOM.search(error.details):
            what, why = f"make the table {no_room[1]}", no_room[2]
            more = refused(what, Exception(why)) or Unsupported(
                f"The kernel does not let iotrace {what}.",
                why=f"{why}. There may be no memory for it.",
                paste="free -m",
            )
            more.details = error.details
            raise more
        if place := _PLACE.search(error.details):
            error.why = f"Line {place[2]} of probes/{place[1]} is wrong. {error.why}".rstrip()
        raise error

    def _ended(self) -> IotraceError:
        self._close_requests()
        code = self._wait()
        number = -code if code < 0 else code - KILLED
        if number > 0:
            return Unsupported(
                "The compiler of the probes was killed.",
                why=f"Signal {number} ended it; there may have been no memory for it "
                "(it takes 130 MB).",
                paste="free -m; sudo dmesg | tail",
            )
        return Unsupported(
            "The probes could not be compiled.",
            why="clang gave up. Its output is in the details (-v).",
            paste="iotrace doctor",
        )

    def __enter__(self) -> CompileWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
