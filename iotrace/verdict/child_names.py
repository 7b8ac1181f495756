# SPDX-License-Identifier: Apache-2.0
"""What a process's children are called, for findings about waits for them."""

from __future__ import annotations

from collections import Counter

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.work_in_progress import below

MOST_CHILDREN = 3


def child_names(profile: ProcessProfile) -> str:
    """ " (gzip, head)": the programs that took most CPU time; "" where no child was seen."""
    taken = Counter[str]()
    for one in below(profile):
        taken[one.process.name] += one.total.cpu_ns
    names = [name for name, _ in taken.most_common(MOST_CHILDREN)]
    return f" ({', '.join(names)})" if names else ""
