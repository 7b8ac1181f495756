"""Shell completion: what docs/completion.md promises."""

import os
import subprocess
import sys

import pytest


def completed(line: str) -> list[str]:
    """What bash is offered at the end of the line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_IOTRACE_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    program = "from iotrace.cli.main import cli; cli(prog_name='iotrace')"
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    return [answer.partition(",")[2] for answer in shown.splitlines()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("iotrace rec", ["record"]),
        ("iotrace compare --fail", ["--fail-on-regression"]),
        ("iotrace report x -f html", ["html", "html-report"]),
        ("iotrace attach 1 -f latex", ["latex", "latex_booktabs", "latex_longtable", "latex_raw"]),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    from click.shell_completion import get_completion_class

    from iotrace.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, "iotrace", "_IOTRACE_COMPLETE").source()
    assert "_IOTRACE_COMPLETE" in script
