# SPDX-License-Identifier: Apache-2.0
"""The operations that a program has done, read from memory it shares: see programs/counting.py."""

from __future__ import annotations

import mmap
import tempfile
import time
from types import TracebackType

from benchmarks.arithmetic import Window

_BYTES = 4096
_OPERATIONS, _WANTED, _FINISHED, _GO = range(4)


class Counter:
    """A new counter at ``path``; gone once it is closed."""

    def __init__(self, wanted: int = 0) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="iotrace-bench-")  # noqa: SIM115
        self._file.truncate(_BYTES)
        self.path = self._file.name
        self._memory = mmap.mmap(self._file.fileno(), _BYTES)
        self._words = memoryview(self._memory).cast("Q")
        self._words[_WANTED] = wanted

    def operations(self) -> int:
        """So far."""
        return self._words[_OPERATIONS]

    def go(self) -> None:
        """Let the program begin."""
        self._words[_GO] = 1

    def finished(self) -> bool:
        """Whether all operations that were wanted are done."""
        return bool(self._words[_FINISHED])

    def window(self, seconds: float) -> Window:
        """What is done in so long from now on."""
        begin_ns, before = time.monotonic_ns(), self.operations()
        time.sleep(seconds)
        end_ns, after = time.monotonic_ns(), self.operations()
        return Window(after - before, end_ns - begin_ns)

    def wait_until(self, operations: int, deadline_s: float = 30) -> None:
        """Until so many are done. Raises TimeoutError."""
        until = time.monotonic() + deadline_s
        while self.operations() < operations:
            if time.monotonic() > until:
                raise TimeoutError(f"{self.operations()} of {operations} operations are done")
            time.sleep(0.005)

    def close(self) -> None:
        """Remove it."""
        self._words.release()
        self._memory.close()
        self._file.close()

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
