# SPDX-License-Identifier: Apache-2.0
"""Whose code the frames of a stack are: the program's own, a library's, the import system's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from iotrace.report.stacks import Frame

_LIBRARY = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/python\d(?:\.\d+)?/|^<frozen |/bin/[^/]+$"
)

UNNAMED = "?"
"""The file of code that is gone (a module's, once it is imported): it tells nobody anything."""
_OF_MODULE = "<module>"
_RUNS = re.compile(
    r"/(?:selectors|socketserver|asyncio/(?:base_events|events|runners)|uvloop/.*"
    r"|(?:gunicorn|uvicorn|hypercorn|waitress|werkzeug|cheroot|tornado|twisted|gevent|eventlet"
    r"|celery|rq)/.*)\.py$"
)
"""Code that runs programs: what is further out has started it, whatever it is."""
_FORKED = ("/multiprocessing/popen_fork.py:_launch", "/multiprocess/popen_fork.py:_launch")
"""``multiprocess`` is multiprocessing with another pickle, file by file."""
_LOOP = re.compile(r"/asyncio/(?:base_events\.py:_run_once|events\.py:_run|runners\.py:run)$")


def in_library(frame: Frame) -> bool:
    """Whether a frame is of the standard library, of an installed package, of the interpreter."""
    return bool(_LIBRARY.search(frame.file))


def in_package(frame: Frame) -> bool:
    """Whether a frame is of an installed package."""
    return "-packages/" in frame.file


def of_loop(frame: Frame) -> bool:
    """Whether a frame is of an asyncio loop itself."""
    return bool(_LOOP.search(named(frame)))


def since_fork(stack: Sequence[Frame]) -> Sequence[Frame]:
    """What the process itself has called: further out are the frames that its parent was in when it
    forked it (multiprocessing), which never return here."""
    for place, frame in enumerate(stack):
        if named(frame).endswith(_FORKED):
            return stack[:place]
    return stack


def library_frames(stack: Sequence[Frame]) -> tuple[Frame, ...]:
    """The innermost frames down to the program's own, which is not among them."""
    for place, frame in enumerate(stack):
        if not in_library(frame):
            return tuple(stack[:place])
    return tuple(stack)


def has_own(stack: Sequence[Frame]) -> bool:
    """Whether some frame is the program's own."""
    return any(not in_library(frame) for frame in stack)


def imports(stack: Sequence[Frame]) -> bool:
    """Whether the program's own code imports a module there."""
    return any(map(is_import, library_frames(stack)))


def import_statement(stack: Sequence[Frame]) -> Frame | None:
    """Where the program's own code began to import what is imported there; None: nothing is."""
    return _outermost_statement(stack) if imports(stack) else None


def imported_for(stack: Sequence[Frame]) -> Frame | None:
    """The same of what computes: the code of the modules themselves belongs to it, and no function
    of the program, which may have been running since an import started it (``import server``)."""
    if not computes_in_import(stack):
        return None
    for inner, frame in pairwise(stack):
        if not in_library(frame) and frame.function != _OF_MODULE and frame.file != UNNAMED:
            if is_import(inner):
                return frame
            break
    return _outermost_statement(stack)


def computes_in_import(stack: Sequence[Frame]) -> bool:
    """Whether a module is being imported there; of stacks that are too deep to be read to their end
    it is not seen for whom."""
    for frame in stack:
        if is_import(frame):
            return True
        if not in_library(frame) and frame.function != _OF_MODULE and frame.file != UNNAMED:
            return False
        if _RUNS.search(frame.file):
            return False
    return False


def _outermost_statement(stack: Sequence[Frame]) -> Frame | None:
    for inner, frame in reversed(list(pairwise(stack))):
        if is_import(inner) and not in_library(frame) and frame.file != UNNAMED:
            return frame
    return None


def is_import(frame: Frame) -> bool:
    """Whether a frame is of the import system."""
    return frame.file.startswith("<frozen importlib")


def entry_of(stack: Sequence[Frame]) -> Frame | None:
    """The function that a thread was started for: the outermost one but threading's own."""
    for frame in reversed(stack):
        if not frame.file.endswith("/threading.py"):
            return frame
    return None


def short_name(frame: Frame) -> str:
    """The function without its class."""
    return frame.function.rsplit(".", 1)[-1]


def named(frame: Frame) -> str:
    """ "/lib/asyncio/locks.py:acquire": what the patterns are matched with."""
    return f"{frame.file}:{short_name(frame)}"


def package_of(frame: Frame) -> str:
    """The installed package, or module, that a frame is of; "" if it is of none."""
    head, _, path = frame.file.rpartition("-packages/")
    return path.split("/")[0].removesuffix(".py") if head else ""
