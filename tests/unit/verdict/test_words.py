"""The summary's sentence, the gate of --fail-on, and the pages of ``explain``."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from iotrace.cli.main import cli
from iotrace.errors import UsageError
from iotrace.report.model import Finding
from iotrace.verdict.gate import fires, names_of
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Rule
from tests.unit.project.places import ROOT
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    PID,
    S,
    blocking,
    call,
    event_loop,
    findings,
    in_call,
    judged,
    loop,
    process,
    thread,
)

_PARTS = (
    "What it means",
    "Why it hurts",
    "How iotrace sees it",
    "How to fix it",
    "When it is fine",
)


def test_where_a_loops_time_goes() -> None:
    (one,) = judged(event_loop()).processes
    assert one.summary == (
        "Of its 10 s: 91 % asleep in epoll_wait with nothing ready, 6 % computing, "
        "3 % in the kernel."
    )


def test_like_workers_read_as_one() -> None:
    master = process([thread(sleep=10 * S)])
    workers = [replace(blocking(), pid=pid, parent=PID) for pid in (701, 702)]
    first, *_ = judged(master, *workers).processes
    assert first.summary == (
        "Of the 20 s of its 2 workers together: 95 % asleep waiting for data in reads, 3 % "
        "computing, 2 % in the kernel."
    )


def test_idle_helpers_do_not_drown_the_thread_that_serves() -> None:
    serving = event_loop()
    helpers = tuple(thread(tid, lock=10 * S) for tid in range(701, 709))
    (one,) = judged(replace(serving, threads=(*serving.threads, *helpers))).processes
    assert one.summary == (
        "Of its event loop's 10 s: 91 % asleep in epoll_wait with nothing ready, 6 % computing, "
        "3 % in the kernel. 8 more threads only waited, asleep in locks."
    )


def test_a_loop_that_is_blocked_is_not_idle() -> None:
    """Whether it has a request in hand or streams an answer that has begun."""
    serving = event_loop()
    (row,) = serving.threads
    blocked = thread(recv=8 * S, poll=2 * S)
    idle = {"recv": 7 * S, "poll": S}
    one = replace(serving, threads=(replace(row, states_ns=blocked.states_ns, idle_ns=idle),))
    (seen,) = judged(one).processes
    assert "80 % asleep waiting for data in reads, 10 % idle" in seen.summary


def test_helpers_that_wait_for_different_things_are_told_apart() -> None:
    serving = event_loop()
    helpers = (*(thread(tid, lock=10 * S) for tid in (701, 702)), thread(703, send=10 * S))
    (one,) = judged(replace(serving, threads=(*serving.threads, *helpers))).processes
    assert one.summary.endswith(
        "3 more threads only waited: 2 asleep in locks, "
        "1 asleep in writes that the other end does not take."
    )


def test_a_poll_of_one_socket_is_not_waiting_for_work() -> None:
    timed = event_loop()
    loops = (*timed.loops, loop("poll", 7, nfds=1, watched=1, wait=3 * S))
    (one,) = judged(replace(timed, loops=loops)).processes
    assert one.summary.startswith(
        "Of its 10 s: 61 % asleep in epoll_wait with nothing ready, "
        "30 % asleep in polls of one descriptor, "
    )


def test_a_poll_within_an_iteration_is_no_wait_of_the_loop() -> None:
    """A driver in C that polls its own socket: no row of loops has it, the calls have."""
    greenlets = event_loop()
    nested = call("poll", "", 97, wait=8 * S)
    loops = (replace(greenlets.loops[0], wait_ns=S),)
    for idle, rest in (
        (None, "11 % asleep in epoll_wait"),
        ({"poll": 9 * S}, "11 % idle, with no"),
    ):
        rows = tuple(replace(row, idle_ns=idle) for row in greenlets.threads)
        seen = replace(greenlets, threads=rows, calls=(*greenlets.calls, nested), loops=loops)
        (one,) = judged(seen).processes
        assert one.summary.startswith(
            f"Of its 10 s: 80 % asleep in polls of one descriptor, {rest}"
        ), one.summary


def _found(rule: str, severity: str) -> Finding:
    return Finding(rule, severity, "", PID, None, None, {}, "", None)


@pytest.mark.parametrize(
    ("wanted", "fails"),
    [
        (("high",), False),
        (("medium",), True),
        (("low",), True),
        (("IO103",), True),
        (("IO104",), False),
        (("high", "IO103"), True),
        ((), False),
    ],
)
def test_what_fails(wanted: tuple[str, ...], fails: bool) -> None:
    assert fires([_found("IO103", "medium")], wanted) is fails
    assert not fires([], wanted)


def test_names_are_checked() -> None:
    assert names_of(["HIGH", "io103", "io999", "bad"]) == (("high", "IO103"), ("io999", "bad"))


def test_ids_are_unique_and_every_rule_advises() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids), f"an id is that of two rules: {sorted(ids)}"
    pages = {page.stem for page in (ROOT / "docs/findings").glob("IO*.md")}
    assert set(ids) == pages, "verdict/rules/registry.py lists other rules than docs/findings"
    for rule in RULES:
        assert rule.advice and rule.title, f"{rule.id} has no advice or title"
        # A line of 80 columns, after its id.
        assert len(rule.title) <= 66, f"{rule.id}: its title has over 66 characters"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_page(rule: Rule) -> None:
    name = f"docs/findings/{rule.id}.md"
    page = (ROOT / name).read_text()
    title = f"# {rule.id}: {rule.title}"
    assert page.split("\n")[0] == title, f"{name}: its first line is not the rule's title"
    parts = tuple(re.findall(r"^## (.*)$", page, re.MULTILINE))
    assert parts == _PARTS, f"{name}: its headings are not those of the other pages"
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code) == 1, f"{name}: not one block of Python, but {len(code)}"
    ast.parse(code[0], filename=name)


def test_explain_prints_the_page() -> None:
    shown = CliRunner().invoke(cli, ["explain", "io103"])
    assert shown.exit_code == 0
    assert shown.output.startswith("# IO103: Event loop stalled")


def test_explain_lists_the_findings() -> None:
    shown = CliRunner().invoke(cli, ["explain"])
    listed = [line.split()[0] for line in shown.output.splitlines()]
    assert listed == sorted(rule.id for rule in RULES)


def test_explain_refuses_other_ids() -> None:
    shown = CliRunner().invoke(cli, ["explain", "\x1b[31mIO999"])
    assert isinstance(shown.exception, UsageError)
    assert "\x1b" not in shown.exception.what


def test_a_call_and_several_have_not_returned() -> None:
    runs = "lib/subprocess.py:2059 Popen._communicate"
    asks = in_call("poll", "pipe", runs, "app.py:6 view", *hangs.HANDLER, peer="pipe:[81]")
    for tids, not_returned in (((701,), "; the call has not"), ((701, 702), "; these calls have")):
        threads = [hangs.waiting(tid, asks) for tid in tids]
        told = findings(process(threads))["IO140"]
        assert not_returned in told.title, told.title


def test_only_what_may_be_a_database_is_told_of_its_locks() -> None:
    for library, told in (("psycopg2/extras.py:9 execute", True), ("urllib3/x.py:9 read", False)):
        asks = in_call(
            "recvfrom", "tcp", f"lib/site-packages/{library}", "app.py:7 view", *hangs.HANDLER,
            fd=9, peer="10.0.0.9:5432",
        )  # fmt: skip
        found = findings(process([hangs.waiting(701, asks)]))["IO140"]
        assert "Give the call a timeout" in found.advice
        assert ("pg_locks" in found.advice) is told
