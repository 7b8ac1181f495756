# SPDX-License-Identifier: Apache-2.0
"""What a report is read for in the machine: counts, gaps, losses, Python."""

from __future__ import annotations

from typing import Any

SENT = 503
EXPECTED = {
    ("write", "pipe"): (1009, 7063, {}),
    ("read", "pipe"): (1009, 7063, {}),
    ("recvfrom", "unix"): (SENT + 211, 3 * SENT, {"EAGAIN": 211}),
    ("clock_nanosleep", ""): (17, 0, {}),
}
"""(call, kind): calls, bytes, errors of counts.py."""
_STATES = ("user", "kernel", "copy", "cpu", "runq", "unaccounted")
_LEAST_GIL_WAIT = 0.5
"""Of what the program measures: the rest is the CPU's, which is slow where it is emulated."""


def gap(report: dict[str, Any]) -> float:
    """How far a thread's states are from its wall time, at most, in parts of it."""
    gaps = [0.0]
    for process in report["processes"]:
        for thread in process["threads"]:
            states = thread["states_ns"]
            known = sum(states.get(name) or 0 for name in _STATES) + sum(states["wait"].values())
            gaps.append(abs(known - thread["lifetime_ns"]) / max(thread["lifetime_ns"], 1))
    return max(gaps)


def unaccounted(report: dict[str, Any]) -> float:
    """Time that no state has, in parts of all."""
    return float(report["quality"]["unaccounted_ratio"])


def lost(report: dict[str, Any]) -> dict[str, int]:
    """What was lost, by its name."""
    return {name: count for name, count in report["quality"]["lost"].items() if count}


def unavailable(report: dict[str, Any], detail: str) -> dict[str, str]:
    """Columns that this kernel cannot give, with the reasons; not those that the detail lacks, and
    not what of a process could not be read in time."""
    told: dict[str, str] = report["quality"]["unavailable"]
    return {
        column: reason
        for column, reason in told.items()
        if column != "probe_ns"
        and not reason.startswith(f"{detail} detail")
        and not column.startswith("some facts of process")
    }


def wrong_counts(report: dict[str, Any], detail: str, truth: dict[str, int]) -> list[str]:
    """What counts.py did and was not counted as it was done; ``truth`` is what it says itself."""
    found: dict[tuple[str, str], list[Any]] = {}
    for process in report["processes"]:
        for call in process["calls"]:
            row = found.setdefault((call["syscall"], call["kind"]), [0, 0, {}, 0])
            row[0] += call["calls"] or 0
            row[1] += call["bytes"] or 0
            row[2] |= call["errors"] or {}
            row[3] += call["sleeps"] or 0
    if detail == "light":
        slept = found.get(("clock_nanosleep", ""), [0, 0, {}, 0])[3]
        return [] if slept == truth["slept"] else [f"{slept} of {truth['slept']} sleeps"]
    sent = SENT + truth["received"]
    expected = {**EXPECTED, ("sendto", "unix"): (sent, 3 * SENT + 100 * truth["received"], {})}
    wrong = wrong_operations(report, detail, truth["received"])
    for key, (calls, moved, errors) in expected.items():
        if detail == "sockets" and (
            key[1] != "unix" or "counts of socket calls" in unavailable(report, detail)
        ):
            continue
        has = found.get(key, [0, 0, {}, 0])
        if has[0] != calls or (moved and has[1] != moved) or has[2] != errors:
            wrong.append(f"{key[0]}: {has[:3]} for {(calls, moved, errors)}")
    return wrong


def wrong_operations(report: dict[str, Any], detail: str, received: int) -> list[str]:
    """Receives by io_uring that were not counted; [] where this kernel cannot tell them."""
    if "operations" in unavailable(report, detail):
        return []
    found = [
        (one["op"], one["count"], one["bytes"])
        for process in report["processes"]
        for one in process["operations"]
    ]
    wanted = [("recv", received, 100 * received)] if received else []
    return [] if found == wanted else [f"operations: {found} for {wanted}"]


def wrong_python(report: dict[str, Any], truth: dict[str, int]) -> list[str]:
    """What python_work.py did that its report does not say; ``truth`` is what it says itself.

    Lines that the report gives a reason not to have are not missed.
    """
    processes = report["processes"]
    there = [
        line
        for process in processes
        for line in process["lines"]
        if (line["stack"][0]["function"], line["stack"][0]["line"]) == ("pause", truth["line"])
    ]
    slept = sum(line["calls"] for line in there if line["syscall"] == "clock_nanosleep")
    waited = sum(line["total_ns"] for line in there if line["kind"] == "gil")
    # A wait after a while of computing is not the call's, and an emulated CPU computes long.
    of_call = sum(
        call["gil_ns"] or 0
        for process in processes
        for call in process["calls"]
        if call["syscall"] == "clock_nanosleep"
    )
    wrong = []
    if "python lines" in unavailable(report, "full"):
        waited = of_call
    elif slept != truth["sleeps"]:
        wrong.append(f"{slept} of {truth['sleeps']} sleeps at the line")
    if not _LEAST_GIL_WAIT * truth["waited_ns"] <= waited <= truth["waited_ns"] or not of_call:
        wrong.append(f"waited {waited} ns for the GIL, not {truth['waited_ns']} (call: {of_call})")
    sampled = sum(
        sample["samples"]
        for process in processes
        for sample in process["cpu_samples"]
        if any(frame["function"] == "spin" for frame in sample["stack"])
    )
    return wrong if sampled else [*wrong, "no sample of spin()"]
