# SPDX-License-Identifier: Apache-2.0
"""What a process's children are called, for findings about waits for them."""

from __future__ import annotations

from collections import Counter

from iotrace.verdict.process_profile import ProcessProfile

MOST_CHILDREN = 3


def child_names(profile: ProcessProfile) -> str:
    """ " (gzip, head)": the programs that took most CPU time; "" where no child was seen."""
    taken = Counter[str]()
    todo = list(profile.children)
    while todo:
        one = todo.pop()
        taken[one.process.name] += one.total.cpu_ns
        todo += one.children
    names = [name for name, _ in taken.most_common(MOST_CHILDREN)]
    return f" ({', '.join(names)})" if names else ""
