# SPDX-License-Identifier: Apache-2.0
"""``iotrace models``: the I/O models that there is a reference server for."""

from __future__ import annotations

import click

_INDENT = " " * 13


@click.command(name="models", short_help="List the I/O models and their teaching variants.")
def command() -> int:
    """List the I/O models: the textbook's name, a sentence, the variants of ``iotrace demo``.

    Each has a server of one screen: python -m iotrace.servers.epoll --help
    """
    from iotrace.cli.called import with_this_program

    click.echo(with_this_program("\n".join(listing())))
    return 0


def listing() -> list[str]:
    """A paragraph a model: its name here and in the textbook, a sentence, its variants."""
    from iotrace.demo.diagram import WIDTH
    from iotrace.output.text import wrap
    from iotrace.servers.catalog import MODELS

    lines = []
    for model in MODELS:
        lines += [f"{model.id:<{len(_INDENT)}}{model.title}"]
        lines += wrap(model.sentence, WIDTH, indent=_INDENT)
        if reason := model.unavailable():
            lines += wrap(f"Not on this host: {reason}.", WIDTH, indent=_INDENT)
        for variant in model.variants:
            words = f"--variant {variant.id}: {variant.sentence}"
            lines += wrap(words, WIDTH, indent=_INDENT + "  ", first=_INDENT)
    return [*lines, "", "sudo iotrace demo --model NAME shows one, --model all compares them."]
