# SPDX-License-Identifier: Apache-2.0
"""The way to what computes in libraries: the functions by way of which most samples are.

Where an interpreter of templates, a parser or a serializer takes the time, its innermost functions
call one another and are the same in every program. Those further out tell what was asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.frames import in_library, in_package
from iotrace.verdict.number_formats import share
from iotrace.verdict.told_lines import ToldLine, frame_text

WAY_SHARE = 0.6
"""Of the samples with a known stack."""
MOST_OF_WAY = 4

_Function = tuple[str, str]


def common_way(rows: Sequence[CpuSample]) -> tuple[ToldLine, ...]:
    """One line, the innermost last: of each file of a package the innermost function that most
    samples are in, and that does not call itself by some way; () if there are none, or the
    program's own code, which tells what was asked for, is on most ways."""
    known = [one for one in rows if one.stack]
    total = sum(one.samples for one in known)
    own = sum(one.samples for one in known if not all(map(in_library, one.stack)))
    if own >= WAY_SHARE * total:
        return ()
    counts, again = Counter[_Function](), set[_Function]()
    for one in known:
        times = Counter(map(_function, one.stack))
        again |= {function for function, often in times.items() if often > 1}
        for function in times:
            counts[function] += one.samples
    common = {
        function
        for function, count in counts.items()
        if count >= WAY_SHARE * total and function not in again
    }
    # Deep stacks lack their outer ends: places in different ones cannot be compared.
    example = max(known, key=lambda one: (_in(common, one), one.samples), default=None)
    of_files = {
        frame.file: frame
        for frame in reversed(example.stack if example else ())
        if _function(frame) in common and in_package(frame)
    }
    way = sorted(of_files.values(), key=lambda frame: -_place(frame, example))[-MOST_OF_WAY:]
    if not way:
        return ()
    count = min(counts[_function(frame)] for frame in way)
    return (ToldLine(f"{share(count, total)} of it by way of {' > '.join(map(frame_text, way))}"),)


def _function(frame: Frame) -> _Function:
    return frame.file, frame.function


def _in(common: set[_Function], one: CpuSample) -> int:
    return len(common & set(map(_function, one.stack)))


def _place(frame: Frame, one: CpuSample | None) -> int:
    """From the innermost on."""
    return one.stack.index(frame) if one else 0
