# SPDX-License-Identifier: Apache-2.0
"""``iotrace`` and ``python -m iotrace``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iotrace.engine.compile_workers import CompileWorkers

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By descriptor."""


def main() -> None:
    """Run the command line."""
    _open_streams()
    workers = _workers(sys.argv[1:])

    from iotrace.cli.main import main as run

    try:
        run(workers)
    finally:
        if workers is not None:
            workers.close()


def _open_streams() -> None:
    """Where our caller has closed 0, 1 or 2, no file of ours may take their place."""
    while (fd := os.open(os.devnull, os.O_RDWR)) < len(_STREAMS):
        name, mode = _STREAMS[fd]
        setattr(sys, name, os.fdopen(fd, mode, closefd=False))
    os.close(fd)


def _workers(arguments: list[str]) -> CompileWorkers | None:
    """Where ``attach`` will have to compile: the compiler is loaded while all else is imported.

    A guess, made early. ImageSource finds out later whether it was right.
    """
    if arguments[:1] != ["attach"] or {"-h", "--help"} & set(arguments):
        return None

    from iotrace.engine.cache_directory import is_empty

    if not is_empty():
        return None

    from iotrace.engine.compile_workers import CompileWorkers

    return CompileWorkers()


if __name__ == "__main__":
    main()
