# SPDX-License-Identifier: Apache-2.0
"""A cell as a case: its files are written to a directory of its own."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from clinic.case import Case, load
from clinic.grid.fault import Fault
from clinic.grid.faults_elsewhere import ELSEWHERE
from clinic.grid.faults_inside import INSIDE
from clinic.grid.programs import PROGRAMS, Program

NEEDS = (
    "flask==3.1.0 gunicorn==23.0.0 requests==2.32.3 httpx==0.28.1 aiohttp==3.11.11 "
    "fastapi==0.115.6 uvicorn==0.34.0 Django==4.2.16 tornado==6.4.2 waitress==3.0.2 "
    "gevent==24.11.1 celery==5.4.0 rq==3.0.0 redis==6.4.0 psycopg2-binary==2.9.10 "
    "asyncpg==0.30.0 sqlalchemy==2.0.36"
).split()
_BLOCKED = ["event loop", "the loop"]
"""What must be said where the function of a coroutine does not await, whatever else it does."""


def all_cells() -> dict[str, tuple[Fault, Program]]:
    """By name, FAULT@PROGRAM: those that make sense."""
    return {
        f"{fault.name}@{program.name}": (fault, program)
        for fault in (*ELSEWHERE, *INSIDE)
        for program in PROGRAMS
        if fault.where in ("any", program.style)
    }


def written(name: str, directory: Path) -> Case:
    """Raises KeyError where there is no such cell."""
    fault, program = all_cells()[name]
    directory.mkdir(parents=True)
    blocks = program.style == "async" and fault.where == "any" and not fault.quick
    words = {"words": _BLOCKED if blocks else list(fault.words)}
    case = {
        "title": name,
        "cause": fault.name,
        "must": [{"line": "here"}, *([{"peer": fault.peer}] if fault.peer else []), words],
        "needs": NEEDS,
        "warmup": 3,
    }
    for file, text in (
        ("case.json", json.dumps(case)),
        ("job.py", _job(fault, program)),
        ("app.py", program.text),
        ("start", _start(fault, program)),
    ):
        (directory / file).write_text(f"{text.strip()}\n")
    return load(directory)


def _job(fault: Fault, program: Program) -> str:
    function = "async def" if program.style == "async" else "def"
    body = "\n".join(
        f"{line[:-1]}# <- here" if line.endswith("  #") else line for line in fault.body.split("\n")
    )
    return f"import os\n{fault.head}\n\n{function} job():\n{textwrap.indent(body, '    ')}"


def _start(fault: Fault, program: Program) -> str:
    load = f"up $PORT\n$PY load.py {program.load} 0.02 http://127.0.0.1:$PORT/ &"
    parts = (". ./stage.sh", fault.start, program.start, load if program.load else "")
    return "\n".join((*filter(None, parts), "ready $SERVER"))
