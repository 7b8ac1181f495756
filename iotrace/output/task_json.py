# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of a process as JSON: there may be tens of thousands."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from iotrace.output.json_text import dump
from iotrace.report.plain import to_plain
from iotrace.report.task_list import AsyncioTask, TaskList


def render(tasks: TaskList) -> str:
    """All of it, by docs/tasks.schema.json; a line a task."""
    head = dump(to_plain(replace(tasks, tasks=()))).rstrip("}\n]")
    encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes one for each row
    frame = cache(to_plain)  # many tasks await in the same places

    def row(task: AsyncioTask) -> str:
        plain = to_plain(replace(task, chain=()))
        plain["chain"] = [frame(one) for one in task.chain]
        return encode(plain)

    return f"{head}\n" + ",\n".join([row(task) for task in tasks.tasks]) + "\n]}\n"
