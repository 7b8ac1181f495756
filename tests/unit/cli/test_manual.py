"""The manual page is what the commands say, and man can read it."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from iotrace.cli import manual
from iotrace.cli.main import cli
from iotrace.errors import ExitCode

PAGE = Path(__file__).parents[3] / "docs" / "iotrace.1"


def test_it_is_current() -> None:
    assert PAGE.read_text() == manual.text(), "run: make docs"


def test_every_command_and_option_is_there() -> None:
    page = manual.text().replace("\\-", "-")
    context = click.Context(cli)
    for name in cli.list_commands(context):
        assert f'.SS "iotrace {name} ' in page
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[-1] in page


def test_every_exit_code_is_there() -> None:
    page = manual.text()
    for code in ExitCode:
        assert f"\\fB{code.value}\\fR" in page


def test_groff_has_nothing_to_complain_of() -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    read = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii"],
        input=manual.text(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert read.stderr == ""
    assert "NO_COLOR" in read.stdout


def test_what_troff_would_take_for_its_own() -> None:
    assert manual._escape(".TH") == "\\&.TH"
    assert manual._escape("'x' \\n -a \"b\"") == "\\(aqx\\(aq \\en \\-a \\(dqb\\(dq"
