"""What goes wrong in a run, in sentences built from its figures: the teaching cases."""

from __future__ import annotations

from iotrace.demo.run import Run
from iotrace.output.units import format_count, format_duration, plural
from iotrace.report.detail import known


def unserved(run: Run) -> list[str]:
    """Level-triggering that reports again and again."""
    found = [loop for loop in run.loops if known(loop.unserved) > known(loop.iterations) / 2]
    return [
        f"{format_count(loop.unserved)} of {format_count(loop.iterations)} returns of "
        f"{loop.multiplexer} told of something that was then neither read nor accepted: "
        "level-triggered, it returns at once and tells so again, for "
        f"{format_duration(run.figures.cpu_ns)} of CPU time in all."
        for loop in found[:1]
    ]


def of_variant(run: Run) -> list[str]:
    spread, pickup = run.result.latency_ns, run.figures.pickup
    if spread is None:
        return []
    if run.variant == "slow-handler":
        return [
            f"The handler is slow, and {plural(run.result.connections, 'client')} share its "
            f"thread: half of the answers took longer than {format_duration(spread.p50)}."
        ]
    if run.variant == "stop-early" and pickup is not None:
        return [
            f"It stops reading before EAGAIN. What is left behind waits for the next edge: half of "
            f"the answers took longer than {format_duration(spread.p50)}, and the connection was "
            f"never empty for up to {format_duration(pickup.max)}."
        ]
    if run.variant == "slow-accept":
        slowest = max(run.result.connect_ns.max if run.result.connect_ns else 0, spread.max)
        return [
            f"The slowest client waited {format_duration(slowest)}, because it was accepted late."
        ]
    return []


def unanswered(run: Run) -> list[str]:
    left = run.result.errors.get("unanswered", 0)
    unread = [d.unread_ns for p in run.report.processes for d in p.descriptors if d.unread_ns]
    why = "".join(f" Refused: {reason}." for reason in run.result.refusals)
    said = [f"{plural(left, 'request')} never got an answer.{why}"] if left else []
    others = {
        kind: number
        for kind, number in run.result.errors.items()
        if kind not in ("unanswered", "refused")
    }
    if others:
        met = ", ".join(f"{format_count(number)} {kind}" for kind, number in others.items())
        said.append(f"The clients met errors: {met}.")
    if unread:
        said.append(f"At the end data had been lying unread for {format_duration(max(unread))}.")
    return said
