"""Stacks of sleeping threads, read from outside: against py-spy's, and against known lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.procfs.python import read_python
from iotrace.procfs.task import Blocked, read_activity, read_tids
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.memory import ProcessMemory
from iotrace.pystack.recognition import find_runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import Walker
from tests.greenlets import folder_for
from tests.interpreters import interpreters, label
from tests.kernel.targets import PROGRAMS
from tests.waiting import DEADLINE_S, wait_until

_THREADS = 4
_PROGRAM = PROGRAMS / "blocked_stacks.py"
_PY_SPY = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
_THREAD = re.compile(r"Thread (\d+) ")
_FRAME = re.compile(r"    (.+) \((.+):(\d+)\)")


@contextmanager
def blocked(python: str) -> Iterator[int]:
    """The program under one interpreter, all of its threads asleep; its pid."""
    greenlets = folder_for(python)
    if greenlets is None:
        pytest.skip(f"needs greenlet for {python} (.ci/setup tests)")
    environment = {**os.environ, "PYTHONPATH": str(greenlets)}
    target = subprocess.Popen([python, _PROGRAM], stdout=subprocess.PIPE, env=environment)
    try:
        assert target.stdout is not None
        assert json.loads(target.stdout.readline()) == {"pid": target.pid, "threads": _THREADS}

        def asleep() -> bool:
            acting = [read_activity(target.pid, tid) for tid in read_tids(target.pid)]
            return len(acting) == _THREADS and all(isinstance(one, Blocked) for one in acting)

        wait_until(asleep, "all threads to sleep")
        wait_until(lambda: "leaf" in str(stacks(target.pid)), "the coroutine to sleep")
        yield target.pid
    finally:
        target.kill()
        target.wait(DEADLINE_S)
        assert target.stdout is not None
        target.stdout.close()


def stacks(pid: int) -> dict[int, tuple[Frame, ...]]:
    """The stack of each thread."""
    build = read_python(pid)
    assert build is not None
    with ProcessMemory(pid) as memory:
        runtime = find_runtime(pid, build, memory)
        walker, symbols = Walker(pid, runtime, memory), Symbols(runtime.offsets, memory)
        return {tid: symbols.name(walker.walk(tid).frames) for tid in read_tids(pid)}


def line_of(mark: str) -> int:
    """The line of the program that ends in this mark."""
    lines = _PROGRAM.read_text().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if text.endswith(f"# LINE {mark}")]
    return line


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_stacks_are_those_that_py_spy_sees(python: str) -> None:
    if _PY_SPY is None:
        pytest.skip("needs py-spy (pip install py-spy)")
    with blocked(python) as pid:
        mine = stacks(pid)
        told = subprocess.run([_PY_SPY, "dump", "-p", str(pid)], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    theirs: dict[int, list[tuple[str, str, int]]] = {}
    for line in told.stdout.splitlines():
        if thread := _THREAD.match(line):
            theirs[int(thread[1])] = []
        elif frame := _FRAME.fullmatch(line):
            theirs[max(theirs, key=list(theirs).index)].append((frame[1], frame[2], int(frame[3])))
    assert len(theirs) == _THREADS
    for tid, frames in theirs.items():
        seen = [(one.function, one.file, one.line) for one in mine[tid]]
        assert len(seen) == len(frames), (seen, frames)
        for (function, file, number), (name, path, at) in zip(seen, frames, strict=True):
            assert (function, number) == (name, at)
            assert file.endswith(path)


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_lines_are_exact_and_coroutines_marked(python: str) -> None:
    with blocked(python) as pid:
        seen = [
            [(one.function.rpartition(".")[2], one.line, one.suspends) for one in stack]
            for stack in stacks(pid).values()
        ]
    receive = [("receive", line_of("receive"), False)]
    assert any(
        stack[:6]
        == receive + [("deep", line_of("deep") + 1, False)] + 4 * [("deep", line_of("deep"), False)]
        for stack in seen
    )
    awaits = [("leaf", line_of("leaf"), True), ("middle", line_of("middle"), True)]
    assert any(stack[:2] == awaits for stack in seen)
    assert any(("generate", line_of("generate"), True) in stack for stack in seen)
    # A greenlet's frames are its own: it has a C stack of its own, and no caller.
    assert [("inner", line_of("greenlet"), False)] in seen
