# SPDX-License-Identifier: Apache-2.0
"""What middleware of a web framework computes, for each request that passes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.frames import in_package, package_of
from iotrace.verdict.number_formats import share
from iotrace.verdict.told_lines import ToldLine

LEAST_SAMPLES = 20
LEAST_SHARE = 0.1
"""Of all samples: what takes less is not worth a change."""
_MIDDLEWARE = re.compile(r"-packages/(?:.*/)?\w*middlewares?(?:/|\.py$|_)")
_TOOLS = frozenset(("anyio", "sniffio", "exceptiongroup", "typing_extensions"))
"""Packages that do what another one has asked for: task groups, streams."""


def middleware_lines(rows: Sequence[CpuSample]) -> tuple[ToldLine, ...]:
    """The middleware that most is computed in, or by what it calls of the standard library; not
    what is further in: the application, and other middleware. () where it takes little."""
    total = sum(one.samples for one in rows)
    files = Counter[str]()
    for one in rows:
        asker = next(filter(_asks, one.stack), None)
        if asker is not None and _MIDDLEWARE.search(asker.file):
            files[asker.file.rpartition("-packages/")[2]] += one.samples
    taken = files.total()
    if total < LEAST_SAMPLES or taken < LEAST_SHARE * total:
        return ()
    named = ", ".join(f"{file} {share(count, total)}" for file, count in files.most_common(2))
    return (ToldLine(f"by middleware, of its CPU samples {share(taken, total)}: {named}"),)


def _asks(frame: Frame) -> bool:
    return not _is_standard(frame) and package_of(frame) not in _TOOLS


def _is_standard(frame: Frame) -> bool:
    """Whether a frame is of Python's own library, or of code without a file."""
    return frame.file.startswith("<") or ("/lib/python" in frame.file and not in_package(frame))
