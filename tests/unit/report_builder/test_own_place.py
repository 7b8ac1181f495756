# SPDX-License-Identifier: Apache-2.0
"""Which frame of a stack is the program's own."""

from __future__ import annotations

import pytest

from iotrace.report.stacks import Frame
from iotrace.report_builder.stack_rows import own_place

_FILES = {
    "string": "<string>",
    "gone": "?",
    "program": "/srv/batch.py",
    "standard": "/usr/lib/python3.11/multiprocessing/managers.py",
    "package": "/venv/lib/python3.11/site-packages/redis/client.py",
}


@pytest.mark.parametrize(
    ("kinds", "own"),
    [
        (("standard", "program"), "program"),
        (("standard", "string", "program"), "program"),
        (("standard", "package", "string"), "string"),
        (("standard", "package", "standard"), "package"),
        (("standard",), "standard"),
        (("gone", "standard", "program"), "program"),
        (("gone", "standard"), "gone"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else one,
)
def test_the_programs_own_frame(kinds: tuple[str, ...], own: str) -> None:
    stack = [Frame("work", _FILES[kind], 7) for kind in kinds]
    assert kinds[own_place(stack)] == own


def test_what_a_forked_process_has_inherited_is_not_its_own() -> None:
    fork = "/usr/lib/python3.11/multiprocessing/popen_fork.py"
    package, program = _FILES["package"], _FILES["program"]
    inherited = [Frame("Popen._launch", fork, 71), Frame("<module>", program, 17)]
    runs = [Frame("read", package, 9), Frame("run", _FILES["standard"], 7)]
    assert own_place([*runs, *inherited]) == 0
    assert own_place([*runs, Frame("job", program, 3), *runs, *inherited]) == 2
    assert own_place(inherited) == 1
