"""``iotrace models``: the I/O models that there is a reference server for."""

from __future__ import annotations

import click


@click.command(name="models", short_help="List the I/O models and their teaching variants.")
def command() -> int:
    """List the I/O models: the textbook's name, a sentence, the variants of ``iotrace demo``.

    Each has a server of one screen: python -m iotrace.servers.epoll --help
    """
    from iotrace.demo.listing import listing

    click.echo("\n".join(listing()))
    return 0
