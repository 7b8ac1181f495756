# SPDX-License-Identifier: Apache-2.0
"""What two lines of findings have in common."""

from __future__ import annotations

from iotrace.report.stacks import Frame
from iotrace.verdict.told_lines import COMPUTES, HELD_LOCK, wait_at

GET = Frame("get", "/srv/orders.py", 88)
BELOW = Frame("get", "/srv/orders.py", 90)
ELSEWHERE = Frame("get", "/lib/orders.py", 88)


def test_the_same_call_at_the_same_line_of_the_same_file_is_one_wait() -> None:
    reads = wait_at(GET, "recvfrom")
    assert reads == wait_at(GET, "recvfrom")
    for other in (wait_at(GET, "sendto"), wait_at(BELOW, "recvfrom")):
        assert other != reads
    # A file elsewhere is printed by the same name.
    assert wait_at(ELSEWHERE, "recvfrom").place == reads.place == "orders.py:88 get"
    assert wait_at(ELSEWHERE, "recvfrom") != reads


def test_what_computes_is_the_same_at_any_line_of_a_function() -> None:
    assert wait_at(GET, COMPUTES) == wait_at(BELOW, COMPUTES)
    assert wait_at(GET, COMPUTES).place == "orders.py get"


def test_a_lock_is_what_somebody_else_has() -> None:
    waits, held = wait_at(GET, "futex"), wait_at(GET, HELD_LOCK)
    assert (waits != held, waits.is_of_lock_of(held)) == (True, True)
    assert not wait_at(GET, "fsync").is_for_lock
    assert not wait_at(BELOW, "futex").is_of_lock_of(held)
