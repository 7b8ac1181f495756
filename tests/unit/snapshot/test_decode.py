"""From a record of the probes to a total."""

from __future__ import annotations

import json

import pytest

from iotrace.engine.constants import WAIT_BY_KIND, WAIT_CLASSES
from iotrace.engine.record_layout import parse_layout
from iotrace.snapshot.decode import decoded, thread_totals
from iotrace.snapshot.in_flight import InFlight
from iotrace.snapshot.stack_totals import LineTotals
from iotrace.vocabulary.waits import WAIT_REASONS

_FIGURES = (
    "started_ns ended_ns since_ns user_ns kernel_ns copy_ns runq_ns unaccounted_ns voluntary "
    "involuntary syscalls parent_pid found sleep_class taken answered given untold wanted_ns"
).split()
_THREAD = parse_layout(
    json.dumps(
        [
            "thread",
            [
                *([name, "unsigned long long"] for name in _FIGURES),
                ["name", "char", [16]],
                ["wait_ns", "unsigned long long", [WAIT_CLASSES]],
                ["idle_ns", "unsigned long long", [WAIT_CLASSES]],
            ],
            "struct",
        ]
    )
)
_LINE = parse_layout(
    json.dumps(["line", [["calls", "unsigned int"], ["max_ns", "unsigned int"]], "struct"])
)


def test_a_sleeper_waits_for_its_reason_up_to_now() -> None:
    recv, poll = WAIT_REASONS.index("recv"), WAIT_REASONS.index("poll")
    raw = bytes(_THREAD.pack({"sleep_class": poll, "user_ns": 7, "since_ns": 30, "name": b"web"}))
    offset = _THREAD.fields["wait_ns"].offset
    raw = raw[: offset + 8 * recv] + (11).to_bytes(8, "little") + raw[offset + 8 * recv + 8 :]
    totals = thread_totals(_THREAD, raw, _THREAD.unpack(raw), InFlight(asleep_ns=12))
    assert (totals.name, totals.user_ns, totals.lifetime_ns, totals.count) == ("web", 7, 42, 1)
    waits = dict(zip(WAIT_REASONS, totals.wait_ns, strict=True))
    assert {reason: ns for reason, ns in waits.items() if ns} == {"recv": 11, "poll": 12}


def test_a_wait_for_no_known_reason_is_one_for_something_else() -> None:
    raw = bytes(_THREAD.pack({"sleep_class": WAIT_BY_KIND}))
    totals = thread_totals(_THREAD, raw, _THREAD.unpack(raw), InFlight(asleep_ns=13))
    assert totals.wait_ns[WAIT_REASONS.index("other")] == sum(totals.wait_ns) == 13


@pytest.mark.parametrize(
    ("in_hand", "idle_ns"),
    [
        ({}, 12),
        ({"taken": 3, "answered": 1, "given": 1}, 0),
        ({"taken": 3, "answered": 1, "given": 2}, 12),
        ({"wanted_ns": 35}, 5),
        ({"wanted_ns": 25}, 12),
    ],
)
def test_a_sleep_is_idle_until_a_request_arrives(in_hand: dict[str, int], idle_ns: int) -> None:
    poll = WAIT_REASONS.index("poll")
    raw = bytes(_THREAD.pack({"sleep_class": poll, "since_ns": 30, **in_hand}))
    totals = thread_totals(_THREAD, raw, _THREAD.unpack(raw), InFlight(asleep_ns=12))
    assert totals.idle_ns[poll] == sum(totals.idle_ns) == idle_ns
    assert totals.taken == in_hand.get("taken", 0)


def test_a_field_that_no_record_has_is_an_error() -> None:
    raw = bytes(_LINE.pack({"calls": 3}))
    with pytest.raises(TypeError, match="total_ns"):
        decoded(LineTotals, _LINE, raw)
    known = dict.fromkeys("total_ns wait_ns runq_ns copy_ns fd tid".split(), 5)
    assert decoded(LineTotals, _LINE, raw, **known) == LineTotals(3, 5, 5, 5, 5, 0, 5, 5, 0)
