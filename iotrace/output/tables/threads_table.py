# SPDX-License-Identifier: Apache-2.0
"""One line a thread: where its wall time went.

Order: time awake (user + kernel + copy + run queue), so that idle pools sink to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.naming import name_thread
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders, in_order
from iotrace.report.ended_threads import brief_together
from iotrace.report.model import Process, Thread
from iotrace.report.process_totals import asleep_ns, awake_ns, totals_of

_LEGEND = (
    "wall: time traced. In % of it: user, kernel and copy (of data to the program): on a CPU; "
    "runq: ready, but no CPU free; asleep in: waiting for what (recv, send: in any read or write; "
    "poll: in select, poll or epoll_wait; +: other waits). vol, invol: context switches."
)
_IDLE = (
    "idle: asleep without a request in hand; the rest of its sleep somebody waited for. -: it has "
    "read no request, or nothing tells."
)
_UNSPLIT = "cpu: on a CPU, in which of the states that are n/a is not known."
_ENDED = "xN: N threads that ended meanwhile, added up."

# Of its wall time, asleep for one reason: all along.
_ALL_ALONG = 0.99

# Under this share of the wall time a reason goes unnamed.
_WORTH_NAMING = 0.001


def _time_in(state: str) -> Callable[[Thread], int]:
    return lambda thread: getattr(thread.states_ns, state) or 0


ORDERS: Orders[Thread] = {
    "tid": ColumnOrder(
        lambda thread: -thread.tid,
        "its number; `xN`: N threads that have ended, added up",
    ),
    "name": ColumnOrder(attrgetter("name"), "its name in the kernel (`prctl`), 15 characters"),
    "wall": ColumnOrder(attrgetter("lifetime_ns"), "how long it was traced"),
    "cpu": ColumnOrder(
        _time_in("cpu"),
        "per cent of wall; only where user and kernel can't be told apart",
    ),
    "user": ColumnOrder(_time_in("user"), "per cent of wall"),
    "kernel": ColumnOrder(_time_in("kernel"), "per cent of wall"),
    "copy": ColumnOrder(_time_in("copy"), "per cent of wall"),
    "runq": ColumnOrder(_time_in("runq"), "per cent of wall"),
    "unaccounted": ColumnOrder(
        _time_in("unaccounted"),
        "per cent of wall; `unacc` in a narrow table",
    ),
    "asleep in": ColumnOrder(
        asleep_ns,
        "the reasons to wait, per cent of wall, the biggest first; `+` the rest of them",
    ),
    "idle": ColumnOrder(
        lambda thread: sum((thread.idle_ns or {}).values()),
        "asleep without a request in hand (see [requests](requests.md)), per cent of wall",
    ),
    "vol": ColumnOrder(attrgetter("switches.voluntary"), "times it left the CPU to wait"),
    "invol": ColumnOrder(
        attrgetter("switches.involuntary"),
        "times it was taken off the CPU though it could have gone on",
    ),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's threads; None if there are none."""
    if not process.threads:
        return None
    rows = process.threads if top is None else brief_together(process.threads)
    ranked = in_order(rows, sort, ORDERS, awake_ns)
    shown, rest = cost.less_alike(ranked, _kind, top)
    columns = [
        figures("tid", (name_thread(thread) for thread in shown)),
        texts("name", (thread.name for thread in shown), least=8),
        figures("wall", (units.format_duration(thread.lifetime_ns) for thread in shown)),
        *_shares(shown),
        texts("asleep in", map(_asleep_in, shown), least=14),
        *([figures("idle", map(_idle, shown))] if _any_idle(shown) else []),
        figures(
            "vol", (units.format_count(thread.switches.voluntary) for thread in shown), spare=1
        ),
        figures(
            "invol", (units.format_count(thread.switches.involuntary) for thread in shown), spare=2
        ),
    ]
    return Table(
        title=f"Threads ({units.format_count(totals_of(process).threads)})",
        legend=(
            _LEGEND,
            *([_IDLE] if _any_idle(shown) else []),
            *([_UNSPLIT] if any(t.states_ns.cpu is not None for t in shown) else []),
            *([_ENDED] if any(thread.count > 1 for thread in shown) else []),
        ),
        columns=tuple(columns),
        more=cost.more(rest, asleep_ns),
    )


def _kind(thread: Thread) -> object:
    """Threads of one pool that sleep all along for one reason; any other is of its own kind."""
    wait, wall = thread.states_ns.wait, thread.lifetime_ns
    main = max(wait, key=lambda reason: wait[reason], default="")
    if not main or wait[main] < _ALL_ALONG * wall:
        return thread.tid, thread.started_ns
    return thread.name.rstrip("0123456789"), main


def _shares(threads: list[Thread]) -> list[Column]:
    states = [(thread.states_ns, thread.lifetime_ns) for thread in threads]
    unsplit = (units.format_share(state.cpu, wall) for state, wall in states)
    columns = [
        *([figures("cpu", unsplit)] if any(state.cpu is not None for state, _ in states) else []),
        figures("user", (units.format_share(state.user, wall) for state, wall in states)),
        figures("kernel", (units.format_share(state.kernel, wall) for state, wall in states)),
        figures("copy", (units.format_share(state.copy, wall) for state, wall in states)),
        figures("runq", (units.format_share(state.runq, wall) for state, wall in states)),
    ]
    if any(state.unaccounted for state, _ in states):
        unaccounted = (units.format_share(state.unaccounted, wall) for state, wall in states)
        columns.append(figures("unaccounted", unaccounted, short="unacc"))
    return columns


def _any_idle(threads: Sequence[Thread]) -> bool:
    return any(thread.idle_ns is not None for thread in threads)


def _idle(thread: Thread) -> str:
    if thread.idle_ns is None:
        return NOTHING
    return units.format_share(sum(thread.idle_ns.values()), thread.lifetime_ns)


def _asleep_in(thread: Thread) -> tuple[str, ...]:
    return reasons(thread.states_ns.wait, thread.lifetime_ns)


def reasons(wait: Mapping[str, int], wall: int) -> tuple[str, ...]:
    """``recv 81.2 poll 17.0 +0.3``: per cent of ``wall``, the biggest first.

    From all that are worth naming down to the biggest one, the rest added up in ``+``.
    """
    ranked = sorted(
        ((reason, time) for reason, time in wait.items() if time),
        key=lambda entry: entry[1],
        reverse=True,
    )
    if not ranked:
        return (NOTHING,)
    worth = sum(1 for _, time in ranked if time >= wall * _WORTH_NAMING) or 1
    forms = []
    for named in range(worth, 0, -1):
        words = [f"{reason} {units.format_share(time, wall)}" for reason, time in ranked[:named]]
        rest = sum(time for _, time in ranked[named:])
        if rest >= wall * _WORTH_NAMING:
            words.append(f"+{units.format_share(rest, wall)}")
        forms.append(" ".join(words))
    return tuple(forms)
