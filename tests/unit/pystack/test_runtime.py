"""Which builds of Python are read, and why others are not: a reason, never a guess."""

from __future__ import annotations

import platform
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from iotrace.procfs.python import PythonBuild
from iotrace.pystack.memory import Unreadable
from iotrace.pystack.offsets import _DESCRIBED_3_13, TABLES
from iotrace.pystack.runtime import NoStacks, find_runtime

_PID, _RUNTIME = 700, 0x5000
_BUILD = PythonBuild("3.11.2", "/usr/bin/python3.11", 0, _RUNTIME, free_threaded=False)
_GLIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
_MUSL = "/lib/ld-musl-x86_64.so.1"


class _Described:
    """A runtime that describes itself as this version, all offsets the same."""

    def __init__(self, version: int) -> None:
        members = [48] * len(_DESCRIBED_3_13)
        self._data = b"xdebugpy" + struct.pack(f"<Q{len(members)}Q", version, *members)

    def read(self, address: int, size: int) -> bytes:
        if address != _RUNTIME or size > len(self._data):
            raise Unreadable("outside")
        return self._data[:size]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """/proc of a process that has mapped this C library."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (tmp_path / str(_PID)).mkdir()
    line = f"7f0000000000-7f0000100000 r-xp 00000000 08:01 4711 {request.param}\n"
    (tmp_path / str(_PID) / "maps").write_text(line)
    return str(tmp_path)


def _reason(build: PythonBuild, root: str, version: int = 0x030D00F0) -> str:
    with pytest.raises(NoStacks) as refusal:
        find_runtime(_PID, build, _Described(version), root)
    return str(refusal.value)


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_build_with_glibc_is_read_and_its_gil_known(root: str) -> None:
    runtime = find_runtime(_PID, _BUILD, _Described(0), root)
    assert (runtime.offsets, runtime.no_gil) == (TABLES[3, 11], None)
    described = find_runtime(_PID, replace(_BUILD, version="3.13.0"), _Described(0x030D00F0), root)
    assert described.no_gil is None


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_build_without_a_gil_says_so(root: str) -> None:
    build = replace(_BUILD, version="3.13.0", free_threaded=True)
    assert _reason(build, root) == "Python 3.13.0 is built without a GIL: not tried"


@pytest.mark.parametrize("root", [_MUSL], indirect=True)
def test_musl_has_no_stacks_before_3_13_and_no_gil_waits_ever(root: str) -> None:
    told = "Python 3.11.2 with musl was not tried: 3.9 to 3.13 with glibc were"
    assert _reason(_BUILD, root) == told
    described = find_runtime(_PID, replace(_BUILD, version="3.13.0"), _Described(0x030D00F0), root)
    assert described.no_gil == "musl keeps the lock's word on the waiting thread's stack"
    assert described.gils(_Described(0)) == ()


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
@pytest.mark.parametrize("version", ["3.8.18", "3.14.0", "3.15.0a1"])
def test_a_version_that_was_not_tried_says_so(root: str, version: str) -> None:
    told = f"Python {version} was not tried: 3.9 to 3.13 with glibc were"
    assert _reason(replace(_BUILD, version=version), root) == told


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_a_3_13_that_describes_something_else_is_not_read(root: str) -> None:
    build = replace(_BUILD, version="3.13.0")
    told = "Python 3.13.0 does not say where it keeps them"
    assert _reason(build, root, version=0x030E00F0) == told


@pytest.mark.parametrize("root", [_GLIBC], indirect=True)
def test_python_2_and_another_machine_are_not_read(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace(_BUILD, version="2.7.18", runtime_address=None)
    assert _reason(old, root) == "Python 2.7.18 keeps its stacks in another way"
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert _reason(_BUILD, root) == "not tried on aarch64"
