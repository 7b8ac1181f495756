# SPDX-License-Identifier: Apache-2.0
"""The manual page, made from the commands themselves.

``python -m iotrace.cli.manual`` prints it; docs/iotrace.1 is that output.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator

import click

from iotrace import __version__
from iotrace.cli.main import cli
from iotrace.errors import ExitCode

_EXIT_STATUS = {
    ExitCode.OK: "Data was collected, or printed.",
    ExitCode.UNEXPECTED: "Something unexpected; -v shows what.",
    ExitCode.USAGE: "The command line, or a file that it names, is not right.",
    ExitCode.PERMISSION: "A privilege is missing.",
    ExitCode.NO_PROCESS: "There is no such process, or it ended before anything was seen.",
    ExitCode.UNSUPPORTED: "This kernel, or its bcc, cannot do it.",
    ExitCode.INCOMPLETE: "The figures are incomplete: something was lost, and is counted.",
    ExitCode.FAIL_ON: "A rule of --fail-on or --fail-on-regression has fired.",
}

_ENVIRONMENT = (
    ("NO_COLOR", "No colours, if it is set to anything."),
    ("SUDO_UID, SUDO_GID", "Whose files are written, and as whom programs are run, under sudo."),
    ("_IOTRACE_COMPLETE", "Used by the shell's completion: bash_source, zsh_source, fish_source."),
)

_SEE_ALSO = ("strace(1)", "perf(1)", "bpftool(8)", "proc(5)", "epoll(7)", "io_uring(7)")


def text() -> str:
    """The page in man's macros (man(7))."""
    context = click.Context(cli, info_name="iotrace", **cli.context_settings)
    lines = [
        f'.TH IOTRACE 1 "" "iotrace {_escape(__version__)}" "User commands"',
        ".SH NAME",
        r"iotrace \- account for every nanosecond that a Python server waits",
        ".SH SYNOPSIS",
        r".B iotrace",
        r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGS\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        *_options(cli, context),
        ".SH COMMANDS",
    ]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None and not command.hidden:
            lines += _command(name, command, context)
    lines += [".SH EXIT STATUS", r"\fBiotrace run\fR returns the program's own. Else:"]
    lines += _pairs((str(int(code)), words) for code, words in _EXIT_STATUS.items())
    lines += [".SH ENVIRONMENT", *_pairs(_ENVIRONMENT)]
    lines += [".SH SEE ALSO", _escape(", ".join(_SEE_ALSO))]
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "iotrace {_escape(name)} {_escape(usage)}"'
    yield from _paragraphs(command.help or "")
    yield from _options(command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = (one for one in command.get_params(context) if isinstance(one, click.Option))
    records = (option.get_help_record(context) for option in options)
    yield from _pairs(record for record in records if record is not None)


def _paragraphs(help: str) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(help).split("\n\n")):
        if number:
            yield ".PP"
        yield from _lines(paragraph)


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for label, words in pairs:
        yield ".TP"
        yield rf"\fB{_escape(label)}\fR"
        yield from _lines(words)


def _lines(words: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(words.split()), 72, break_on_hyphens=False):
        yield _escape(line)


def _escape(text: str) -> str:
    """Nothing in it means anything to troff; a dash is the one that can be pasted."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    escaped = escaped.replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    print(text(), end="")
