# SPDX-License-Identifier: Apache-2.0
"""IO212: who waits for the reader of a pipe, and whether that holds anybody up."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.requests import Requests
from iotrace.report.stacks import Frame
from tests.found import by_rule
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import S, descriptor, findings, in_call, judged, process, thread


def test_who_reads_a_pipe_too_slowly_holds_up_requests_or_only_the_next_program() -> None:
    (listens,) = elsewhere.full_pipe(True)
    row = Requests("127.0.0.1:8000", 9, 100, 0, None, None, None, None, None, None)
    server = replace(listens, requests=(row,))
    assert findings(server)["IO212"].severity == "high"
    assert "stderr (pipe:[81])" in findings(server)["IO212"].title
    assert findings(listens)["IO212"].severity == "low"  # a port for its metrics
    (written,) = (one for one in server.lines if one.kind == "pipe")
    calls = [one for one in server.calls if one.kind == "pipe"]
    pipe = descriptor(2, kind="pipe", local="pipe:[81]", peer="", bytes_in=0)
    batch = replace(process([thread(user=S, send=6 * S)], calls, (), [pipe]), lines=(written,))
    assert by_rule(judged(batch).findings)["IO212"].severity == "low"
    # What it logs is never meant to be waited for.
    logging = Frame("emit", "/usr/lib/python3.11/logging/__init__.py", 1113)
    logs = replace(written, stack=(logging, *written.stack), own=written.own + 1)
    found = by_rule(judged(replace(batch, lines=(logs,))).findings)
    assert found["IO212"].severity == "high"
    worker = Frame("worker", "/usr/lib/python3.11/multiprocessing/pool.py", 131)
    hands_back = replace(written, stack=(worker, *written.stack), own=written.own + 1)
    assert "IO212" not in by_rule(judged(replace(batch, lines=(hands_back,))).findings)


def test_who_reads_is_named_wherever_it_runs() -> None:
    (listens,) = elsewhere.full_pipe(True)
    writes = in_call("write", "pipe", "app.py:9 log", fd=2, wait=S)
    row = replace(listens.threads[0], in_call=replace(writes, read_by=("902 less",)))
    found = findings(replace(listens, threads=(row,)))["IO212"]
    assert found.evidence["reader"] == "process 902 (less)"
    assert "wait for process 902 (less), its reader, which takes" in found.title
    forked = replace(writes, read_by=("902 less", "903 sh", "904 sh", "905 sh"))
    several = replace(listens, threads=(replace(row, in_call=forked),))
    read_by = findings(several)["IO212"].evidence["reader"]
    assert read_by == "process 902 (less) or 903 (sh) or 904 (sh) or 1 more"
