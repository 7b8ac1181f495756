"""Who has called what computes, where stacks end before the program's own code."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, TaskWaits
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.outer_callers import DEEPEST
from iotrace.verdict.told_lines import texts_of
from tests.unit.verdict.made import MS, PID, S, event_loop, process, thread
from tests.unit.verdict.made_tasks import wait_of

_SITE = "/srv/lib/site-packages"
_NODE = Frame("Node.render_annotated", f"{_SITE}/django/template/base.py", 966)
_VIEW = Frame("teams", "/srv/urls.py", 19)
_ALL = (_NODE,) * DEEPEST
_LOAD = Frame("_instance", f"{_SITE}/sqlalchemy/orm/loading.py", 1107)
_EXECUTE = Frame("Session.execute", f"{_SITE}/sqlalchemy/orm/session.py", 2362)
_QUERY = (
    "lib/site-packages/asyncpg/prepared_stmt.py:256 PreparedStatement.fetch",
    "lib/site-packages/sqlalchemy/util/_concurrency_py3k.py:196 greenlet_spawn",
    "lib/site-packages/sqlalchemy/ext/asyncio/session.py:574 AsyncSession.scalars",
    "app.py:19 states",
    "lib/site-packages/starlette/routing.py:76 app",
)


def _row(samples: int, *stack: Frame, own: int = 0) -> CpuSample:
    return CpuSample(PID, samples, samples * 5 * MS, 0, 0, 0, own, stack)


def _renders(*rows: CpuSample) -> tuple[str, ...]:
    made = process([thread(user=S)])
    return texts_of(busy_lines(replace(made, cpu_samples=rows)))


def test_the_deepest_stacks_that_reach_the_program_tell_of_those_that_do_not() -> None:
    reach = _row(8, *_ALL[:-1], _VIEW, own=DEEPEST - 1)
    (_, line) = _renders(_row(190, *_ALL), reach)
    assert line == (
        "urls.py:19 teams: most likely calls it: 100 % of the deepest stacks that reach the "
        "program's own code come from there; 96 % of all are deeper than the 32 frames that are "
        "kept"
    )


def test_stacks_that_are_whole_and_few_that_reach_so_far_tell_nothing() -> None:
    thread_of_a_library = _row(190, _NODE, Frame("run", "/usr/lib/python3.11/threading.py", 975))
    for rows in (
        (_row(190, *_ALL),),
        (_row(190, *_ALL), _row(3, *_ALL[:-1], _VIEW, own=DEEPEST - 1)),
        (_row(190, *_ALL), _row(8, _NODE, _VIEW, own=1)),
        (thread_of_a_library, _row(8, *_ALL[:-1], _VIEW, own=DEEPEST - 1)),
    ):
        assert not any("most likely" in line for line in _renders(*rows)), rows


def _loads(*places: str, loops: bool = True) -> tuple[str, ...]:
    made: Process = replace(event_loop(), cpu_samples=(_row(190, _LOAD, _EXECUTE),))
    tasks = TaskWaits(12, 9 * S, 1, (wait_of(*places, tasks=1, longest=0),))
    made = replace(made, tasks=tasks, loops=made.loops if loops else ())
    return texts_of(busy_lines(made))


def test_what_runs_in_greenlets_of_a_library_is_of_the_tasks_that_await_it() -> None:
    assert _loads(*_QUERY)[-1] == (
        "srv/app.py:19 states: most likely calls it: sqlalchemy is called there; 100 % of it "
        "runs in sqlalchemy's greenlets, whose stacks begin in them"
    )


def test_tasks_that_await_something_else_and_threads_without_a_loop_tell_nothing() -> None:
    assert not any("most likely" in line for line in _loads(_QUERY[0], *_QUERY[3:]))
    assert not any("most likely" in line for line in _loads(*_QUERY, loops=False))


def test_where_no_task_waits_samples_tell_if_one_function_alone_calls_it() -> None:
    view = Frame("states", "/srv/app.py", 19, suspends=True)
    reads = Frame("states.<locals>.<genexpr>", "/srv/app.py", 20, suspends=True)
    other = Frame("beat", "/srv/app.py", 31, suspends=True)
    session = Frame("AsyncSession.scalars", f"{_SITE}/sqlalchemy/ext/session.py", 574, True)
    reading = _row(9, Frame("__get__", f"{_SITE}/sqlalchemy/orm/attributes.py", 559), reads, own=1)
    awaiting = _row(1, session, view, own=1)

    def told(*rows: CpuSample) -> bool:
        made = replace(event_loop(), cpu_samples=(_row(190, _LOAD, _EXECUTE), *rows))
        line = "app.py:19 states: most likely calls it: sqlalchemy is called there"
        return any(line in one for one in texts_of(busy_lines(made)))

    assert told(reading, awaiting)
    assert not told(awaiting)
    assert not told(reading, awaiting, _row(2, session, other, own=1))
