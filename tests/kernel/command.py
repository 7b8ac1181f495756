"""Run the command line as its users do."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report on stdout, which must satisfy the published schema."""
        return checked_report(self.stdout)


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    return schema


def checked_report(text: str) -> dict[str, Any]:
    """A report from its JSON, which must satisfy the published schema."""
    report: dict[str, Any] = json.loads(text)
    jsonschema.validate(report, _schema())
    return report


def iotrace(*arguments: object, **options: Any) -> Ended:
    """Run it to its end."""
    with started(*arguments, **options) as process:
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    return Ended(process.returncode, stdout, stderr)


@contextmanager
def started(*arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """It runs inside, and is ended if it has not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "iotrace", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_tracing(process: subprocess.Popen[str]) -> set[int]:
    """Until it only waits for the end of its trace; the ids of its BPF programs."""

    def is_tracing() -> bool:
        assert process.poll() is None, process.communicate()
        return bool(programs_of(process.pid)) and sleeps_in(
            process.pid, process.pid, "rt_sigtimedwait"
        )

    wait_until(is_tracing, "the trace to begin")
    return programs_of(process.pid)


def programs_of(pid: int) -> set[int]:
    """The BPF programs that a process holds, by the kernel's ids."""
    ids = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):
            for line in info.read_text().splitlines():
                if line.startswith("prog_id:"):
                    ids.add(int(line.split()[1]))
    return ids


def programs_left(ids: set[int]) -> set[int]:
    """Those of these BPF programs that are still in the kernel."""
    return {one for one in ids if _program_exists(one)}


_BPF_PROG_GET_FD_BY_ID = 13


def _program_exists(program_id: int) -> bool:
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    attributes = (ctypes.c_uint32 * 4)(program_id)
    fd = ctypes.CDLL(None).syscall(
        number, _BPF_PROG_GET_FD_BY_ID, attributes, ctypes.sizeof(attributes)
    )
    if fd < 0:
        return False
    os.close(fd)
    return True
