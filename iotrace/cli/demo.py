# SPDX-License-Identifier: Apache-2.0
"""``iotrace demo``: the textbook's picture of an I/O model, measured here and now."""

from __future__ import annotations

from typing import Any

import click

from iotrace.cli.options import Shown, output_options
from iotrace.cli.parameter_types import Names, Seconds


class Counts(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Whole numbers from 1 on, with commas between them."""

    name = "counts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(number) for number in str(value).split(","))
        except ValueError:
            numbers = ()
        if not numbers or min(numbers) < 1:
            self.fail(f"{value!r} is no number, and no list as 1,10,100", param, ctx)
        return tuple(sorted(set(numbers)))


@click.command(name="demo", short_help="Show an I/O model at work, measured.")
@click.option(
    "-m",
    "--model",
    "models",
    type=Names(),
    default="epoll",
    show_default=True,
    help="One of iotrace models; several (blocking,epoll) or all: compare them.",
)
@click.option("--variant", help="A teaching case of the model; iotrace models lists them.")
@click.option(
    "-c",
    "--connections",
    type=Counts(),
    help="Clients at a time. Several numbers (1,10,100,1000): how the models scale.",
)
@click.option("-n", "--requests", type=click.IntRange(min=1), help="Requests in all.")
@click.option("--payload", type=click.IntRange(min=0, max=1 << 26), help="Bytes of a message.")
@click.option(
    "--delay", type=Seconds(), help="Each client waits so long before it sends (20ms, 0.5)."
)
@click.option("--think", type=Seconds(), help="The server's handler works so long on a request.")
@click.option("-d", "--duration", type=Seconds(), help="Send no more after this time.")
@output_options
def command(
    models: tuple[str, ...],
    variant: str | None,
    connections: tuple[int, ...] | None,
    requests: int | None,
    payload: int | None,
    delay: int | None,
    think: int | None,
    duration: int | None,
    shown: Shown,
    verbose: bool,
) -> int:
    """Start a server of an I/O model and a load, trace it, and draw what happens.

    Prints one typical request of this run as the textbook draws it, application and kernel side
    by side, with the measured times; the tables; and what to see in them. Takes a few seconds.
    """
    from iotrace.cli.demo_runs import compare, scale, show
    from iotrace.demo.load_options import LoadOptions, chosen, find_variant

    picked = chosen(models)
    numbers = connections or ()
    options = LoadOptions(
        connections=numbers[0] if len(numbers) == 1 else None,
        requests=requests,
        payload_bytes=payload,
        delay_ns=delay,
        think_ns=think,
        duration_ns=duration,
    )
    if variant is not None and (len(picked) > 1 or len(numbers) > 1):
        raise click.UsageError("A variant is shown alone: one model, one number of connections.")
    if len(numbers) > 1:
        return scale(() if "all" in models else picked, numbers, options, shown)
    if len(picked) > 1:
        return compare(picked, options, shown)
    (model,) = picked
    return show(model, find_variant(model, variant) if variant else None, options, shown)
