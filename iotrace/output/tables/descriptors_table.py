# SPDX-License-Identifier: Apache-2.0
"""One line a descriptor: what it is, who is at its other end, what it cost.

Order: wait + copy.
"""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.tables.calls_table import ESTIMATED, estimated
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Descriptor, Process

_LEGEND = "in, out: bytes read and written; wait, copy: in calls on it."
_SLEEPS = "sleeps: times that a call on it slept."
_PICKUP = "pickup: from data ready to the read that takes it, p50 and p99."
_OPENED = "xN (+): N of them (several), one after the other, had this number."


ORDERS: Orders[Descriptor] = {
    "fd": ColumnOrder(lambda descriptor: -descriptor.fd, "the number"),
    "what": ColumnOrder(
        attrgetter("kind"),
        "its kind; `xN` (or `+`): N objects had this number, one after the other",
    ),
    "local -> peer": ColumnOrder(
        lambda descriptor: f"{descriptor.peer} {descriptor.local}",
        "its addresses; of something else than a socket, what it is. The latest object's",
    ),
    "calls": ColumnOrder(lambda one: one.calls or 0, "calls on it"),
    "sleeps": ColumnOrder(
        lambda one: one.sleeps or 0,
        "in light detail: times that a call on it slept",
    ),
    "in": ColumnOrder(lambda one: one.bytes_in or 0, "bytes read"),
    "out": ColumnOrder(lambda one: one.bytes_out or 0, "bytes written"),
    "wait": ColumnOrder(
        attrgetter("wait_ns"),
        "time asleep in calls on it. Time asleep in a multiplexer is nobody's: it is the loop's",
    ),
    "copy": ColumnOrder(lambda one: one.copy_ns or 0, "time copying from it; `~`: estimated"),
    "pickup": ColumnOrder(
        lambda descriptor: descriptor.pickup_ns.p50 if descriptor.pickup_ns else -1,
        "from the arrival of data on a socket to the start of the copy that takes it, p50",
    ),
    "p99": ColumnOrder(
        lambda descriptor: descriptor.pickup_ns.p99 if descriptor.pickup_ns else -1,
        "of pickup",
    ),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's descriptors; None if there are none."""
    if not process.descriptors:
        return None
    shown, rest = cost.costliest(
        process.descriptors, lambda fd: fd.wait_ns + (fd.copy_ns or 0), top, sort, ORDERS
    )
    pickup = _pickup(shown)
    columns = [
        figures("fd", (str(descriptor.fd) for descriptor in shown)),
        texts("what", map(_what, shown), least=4),
        texts("local -> peer", map(_ends, shown), least=15, keep_end=True),
        figures("calls", (units.format_count(descriptor.calls) for descriptor in shown), spare=3),
        *_sleeps(shown),
        figures("in", (units.format_size(descriptor.bytes_in) for descriptor in shown)),
        figures("out", (units.format_size(descriptor.bytes_out) for descriptor in shown)),
        figures(
            "wait", (units.format_duration(descriptor.wait_ns) for descriptor in shown), spare=1
        ),
        figures("copy", map(_copy, shown)),
        *pickup,
    ]
    return Table(
        title=f"Descriptors ({units.format_count(len(process.descriptors))})",
        legend=(
            _LEGEND,
            *([_SLEEPS] if _sleeps(shown) else []),
            *([_PICKUP] if pickup else []),
            *([_OPENED] if any(descriptor.opened > 1 for descriptor in shown) else []),
            *([ESTIMATED] if any(descriptor.copy_estimated for descriptor in shown) else []),
        ),
        columns=tuple(columns),
        more=cost.more(rest, lambda descriptor: descriptor.wait_ns),
    )


def _sleeps(descriptors: list[Descriptor]) -> list[Column]:
    if all(descriptor.sleeps is None for descriptor in descriptors):
        return []
    return [figures("sleeps", (units.format_count(one.sleeps) for one in descriptors))]


def _what(descriptor: Descriptor) -> tuple[str, ...]:
    if descriptor.opened == 1:
        return (descriptor.kind,)
    return f"{descriptor.kind} x{units.format_count(descriptor.opened)}", f"{descriptor.kind}+"


def _ends(descriptor: Descriptor) -> tuple[str, ...]:
    """Both addresses; then the local one's port alone; then the peer alone."""
    local, peer = descriptor.local, descriptor.peer
    if not peer:
        return (local or NOTHING,)
    alone = (f"-> {peer}", f"->{peer}")
    if not local:
        return alone
    port = local.rpartition(":")[2]
    brief = (f":{port} -> {peer}",) if port.isdigit() else ()
    return f"{local} -> {peer}", *brief, *alone


def _copy(descriptor: Descriptor) -> str:
    return estimated(descriptor.copy_ns, descriptor.copy_estimated)


def _pickup(descriptors: list[Descriptor]) -> list[Column]:
    known = [descriptor.pickup_ns for descriptor in descriptors]
    if not any(known):
        return []
    return [
        figures(
            "pickup", (units.format_duration(delay.p50) if delay else NOTHING for delay in known)
        ),
        figures(
            "p99",
            (units.format_duration(delay.p99) if delay else NOTHING for delay in known),
            spare=2,
        ),
    ]
