# SPDX-License-Identifier: Apache-2.0
"""A stacked bar for each thread: where its wall time went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iotrace.output import units
from iotrace.output.html.elements import Markup, tag
from iotrace.output.naming import name_thread
from iotrace.output.tables import cost
from iotrace.report.model import Process, Thread
from iotrace.report.process_totals import asleep_ns, awake_ns
from iotrace.vocabulary.waits import WAIT_REASONS, WAITS

ON_CPU = ("cpu", "user", "kernel", "copy")
STATES = (*ON_CPU, "runq", *WAIT_REASONS, "unaccounted")
"""In the order in which they are drawn; each one is a class of the style sheet."""

_LABELS = {
    "cpu": "on a CPU",
    "user": "in the program",
    "kernel": "in the kernel",
    "copy": "copying data",
    "runq": "ready, no CPU free",
    "wait": "asleep",
    **{reason.name: reason.label for reason in WAITS},
    "unaccounted": "not accounted for",
    "queue": "not accepted yet",
    "elsewhere": "in no known thread's hands",
}

# A bar is drawn in so many parts of its whole; thinner slices than one of them are not seen.
_WIDE = 1000

_MOST_BARS = 60


def colours() -> str:
    """The wait reasons' part of the style sheet; that of the other states is in report.css."""
    light, dark = (
        " ".join(f"--{name}: {colour};" for name, colour in chosen)
        for chosen in (
            [(reason.name, reason.light) for reason in WAITS],
            [(reason.name, reason.dark) for reason in WAITS],
        )
    )
    classes = "\n".join(f".s-{name} {{ fill: var(--{name}); }}" for name in WAIT_REASONS)
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f"{classes}\n"
    )


def section(process: Process) -> Markup:
    """The bars of the costliest threads, and what the colours mean."""
    shown, rest = cost.costliest(process.threads, awake_ns, _MOST_BARS)
    if not shown:
        return Markup()
    used = [state for state in STATES if any(_times(thread)[state] for thread in shown)]
    more = cost.more(rest, asleep_ns)
    return tag(
        "section",
        tag("h3", "Where the time of each thread went"),
        legend(used),
        tag("div", *map(_row, shown), class_="bars"),
        *([tag("p", more, class_="faint")] if more else []),
    )


def bar(
    times: Sequence[tuple[str, int]],
    whole: int,
    label: str,
    before: int = 0,
    marks: Iterable[int] = (),
) -> Markup:
    """One stacked bar; ``times``: class and nanoseconds, which add up to ``whole`` or less.

    ``before``: it begins so many nanoseconds after the beginning of the whole; ``marks``: where
    lines are drawn across it.
    """
    at = _WIDE * before / whole if whole else 0.0
    parts = []
    for name, time in times:
        width = _WIDE * time / whole if whole else 0.0
        if time > 0:
            share = units.format_percent(time, whole)
            title = tag("title", f"{name}: {share}, {units.format_duration(time)}")
            parts.append(tag("g", title, _slice(name, at, width)))
        at += width
    lines = (_slice("mark", _WIDE * ns / whole - 1, 2) for ns in marks if whole)
    return tag(
        "svg",
        *parts,
        *lines,
        viewBox=f"0 0 {_WIDE} 20",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
        class_="bar",
    )


def _slice(name: str, at: float, width: float) -> Markup:
    return tag("rect", x=at, y=0, width=width, height=20, class_=f"s-{name}")


def _row(thread: Thread) -> Markup:
    times = _times(thread)
    wall = units.format_duration(thread.lifetime_ns)
    told = ", ".join(
        f"{state} {units.format_percent(time, thread.lifetime_ns)}"
        for state, time in times.items()
        if time > 0
    )
    return tag(
        "div",
        tag("span", f"{name_thread(thread)} {thread.name}", class_="name"),
        bar(list(times.items()), thread.lifetime_ns, told),
        tag("span", wall, class_="figure"),
        class_="row",
    )


def _times(thread: Thread) -> dict[str, int]:
    own = thread.states_ns
    return {
        state: own.wait.get(state, 0) if state in WAIT_REASONS else (getattr(own, state) or 0)
        for state in STATES
    }


def legend(states: Iterable[str]) -> Markup:
    """What the colours of these states mean."""
    return tag("ul", *map(_entry, states), class_="legend")


def _entry(state: str) -> Markup:
    return tag("li", _swatch(state), f" {state}", tag("span", f" {_LABELS[state]}", class_="faint"))


def _swatch(state: str) -> Markup:
    return tag(
        "svg", tag("rect", width=10, height=10, class_=f"s-{state}"), viewBox="0 0 10 10",
        class_="swatch", aria_hidden="true",
    )  # fmt: skip
