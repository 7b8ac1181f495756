"""The probes compile against our own prelude, and where that does not, against bcc's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from iotrace.report.detail import Detail

_COMPILE = """
import json, sys
from iotrace.engine import compiler
from iotrace.engine.program import Limits
from iotrace.engine.tracepoints import parts_of
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


def test_where_ours_is_of_no_use_bccs_is_taken() -> None:
    _, _, usual = _compiled("full")
    parts, tries, programs = _compiled("full", "without ours")
    assert (tries, programs) == (2 * parts, usual)
