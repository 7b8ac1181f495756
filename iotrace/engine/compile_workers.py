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

from iotrace import errors
from iotrace.errors import IotraceError, Unsupported

if TYPE_CHECKING:
    from iotrace.engine.image import Image
    from iotrace.engine.program import Limits

MOST_PARTS = 3
IMAGE, ERROR = b"I", b"E"
"""What an answer begins with."""
KILLED = 128
"""Exit code of a child of which a child was ended by a signal, less the signal's number."""
_CLOSED = -1
_NO_ROOM = re.compile(r"could not open bpf map: (\S+), error: ([^\n]+)")


class Workshop:
    """Its child is there from the beginning. To be opened where there are no threads yet.

    Then ``order``, and take what ``soon`` and ``late`` return. Closing it ends whatever goes on.
    """

    def __init__(self) -> None:
        orders, self._orders = os.pipe()
        pipes = [os.pipe() for _ in range(MOST_PARTS)]
        self._details = os.memfd_create("iotrace's compiler")
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(BaseException):
                gc.disable()
                # Ctrl-C reaches it, too: it is for the trace, which ends by it once it has begun.
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                for mine in (self._orders, *(reader for reader, _ in pipes)):
                    os.close(mine)
                from iotrace.engine.compile_worker import work

                work(orders, [writer for _, writer in pipes], self._details)
            os._exit(1)
        for its in (orders, *(writer for _, writer in pipes)):
            os.close(its)
        self._answers = [os.fdopen(reader, "rb") for reader, _ in pipes]
        self._late: tuple[bool, ...] = ()

    def order(self, limits: Limits, absent: frozenset[str], namespaced: bool) -> None:
        """Compile for these; ``absent`` and ``namespaced`` as in program.build_program."""
        import json
        from dataclasses import asdict

        from iotrace.engine.tracepoints import parts_of

        parts = parts_of(limits.detail, len(os.sched_getaffinity(0)), limits.python)
        self._late = tuple(part.late for part in parts)
        order = {
            "limits": asdict(limits),
            "parts": [[sorted(part.functions), part.late] for part in parts],
            "absent": sorted(absent),
            "namespaced": namespaced,
        }
        with contextlib.suppress(BrokenPipeError):  # it was killed: no answer comes
            os.write(self._orders, json.dumps(order).encode() + b"\n")

    def soon(self) -> Iterator[Image]:
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

    def late(self) -> Iterator[Image]:
        """The others, begun only now: till then the CPUs are needed. Raises as ``soon`` does."""
        self._close_orders()
        for answer, late in zip(self._answers, self._late, strict=False):
            if late:
                yield self._image(answer.read())

    def close(self) -> None:
        """Nothing of it is left."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)  # its children go with it
            self._wait()
        self._close_orders()
        if self._details != _CLOSED:
            os.close(self._details)
        self._details = _CLOSED
        for answer in self._answers:
            answer.close()

    def _close_orders(self) -> None:
        if self._orders != _CLOSED:
            os.close(self._orders)
        self._orders = _CLOSED

    def _wait(self) -> int:
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _image(self, answer: bytes) -> Image:
        from iotrace.engine.image import Image

        if answer[:1] == IMAGE:
            return Image.from_bytes(answer[1:])
        words = os.pread(self._details, os.fstat(self._details).st_size, 0)
        error = _error(answer[1:]) if answer else self._ended()
        error.details = words.decode(errors="replace")
        if no_room := _NO_ROOM.search(error.details):
            error = Unsupported(
                f"The kernel does not let iotrace make the table {no_room[1]}.",
                why=f"{no_room[2]}. There may be no memory for it.",
                paste="free -m",
                details=error.details,
            )
        raise error

    def _ended(self) -> IotraceError:
        self._close_orders()
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
            why="clang gave up. Its own words are in the details (-v).",
            paste="iotrace doctor",
        )

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _error(described: bytes) -> IotraceError:
    import json

    name, what, why, paste = json.loads(described)
    kind: type[IotraceError] = getattr(errors, name, IotraceError)
    return kind(what, why=why, paste=paste)
