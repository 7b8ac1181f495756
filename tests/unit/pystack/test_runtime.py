"""Which builds of Python are read, and why others are not: a reason, never a guess."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from iotrace.procfs.python import PythonBuild
from iotrace.pystack.described import SECTIONS, member_names
from iotrace.pystack.memory import Memory
from iotrace.pystack.offsets import TABLES
from iotrace.pystack.recognition import NoStacks, TooEarly, find_runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import walk_thread
from tests.unit.pystack.made_up import FILE, FIRST_LINE, FUNCTION, PID, MadeUp, proc_of

_BUILD = PythonBuild("3.11.2", "/usr/bin/python3.11", 0, 0x5000, free_threaded=False)
_GLIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
_MUSL = "/lib/ld-musl-x86_64.so.1"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """/proc of a process that has mapped this C library."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return proc_of(tmp_path, request.param)


def _reason(build: PythonBuild, root: str, memory: Memory | None = None) -> str:
    with pytest.raises(NoStacks) as refusal:
        find_runtime(PID, build, memory or MadeUp((3, 13)), root)
    return str(refusal.value)


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_build_with_glibc_is_read_and_its_gil_known(root: str) -> None:
    runtime = find_runtime(PID, _BUILD, MadeUp((3, 13)), root)
    assert (runtime.offsets.interpreters, runtime.no_gil) == (TABLES[3, 11].interpreters, None)


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
@pytest.mark.parametrize("free_threaded", [False, True])
@pytest.mark.parametrize("layout", SECTIONS)
def test_a_build_that_describes_itself_is_read(
    root: str, layout: tuple[int, int], free_threaded: bool
) -> None:
    process = MadeUp(layout, free_threaded=free_threaded)
    runtime = find_runtime(PID, process.build, process, root)
    assert (runtime.no_gil, runtime.read_as) == (None, None)
    symbols = Symbols(runtime.offsets, process)
    for state in process.states:
        frames = symbols.name(walk_thread(process, runtime.offsets, state))
        assert [(one.function, one.file, one.line) for one in frames] == [
            (FUNCTION, FILE, FIRST_LINE + 3)
        ] * 2


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
@pytest.mark.parametrize("layout", SECTIONS)
def test_a_build_that_can_do_without_a_gil_has_one_if_it_is_on(
    root: str, layout: tuple[int, int]
) -> None:
    with_gil = MadeUp(layout, free_threaded=True)
    assert find_runtime(PID, with_gil.build, with_gil, root).gils(with_gil) == (with_gil.gil + 8,)
    without = MadeUp(layout, free_threaded=True, gil_enabled=False)
    assert find_runtime(PID, without.build, without, root).gils(without) == ()


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
@pytest.mark.parametrize("layout", SECTIONS)
def test_an_unknown_version_is_read_as_the_one_that_it_is_like(
    root: str, layout: tuple[int, int]
) -> None:
    process = MadeUp(layout, version=(3, 99))
    runtime = find_runtime(PID, process.build, process, root)
    assert runtime.read_as == f"{layout[0]}.{layout[1]}"
    assert runtime.gils(process) == (process.gil,)
    assert len(walk_thread(process, runtime.offsets, process.states[0])) == 3


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_an_unknown_version_that_is_like_none_is_not_read(root: str) -> None:
    # A member more in the struct of thread states.
    names = member_names((3, 15))
    first = 1 + names.index("thread_state.prev")
    values = MadeUp((3, 15)).at
    words = {place + 1: values[names[place - 1]] for place in range(first, len(names) + 1)}
    process = MadeUp((3, 15), version=(3, 99), words={**words, first: 16})
    assert "does not say where it keeps them: " in _reason(process.build, root, process)


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_an_unknown_version_is_looked_at_again_when_it_runs(root: str) -> None:
    process = MadeUp((3, 15), version=(3, 99), runs=False)
    with pytest.raises(TooEarly, match="no thread of Python"):
        find_runtime(PID, process.build, process, root)
    known = MadeUp((3, 15), runs=False)
    assert find_runtime(PID, known.build, known, root).read_as is None


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
@pytest.mark.parametrize(
    ("member", "offset", "reason"),
    [
        ("interpreter_frame.previous", 1 << 40, "is at 1099511627776"),
        ("interpreter_frame.instr_ptr", 4096, "would be beyond the end of its struct"),
        ("interpreter_frame.instr_ptr", 21, "frame_instruction is at 21"),
        ("thread_state.interp", 16, "a thread state is of another interpreter"),
        ("interpreter_state.threads_head", 1 << 19, "a thread state cannot be read"),
        ("code_object.qualname", 8, "the name of a code object is no str"),
        ("interpreter_frame.executable", 16, "a frame has no code object"),
    ],
)
def test_a_damaged_description_is_refused(root: str, member: str, offset: int, reason: str) -> None:
    place = 1 + member_names((3, 15)).index(member)
    process = MadeUp((3, 15), words={place: offset})
    assert reason in _reason(process.build, root, process)


@pytest.mark.parametrize("root", [_MUSL], indirect=True)
def test_musl_has_no_stacks_before_3_13_and_no_gil_waits_ever(root: str) -> None:
    told = "Python 3.11.2 with musl was not tried: 3.9 to 3.12 with glibc were, and 3.13 on"
    assert _reason(_BUILD, root) == told
    process = MadeUp((3, 13))
    described = find_runtime(PID, process.build, process, root)
    assert described.no_gil == "musl keeps the lock's word on the waiting thread's stack"
    assert described.gils(process) == ()


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_version_that_was_not_tried_says_so(root: str) -> None:
    told = "Python 3.8.18 was not tried: 3.9 to 3.12 with glibc were, and 3.13 on"
    assert _reason(replace(_BUILD, version="3.8.18"), root) == told


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_3_13_that_describes_something_else_is_not_read(root: str) -> None:
    process = MadeUp((3, 13))
    build = replace(process.build, runtime_address=process.runtime + 8)
    told = "Python 3.13.0 does not say where it keeps them: "
    assert _reason(build, root, process).startswith(told)


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_python_2_and_another_machine_are_not_read(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace(_BUILD, version="2.7.18", runtime_address=None)
    assert _reason(old, root) == "Python 2.7.18 keeps its stacks in another way"
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert _reason(_BUILD, root) == "Python 3.11.2 was not tried on riscv64"


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_on_aarch64_only_what_was_tried_there_is_read(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    offsets = find_runtime(PID, _BUILD, MadeUp((3, 13)), root).offsets
    assert offsets.thread_frame == TABLES[3, 11].thread_frame
    told = "Python 3.12.4 was not tried on aarch64"
    assert _reason(replace(_BUILD, version="3.12.4"), root) == told
