# SPDX-License-Identifier: Apache-2.0
"""What a process runs: its arguments lie in its memory, its interpreter in files of its own."""

from __future__ import annotations

from typing import Any

from iotrace.procfs import python as procfs_python
from iotrace.procfs.process import Program
from iotrace.procfs.process import read_program as procfs_program
from iotrace.procfs.python import PythonBuild
from iotrace.target_reader.asking import Asker


def read_program(reader: Asker, pid: int) -> Program:
    """Command line and path. Raises what ``Asker.ask`` raises."""
    return Program(*reader.ask("program", pid))


def read_python(reader: Asker, pid: int) -> PythonBuild | None:
    """The CPython in a process; None: there is none. Raises what ``Asker.ask`` raises."""
    answer = reader.ask("python", pid)
    return None if answer is None else PythonBuild(*answer)


def program(_session: object, pid: int) -> Any:
    """In the reader."""
    return members(procfs_program(pid))


def python(_session: object, pid: int) -> Any:
    """In the reader."""
    build = procfs_python.read_python(pid)
    return None if build is None else members(build)


def members(value: Any) -> tuple[Any, ...]:
    """Of a dataclass, in order."""
    return tuple([getattr(value, name) for name in value.__dataclass_fields__])
