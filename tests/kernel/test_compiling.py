"""The probes compile against our own prelude, and where that does not, against bcc's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iotrace.engine.loader import PROBE_REFUSED
from iotrace.engine.map_limits import Limits
from iotrace.engine.probe_sources import header_tree
from iotrace.report.detail import Detail
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing

_COMPILE = """
import json, sys
from iotrace.engine import compiler
from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import parts_of
from iotrace.engine.probe_sources import header_tree
from iotrace.report.detail import Detail

if sys.argv[2:]:
    compiler.prelude_flags = lambda: ["-include", "/nowhere.h"]
ours = compiler.Compiler()
tried = []
really = ours._bpf
ours._bpf = lambda **options: tried.append(0) or really(**options)
limits = Limits(detail=Detail(sys.argv[1]))
parts = parts_of(limits.detail, 2, True)
images = [ours.compile(limits, frozenset(), False, part) for part in parts]
print(json.dumps([len(parts), len(tried), sum(len(image.functions) for image in images)]))
"""


def _compiled(*arguments: str) -> tuple[int, int, int]:
    """Parts, tries, programs."""
    command = [sys.executable, "-c", _COMPILE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    parts, tries, programs = json.loads(done.stdout)
    return parts, tries, programs


@pytest.mark.parametrize("detail", Detail)
def test_our_own_prelude_is_all_that_the_probes_need(detail: Detail) -> None:
    parts, tries, programs = _compiled(detail.value)
    assert tries == parts, "bcc's prelude was needed, which takes longer to read"
    assert programs > parts


@pytest.mark.parametrize("detail", Detail)
def test_the_kernel_refuses_none_of_what_this_compiler_makes(detail: Detail) -> None:
    with (
        Target("calls.py") as target,
        tracing(target.pid, limits=Limits(detail=detail)) as trace,
    ):
        unavailable = report_of(trace).quality.unavailable
    refused = [what for what, why in unavailable.items() if why.startswith(PROBE_REFUSED)]
    assert not refused


def test_where_ours_is_of_no_use_bccs_is_taken() -> None:
    _, _, usual = _compiled("full")
    parts, tries, programs = _compiled("full", "without ours")
    assert (tries, programs) == (2 * parts, usual)


_LEFT_OVER = """
import ctypes, json, os
from pathlib import Path
from iotrace.engine.compiler import Compiler

Compiler()
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
seen = {name: libc.getenv(name.encode()) is not None for name in ("CPATH", "BCC_KERNEL_SOURCE")}
print(json.dumps([dict(os.environ), seen, str(Path.cwd())]))
"""


def test_the_caller_has_no_say_in_what_is_compiled(tmp_path: Path) -> None:
    """Neither by its directory, which bcc has searched for headers, nor by its environment."""
    hostile = {"CPATH": str(tmp_path), "BCC_LINUX_VERSION_CODE": "1", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _LEFT_OVER],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env={**os.environ, **hostile},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    environment, seen, directory = json.loads(done.stdout)
    assert environment == {"BCC_KERNEL_SOURCE": str(header_tree())}
    assert seen == {"CPATH": False, "BCC_KERNEL_SOURCE": True}
    assert directory == str(header_tree())
