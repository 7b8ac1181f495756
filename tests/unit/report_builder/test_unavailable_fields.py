"""What a detail does not know is None; what it knows is as it was."""

from __future__ import annotations

import dataclasses

import pytest

from iotrace.cli.options import DETAILS
from iotrace.report.detail import Detail, unknown_fields
from iotrace.report.model import Call, Descriptor, Loop, States, Thread, UnreadPipe
from iotrace.report.requests import Workers
from iotrace.report.shape import choices, fields_of
from tests.unit.light import lit
from tests.unit.reports import event_loop
from tests.unit.request_rows import LISTENER

(FULL,) = event_loop().processes
KNOWN_OF_CALLS = {"tid", "syscall", "kind", "wait_ns", "runq_ns", "in_flight", "sleeps", "slept_ns"}


def test_full_detail_knows_all() -> None:
    assert lit(FULL, Detail.FULL).threads == FULL.threads


def test_the_time_on_the_cpu_stays_and_the_states_add_up() -> None:
    for before, after in zip(FULL.threads, lit(FULL).threads, strict=True):
        old, new = before.states_ns, after.states_ns
        assert (new.user, new.kernel, new.copy, after.syscalls) == (None,) * 4
        assert new.cpu == new.on_cpu == old.user + old.kernel + old.copy  # type: ignore[operator]
        assert new.on_cpu + new.runq + sum(new.wait.values()) == after.lifetime_ns


def test_sockets_detail_knows_the_copy() -> None:
    for before, after in zip(FULL.threads, lit(FULL, Detail.SOCKETS).threads, strict=True):
        assert after.states_ns.copy == before.states_ns.copy
        assert after.states_ns.on_cpu == before.states_ns.on_cpu


def test_of_a_call_only_its_sleeps_are_known() -> None:
    for before, after in zip(FULL.calls, lit(FULL).calls, strict=True):
        known = {
            field.name
            for field in dataclasses.fields(after)
            if getattr(after, field.name) not in (None, False)
        }
        assert known <= KNOWN_OF_CALLS
        assert (after.wait_ns, after.runq_ns) == (before.wait_ns, before.runq_ns)
        assert after.slept_ns == (before.latency_ns if before.wait_ns else None)


def test_sockets_detail_counts_reads_and_writes_of_sockets_alone() -> None:
    counted = {
        (row.syscall, row.kind) for row in lit(FULL, Detail.SOCKETS).calls if row.calls is not None
    }
    assert counted == {("recvfrom", "tcp"), ("sendto", "tcp")}


def test_the_time_of_requests_on_the_cpu_is_not_told_apart() -> None:
    process = dataclasses.replace(
        FULL, requests=(LISTENER,), workers=Workers((1, 2), (LISTENER,), ())
    )
    new = lit(process, Detail.SOCKETS)
    assert new.workers is not None
    for row in (*new.requests, *new.workers.requests):
        for before, after in zip(LISTENER.tiers, row.tiers, strict=True):
            assert not {"user", "kernel"} & {*after.pickup_ns, *after.service_ns}
            assert sum(after.pickup_ns.values()) == sum(before.pickup_ns.values())
            assert sum(after.service_ns.values()) == sum(before.service_ns.values())
        assert row.exemplars[0].service_ns == {"cpu": 1_000_000, "sleep": 40_000_000}


@pytest.mark.parametrize("detail", [Detail.SOCKETS, Detail.LIGHT])
def test_reads_of_a_pipe_are_no_reads_of_sockets(detail: Detail) -> None:
    pipe = UnreadPipe(7, "pipe:[801]", 421, 0, (802,))
    (after,) = lit(dataclasses.replace(FULL, unread_pipes=(pipe,)), detail).unread_pipes
    assert after == dataclasses.replace(pipe, reads=None)


def test_of_a_loop_its_sleeps_and_what_it_watches() -> None:
    (before,), (after,) = FULL.loops, lit(FULL).loops
    assert (after.iterations, after.empty, after.ready, after.unserved) == (None,) * 4
    # Between two sleeps: what the probes of that detail have counted in the same place.
    assert (after.busy_ns, after.stalls) == (before.busy_ns, before.stalls)
    assert (after.wait_ns, after.watched, after.trigger) == (
        before.wait_ns,
        before.watched,
        before.trigger,
    )
    assert after.sleeps == before.iterations


@pytest.mark.parametrize("detail", [Detail.SOCKETS, Detail.LIGHT])
@pytest.mark.parametrize("name", ["threads", "calls", "descriptors", "loops"])
def test_what_a_detail_does_not_know_is_what_the_fields_say(name: str, detail: Detail) -> None:
    """``metadata`` in report/rows.py and report/event_loops.py, and nothing else."""
    known = {"calls": "recvfrom"}.get(name)  # of calls and descriptors: on sockets
    row = next(
        row for row in getattr(FULL, name)
        if known in (None, getattr(row, "syscall", None)) and getattr(row, "kind", "tcp") == "tcp"
    )  # fmt: skip
    full = dataclasses.replace(row, **{f.name: 41 for f in dataclasses.fields(row) if f.metadata})
    process = dataclasses.replace(FULL, **{name: (full,)})
    (after,) = getattr(lit(process, detail), name)
    lost = {
        field.name
        for field in dataclasses.fields(row)
        if getattr(after, field.name) is None and getattr(full, field.name) is not None
    }
    assert lost == set(unknown_fields(type(row), detail)), f"{name} in {detail.value} detail"


@pytest.mark.parametrize("row", [Thread, States, Call, Descriptor, Loop, UnreadPipe])
def test_what_may_be_unknown_may_be_none(row: type) -> None:
    for field in fields_of(row):
        if field.name in unknown_fields(row, Detail.LIGHT):
            assert type(None) in choices(field.type), (
                f"{row.__module__}: {row.__name__}.{field.name} is not known in every detail, "
                "so its type must allow None"
            )


@pytest.mark.parametrize("detail", Detail)
def test_a_detail_gives_what_a_lesser_one_gives(detail: Detail) -> None:
    assert Detail.FULL.gives(detail)
    assert detail.gives(Detail.LIGHT)
    assert Detail.LIGHT.gives(detail) == (detail is Detail.LIGHT)
    assert bool(detail.unavailable) == (detail is not Detail.FULL)


def test_the_command_line_has_the_same_names() -> None:
    assert tuple(one.value for one in Detail) == DETAILS
