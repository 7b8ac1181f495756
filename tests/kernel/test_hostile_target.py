"""A real process that is named after attacks, in every format."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from iotrace.output import formats
from iotrace.output.as_json import render
from iotrace.report.codec import loads
from iotrace.report.model import Report
from tests.kernel.faults.harness import IOTRACE
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing

ALLOWED = {"orgtbl": "\u200b"}


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    with Target("hostile.py") as target, tracing(target.pid) as trace:
        target.go()
        target.wait_until_finished()
        yield report_of(trace)


def test_the_names_are_what_they_are(report: Report) -> None:
    (process,) = report.processes
    assert process.name.startswith("\x1b[31m)\n\udcff<b>x"[:15])
    assert any("<script>" in word for word in process.cmdline)
    assert any("\x1b" in row.local for row in process.descriptors if row.kind == "unix")
    assert len(process.threads) == 1 + 3


@pytest.mark.parametrize("name", formats.FORMATS)
def test_no_escape_reaches_the_terminal(report: Report, name: str) -> None:
    text = formats.render(report, name)
    odd = {character for character in text if not character.isprintable()}
    assert odd <= set("\n\t" + ALLOWED.get(name, ""))
    text.encode("utf-8")
    if "html" in name:
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_it_survives_a_round_trip(report: Report) -> None:
    kept = loads(render(report))  # bytes that are no UTF-8 are spelt out
    assert loads(render(kept)) == kept
    assert len(kept.processes[0].descriptors) == len(report.processes[0].descriptors)


def test_the_command_line_says_the_same() -> None:
    with Target("hostile.py") as target:
        for options in ((), ("-f", "json"), ("-f", "html")):
            done = subprocess.run(
                [*IOTRACE, "attach", str(target.pid), "-d", "0.3", *options],
                capture_output=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0
            shown = done.stdout + done.stderr
            assert not {byte for byte in shown if byte < 32} - {10}
            assert b"<script>alert" not in shown or options == ("-f", "json") or options == ()
            if options == ("-f", "json"):
                assert process_of(loads(done.stdout), target.pid)
                json.loads(done.stdout)


def test_an_error_that_names_it_is_harmless() -> None:
    """The name of a thread stands in the error for a tid that is not a process."""
    with Target("hostile.py") as target:
        done = subprocess.run(
            [*IOTRACE, "attach", str(target.pid), "-o", "/nowhere/\x1b[2J\nx", "-d", "1"],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert not {byte for byte in done.stdout + done.stderr if byte < 32} - {10}
