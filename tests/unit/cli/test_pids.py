"""A name where a pid is asked for: what to type instead."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from iotrace.cli import attach, tasks


@pytest.mark.parametrize(
    ("command", "typed", "hint"),
    [
        (attach.command, ["uvicorn"], "'uvicorn' is no pid: try --name uvicorn"),
        (attach.command, ["-p", "my app"], "'my app' is no pid: try --name 'my app'"),
        (tasks.command, ["uvicorn"], "'uvicorn' is no pid: try pgrep -f uvicorn"),
        (attach.command, ["0"], "0 is not in the range x>=1"),
    ],
)
def test_a_name_is_no_pid(command: click.Command, typed: list[str], hint: str) -> None:
    result = CliRunner().invoke(command, typed)
    assert result.exit_code == 2
    assert hint in result.output
