"""The generated parts of docs/commands.md: what ``--help`` says, command by command.

``python -m tests.unit.project.commands_page`` (``make docs``) writes them anew. Each stands
between two comments, ``<!-- iotrace attach -->`` and ``<!-- end -->``; the rest is written by hand.
A command that has no section yet gets one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from iotrace.cli.main import cli
from tests.unit.project.places import ROOT

PAGE = ROOT / "docs/commands.md"
_BLOCK = re.compile(r"<!-- (iotrace[ \w-]*) -->\n(.*?)<!-- end -->\n", re.DOTALL)
_AFTER_THE_LAST = "## Exit codes\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """("iotrace attach", its command), groups before what is in them."""
    yield from _below("iotrace", cli)


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from _below(f"{path} {name}", inner)


def options(command: click.Command) -> list[click.Option]:
    """The command's options, without ``--help``, which every command has."""
    return [param for param in command.params if isinstance(param, click.Option)]


def blocks(page: str) -> list[str]:
    """Whose blocks a page has."""
    return [path for path, _ in _BLOCK.findall(page)]


def updated(page: str) -> str:
    """The page with its blocks as they should be. Raises KeyError on a command that is not."""
    now = {path: _block(path, command) for path, command in commands()}
    for path in [path for path in now if path not in blocks(page)]:
        section = f"## {path.removeprefix('iotrace ')}\n\n<!-- {path} -->\n<!-- end -->\n\n"
        page = page.replace(_AFTER_THE_LAST, section + _AFTER_THE_LAST)
    return _BLOCK.sub(lambda found: f"<!-- {found[1]} -->\n{now[found[1]]}<!-- end -->\n", page)


def _block(path: str, command: click.Command) -> str:
    parts = [f"    {_usage(path, command)}", *_paragraphs(command.help or "")]
    rows = [f"| {_names(option)} | {_meaning(option)} |" for option in options(command)]
    if rows:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _usage(path: str, command: click.Command) -> str:
    arguments = [
        param.metavar or str(param.name).upper()
        for param in command.params
        if isinstance(param, click.Argument)
    ]
    if isinstance(command, click.Group):
        arguments.append("COMMAND [ARGS]...")
    return " ".join([path, "[OPTIONS]", *arguments])


def _paragraphs(text: str) -> list[str]:
    """Click's help text: filled, but for those that begin with a line of ``\\b``."""
    paragraphs = inspect.cleandoc(text).split("\f")[0].strip().split("\n\n")
    return [
        "\n".join(f"    {line}" for line in paragraph.splitlines()[1:])
        if paragraph.startswith("\b\n")
        else " ".join(paragraph.split())
        for paragraph in paragraphs
    ]


def _names(option: click.Option) -> str:
    value = "" if option.is_flag or option.count else f" {_value(option)}"
    names = [*option.opts, *option.secondary_opts]
    return ", ".join(f"`{name}{value if name.startswith('--') else ''}`" for name in names)


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "\\|".join(map(str, option.type.choices))
    return option.type.name.removesuffix(" range").upper()


def _meaning(option: click.Option) -> str:
    meaning = " ".join((option.help or "").split()).replace("|", "\\|")
    if not option.show_default or option.default is None:
        return meaning
    default = option.default
    if isinstance(option.show_default, str):
        default = option.show_default
    elif option.secondary_opts:
        default = (option.opts if default else option.secondary_opts)[0]
    return f"{meaning} Default: `{default}`."


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
