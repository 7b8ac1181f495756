# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of a process: a tree or a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.output import page, units
from iotrace.output.blocks import NOTHING, Block, Heading, Paragraph, Table, Tone, figures, texts
from iotrace.output.color import tint, untinted
from iotrace.output.text import cut, escape, wrap
from iotrace.report.stacks import Frame
from iotrace.report.task_list import AsyncioTask, Branch, Suspension, TaskList, tree

_NAME_COLUMNS = 60
_LOOKS = (
    "suspended: ≥ by looks. A task that came back to the same await between two looks, up to {gap} "
    "apart, is not told from one that stayed there. = by the timer of asyncio.sleep()."
)
_ONE_LOOK = "suspended: = by the timer of asyncio.sleep(). One look tells no other times: see -d."


def as_table(tasks: TaskList, *, top: int | None, width: int, color: bool) -> str:
    """A row a task, the longest suspended first; ``top``: so many, None: all."""
    shown = tasks.tasks if top is None else tasks.tasks[:top]
    left_out = len(tasks.tasks) - len(shown)
    table = Table(
        title="Tasks",
        legend=(_legend(tasks),),
        columns=(
            texts("task", (_name(one) for one in shown), least=8),
            texts("state", (_state(one) for one in shown), least=5),
            figures("suspended", (_suspended(one.suspended) or NOTHING for one in shown)),
            texts("on", (_descriptor(one) or NOTHING for one in shown), least=8, keep_end=True),
            texts("awaits", (_forms(one) for one in shown), least=16, keep_end=True),
            texts("awaited by", (_awaiters(one, tasks) for one in shown), least=8, spare=1),
        ),
        more=f"… and {units.plural(left_out, 'more task')}" if left_out else "",
    )
    blocks: list[Block] = [Heading(1, _title(tasks)), *map(Paragraph, tasks.incomplete)]
    if shown:
        blocks.append(table)
    return page.render(blocks, tablefmt="simple", width=width, color=color)


def as_tree(tasks: TaskList, *, top: int | None, width: int, color: bool) -> str:
    """Every task below those that await it; ``top``: so many of a level, None: all."""
    tinted = tint if color else untinted
    lines = [tinted(cut(escape(_title(tasks)), width), Tone.STRONG)]
    lines += [line for text in tasks.incomplete for line in wrap(escape(text), width)]
    lines += [tinted(line, Tone.FAINT) for line in wrap(_legend(tasks), width)]
    for branch in tree(tasks.tasks, top):
        head, *below = _branch_lines(branch, width)
        lines += [tinted(head, Tone.NOTICE if branch.depth == 0 else Tone.PLAIN), *below]
    return "\n".join(lines) + "\n"


def _branch_lines(branch: Branch, width: int) -> Iterator[str]:
    """The task's own line, its await chain, and how many of its level are left out."""
    above = "".join("   " if last else "│  " for last in branch.last[:-1])
    lead = above + ("└─ " if branch.last[-1] and not branch.left_out else "├─ ")
    under = above + ("   " if branch.last[-1] and not branch.left_out else "│  ")
    task = branch.task
    facts = [
        cut(escape(task.name), _NAME_COLUMNS) + _rest(task),
        _state(task),
        _suspended(task.suspended),
        _wakes(task),
        escape(_descriptor(task)),
    ]
    if branch.again:
        yield lead + "  ".join([facts[0], "(above)"])
    else:
        yield lead + "  ".join(fact for fact in facts if fact)
        chain = escape(_chain(task.chain, task.awaits))
        if chain:
            indent = under + ("│    " if task.awaits_tasks else "     ")
            yield from wrap(chain, max(width, len(indent) + 40), indent=indent)
    if branch.left_out:
        yield above + f"└─ … and {units.plural(branch.left_out, 'more task')}"


def _title(tasks: TaskList) -> str:
    over = f" over {units.format_duration(tasks.watched_ns)}" if tasks.looks > 1 else ""
    loops = ", ".join(dict.fromkeys(one.loop for one in tasks.tasks))
    return (
        f"process {tasks.pid} ({tasks.process}), Python {tasks.python}: "
        f"{units.plural(len(tasks.tasks), 'asyncio task')}"
        f"{f' on {loops}' if loops else ''}, {units.plural(tasks.looks, 'look')}{over}"
    )


def _legend(tasks: TaskList) -> str:
    if tasks.looks < 2:
        return _ONE_LOOK
    return _LOOKS.format(gap=units.format_duration(tasks.resolution_ns))


def _rest(task: AsyncioTask) -> str:
    """Of a name of which only the start was read."""
    if task.name_length <= len(task.name):
        return ""
    return f" ({units.format_count(task.name_length)} characters)"


def _name(task: AsyncioTask) -> str:
    return task.name + _rest(task)


def _state(task: AsyncioTask) -> str:
    return task.state if task.certain or task.state == "running" else f"{task.state}?"


def _suspended(known: Suspension | None) -> str:
    if known is None:
        return ""
    if known.known_by == "timer":
        return f"= {units.format_duration(known.at_least_ns)}"
    if known.at_most_ns is None:
        return f"≥ {units.format_duration(known.at_least_ns)}" if known.at_least_ns else ""
    return f"≤ {units.format_duration(known.at_most_ns)}"


def _wakes(task: AsyncioTask) -> str:
    if task.wakes_in_ns is None:
        return ""
    if task.wakes_in_ns < 0:
        return f"overdue by {units.format_duration(-task.wakes_in_ns)}"
    return f"wakes in {units.format_duration(task.wakes_in_ns)}"


def _descriptor(task: AsyncioTask) -> str:
    one = task.descriptor
    if one is None:
        return ""
    ends = f" {one.local} -> {one.peer}" if one.peer else f" {one.local}" if one.local else ""
    return f"fd {one.fd} {one.kind}{ends}"


def _awaiters(task: AsyncioTask, tasks: TaskList) -> str:
    names = [_name(tasks.tasks[one - 1]) for one in task.awaited_by[:3]]
    more = len(task.awaited_by) - len(names)
    return ", ".join(names) + (f", … {more} more" if more else "") or NOTHING


def _forms(task: AsyncioTask) -> Sequence[str]:
    whole = _chain(task.chain, task.awaits) or NOTHING
    return (whole, _chain(task.chain[-1:], task.awaits)) if len(task.chain) > 1 else (whole,)


def _chain(chain: Sequence[Frame], awaits: str) -> str:
    parts = [f"{frame.function} {frame.place}" for frame in chain]
    if awaits:
        parts.append(awaits.rpartition(".")[2])
    return " > ".join(parts)
