# SPDX-License-Identifier: Apache-2.0
"""Options of ``record`` that make it a flight recorder."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iotrace.cli.parameter_types import Seconds

if TYPE_CHECKING:
    from iotrace.flight.recorder import FlightRecorder
    from iotrace.flight.triggers import Condition, Triggers

_SECOND_NS = 1_000_000_000


class Trigger(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A condition, or the signal's name."""

    name = "condition"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Condition:
        """Parsed."""
        from iotrace.flight.triggers import MEASURES, SIGNAL, parse_condition

        if not isinstance(value, str):
            found: Condition = value
            return found
        try:
            return parse_condition(value, lambda text: Seconds().convert(text, param, ctx))
        except ValueError:
            measures = ", ".join(f"{name}>200ms" for name in MEASURES)
            self.fail(f"{value!r} is none of {measures}, finding:IO103, {SIGNAL}", param, ctx)


@dataclass(frozen=True, slots=True)
class Flight:
    """The options; ``last_ns`` None: it is no flight recorder."""

    last_ns: int | None
    conditions: tuple[Condition, ...]
    after_ns: int
    cool_down_ns: int
    most_dumps: int

    def check(self, command: tuple[str, ...]) -> None:
        """Raises UsageError where options do not go together."""
        if self.last_ns is None:
            if self.conditions:
                raise click.UsageError("--on needs --last: how much is kept before it happens.")
            return
        if not self.conditions:
            raise click.UsageError("--last needs --on: when to write, such as --on 'stall>200ms'.")
        if self.after_ns > self.last_ns:
            raise click.UsageError("--after is a part of --last, so it cannot be longer.")
        if command:
            raise click.UsageError("--last is for processes that run already.")

    def triggers(self) -> Triggers:
        """For the recorder, and for ``on_signal``."""
        from iotrace.flight.triggers import Triggers

        return Triggers(self.conditions)

    def recorder(
        self,
        directory: str,
        triggers: Triggers,
        most_bytes: int,
        *,
        timeline: bool,
        keeps_ended: bool = True,
    ) -> FlightRecorder:
        """The sink. Raises UsageError where nothing can be written to ``directory``."""
        from iotrace.flight.recorder import FlightOptions, FlightRecorder

        assert self.last_ns is not None
        return FlightRecorder(
            FlightOptions(
                directory=Path(directory),
                last_ns=self.last_ns,
                after_ns=self.after_ns,
                cool_down_ns=self.cool_down_ns,
                most_dumps=self.most_dumps,
                most_bytes=most_bytes,
                timeline=timeline,
            ),
            triggers,
            keeps_ended=keeps_ended,
        )


def ends_trace(triggers: Triggers, number: int) -> bool:
    """Whether a signal ends the trace: SIGUSR1 may ask for a dump."""
    return triggers.on_signal(number, signal.SIGUSR1)


def flight_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--last``, ``--on``, ...: gathered in the command's parameter ``flight``."""

    @functools.wraps(function)
    def gathered(
        *,
        last: int | None,
        conditions: tuple[Condition, ...],
        after: int,
        cool_down: int,
        max_dumps: int,
        **values: Any,
    ) -> int:
        return function(flight=Flight(last, conditions, after, cool_down, max_dumps), **values)

    wrapped: Callable[..., int] = gathered
    for option in (
        click.option(
            "--last",
            type=Seconds(),
            help="Keep the last 30s (say) in memory, and write them when --on fires: --output is "
            "a folder then, a recording each time.",
        ),
        click.option(
            "--on",
            "conditions",
            multiple=True,
            type=Trigger(),
            help="stall>200ms (an iteration of a loop), p99>500ms or hang>5s (requests of a "
            "listener), finding:IO103, SIGUSR1.",
        ),
        click.option(
            "--after",
            type=Seconds(),
            default=2 * _SECOND_NS,
            show_default="2",
            help="So much of --last is what follows.",
        ),
        click.option(
            "--cool-down",
            type=Seconds(),
            default=60 * _SECOND_NS,
            show_default="60",
            help="So long after one, no other is written.",
        ),
        click.option(
            "--max-dumps",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            help="No more are written.",
        ),
    )[::-1]:  # decorators apply from the last one on
        wrapped = option(wrapped)
    return wrapped
