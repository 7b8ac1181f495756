# SPDX-License-Identifier: Apache-2.0
"""How deep stacks are kept is said once in C, and known to who reads them."""

from __future__ import annotations

import re

from iotrace.engine.probe_sources import probes_directory
from iotrace.pystack.walk import HASHED_DEPTH
from iotrace.verdict.outer_callers import DEEPEST


def test_who_reads_stacks_knows_how_deep_they_are_kept() -> None:
    text = (probes_directory() / "python.c").read_text(encoding="ascii")
    (depth,) = re.findall(r"^#define MAX_DEPTH (\d+)$", text, re.MULTILINE)
    assert {HASHED_DEPTH, DEEPEST} == {int(depth)}
