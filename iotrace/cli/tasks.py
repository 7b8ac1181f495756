# SPDX-License-Identifier: Apache-2.0
"""``iotrace tasks``: the asyncio tasks of a running process."""

from __future__ import annotations

import click

from iotrace.cli.parameter_types import Latency, Pid
from iotrace.errors import ExitCode


@click.command(name="tasks", short_help="List the asyncio tasks of a running process.")
@click.argument("pid", metavar="PID", type=Pid())
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(["tree", "table", "json"]),
    default="tree",
    show_default=True,
    help="tree: tasks below those that await them. table: a row each. json: by "
    "docs/tasks.schema.json.",
)
@click.option(
    "-d",
    "--duration",
    type=Latency(),
    default="300ms",
    show_default=True,
    help="Look again and again for so long: that tells since when tasks are suspended. 0: once.",
)
@click.option(
    "--top", type=click.IntRange(min=0), default=0, help="Tasks per level or table; 0: all."
)
@click.option(
    "--color/--no-color",
    default=None,
    help="Colours, or none (default: on a terminal, unless NO_COLOR is set).",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more when something fails.")
def command(pid: int, fmt: str, duration: int, top: int, color: bool | None, verbose: bool) -> int:
    """List every asyncio task of a running process, without stopping it.

    Of each task: its name, what it awaits (function, file and line of each coroutine), who awaits
    it, since when it has been suspended, and the descriptor and peer that it waits for. Needs no
    eBPF: the memory of the process is read. Python 3.9 to 3.15, asyncio's own loops and uvloop.
    """
    import gc

    from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
    from iotrace.privileges.privilege_drop import drop_all
    from iotrace.procfs.namespace import shares_namespace
    from iotrace.target_reader.reader import TargetReader
    from iotrace.task_looks.task_list import build
    from iotrace.task_looks.watch import watch
    from iotrace.tracing.target_check import check_target

    gc.disable()  # no circles are made: looking for them costs a tenth of the whole
    with TargetReader() as reader:
        process = check_target(pid)
        try:
            watched = watch(reader, pid, duration)
        except PermissionDenied as error:
            raise PermissionDenied(
                error.what,
                why="Tasks are read from it; that takes CAP_SYS_PTRACE.",
                paste=f"sudo iotrace tasks {pid}",
            ) from error
        try:
            timers = shares_namespace(pid, "time")
        except (NoSuchProcess, PermissionDenied, Unsupported):
            timers = False
    tasks = build(watched, pid, process.name, timers=timers)
    drop_all()
    click.echo(_rendered(tasks, fmt, top or None, color), nl=False, color=True)
    return ExitCode.INCOMPLETE if tasks.incomplete else ExitCode.OK


def _rendered(tasks: object, fmt: str, top: int | None, color: bool | None) -> str:
    import sys

    from iotrace.report.task_list import TaskList

    assert isinstance(tasks, TaskList)
    if fmt == "json":
        from iotrace.output import task_json

        return task_json.render(tasks)

    from iotrace.cli.columns import columns
    from iotrace.output.color import wanted_here
    from iotrace.output.task_page import as_table, as_tree

    render = as_tree if fmt == "tree" else as_table
    return render(tasks, top=top, width=columns(), color=wanted_here(color, sys.stdout.isatty()))
