"""Cells of the grid: each is a case whose programs compile and whose faulty line is marked."""

from __future__ import annotations

import ast
from pathlib import Path

from clinic.grid.cells import all_cells, written


def test_all_cells_are_cases(tmp_path: Path) -> None:
    for name, (fault, _) in all_cells().items():
        case = written(name, tmp_path / name)
        for program in ("job.py", "app.py"):
            ast.parse((case.directory / program).read_text())
        assert case.must[0].what.startswith("job.py:"), name
        assert len(case.must) >= 2 + bool(fault.peer), name


def test_a_blocking_call_in_a_coroutine_has_to_be_told_as_such(tmp_path: Path) -> None:
    case = written("sleep@aiohttp", tmp_path / "blocking")
    assert "async def job():" in (case.directory / "job.py").read_text()
    assert [one.what for one in case.must][-1] == "event loop"
    awaits = written("httpx-slow@aiohttp", tmp_path / "awaits")
    assert "event loop" not in [one.what for one in awaits.must]


def test_programs_that_share_no_memory_have_no_fault_of_threads() -> None:
    cells = all_cells()
    assert "deadlock@flask-gthread" in cells
    assert "deadlock@celery" not in cells
    assert "future-never@flask-sync" not in cells
