"""The command line and its documentation agree."""

from __future__ import annotations

import re

import click
import pytest

from iotrace.errors import ExitCode
from tests.unit.project.commands_page import PAGE, blocks, commands, options, updated

_COMMANDS = dict(commands())
_OPTIONS = [
    pytest.param(option, id=f"{path} {option.opts[-1]}")
    for path, command in _COMMANDS.items()
    for option in options(command)
]


def test_every_command_is_documented_once() -> None:
    assert sorted(blocks(PAGE.read_text())) == sorted(_COMMANDS)


def test_the_page_says_what_help_says() -> None:
    page = PAGE.read_text()
    assert page == updated(page), "run: make docs"


@pytest.mark.parametrize("path", _COMMANDS)
def test_every_command_has_help(path: str) -> None:
    command = _COMMANDS[path]
    assert command.help
    assert len(command.get_short_help_str(limit=80)) > len("Do it.")


@pytest.mark.parametrize("option", _OPTIONS)
def test_every_option_has_help(option: click.Option) -> None:
    assert option.help, option.opts
    assert option.help[-1] in ".)", "help is a sentence"


@pytest.mark.parametrize("path", _COMMANDS)
def test_options_have_one_meaning(path: str) -> None:
    names = [
        name for option in options(_COMMANDS[path]) for name in option.opts + option.secondary_opts
    ]
    assert len(names) == len(set(names))


def test_the_exit_codes_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| \S", PAGE.read_text(), re.MULTILINE)
    assert [(int(number), name) for number, name in rows] == [(c.value, c.name) for c in ExitCode]
