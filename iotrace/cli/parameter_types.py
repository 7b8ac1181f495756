# SPDX-License-Identifier: Apache-2.0
"""Types of the values that options take: checked when they are parsed."""

from __future__ import annotations

import shlex
from typing import Any

import click
from click.shell_completion import CompletionItem


class Pid(click.IntRange):
    """The number of a process; for anything else, how to find processes by it."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if not isinstance(value, int) and not _is_number(str(value)):
            found = ctx is not None and any(one.name == "names" for one in ctx.command.params)
            hint = (
                f"--name {shlex.quote(str(value))}"
                if found
                else f"pgrep -f {shlex.quote(str(value))}"
            )
            self.fail(f"{value!r} is no pid: try {hint}", param, ctx)
        return int(super().convert(value, param, ctx))


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


class Seconds(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A length of time: "10", "0.5", "500ms", "2m"; a positive number of nanoseconds."""

    name = "seconds"
    _UNITS = (
        ("ms", 1_000_000),
        ("us", 1_000),
        ("s", 10**9),
        ("m", 60 * 10**9),
        ("h", 3600 * 10**9),
    )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Nanoseconds."""
        if isinstance(value, int):
            return value
        text, scale = str(value).strip(), 10**9
        for unit, unit_ns in self._UNITS:
            if text.endswith(unit):
                text, scale = text.removesuffix(unit), unit_ns
                break
        try:
            length_ns = round(float(text) * scale)
        except (ValueError, OverflowError):
            length_ns = 0
        if not 0 < length_ns <= 2**62:
            self.fail(f"{value!r} is no length of time: try 10, 0.5, 500ms or 2m", param, ctx)
        return length_ns


class Bytes(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A size: "500000", "64K", "256M", "1G"; a positive number of bytes."""

    name = "bytes"
    _UNITS = (("K", 1024), ("M", 1024**2), ("G", 1024**3))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        if isinstance(value, int):
            return value
        digits, scale = str(value).strip().upper().removesuffix("B").removesuffix("I"), 1
        for unit, unit_bytes in self._UNITS:
            if digits.endswith(unit):
                digits, scale = digits.removesuffix(unit), unit_bytes
                break
        if not digits.isdecimal() or not 0 < int(digits) * scale <= 2**50:
            self.fail(f"{value!r} is no size: try 64K, 256M or 1G", param, ctx)
        return int(digits) * scale


class Latency(Seconds):
    """A length of time that may be 0."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Nanoseconds."""
        if str(value).strip().rstrip("smu") == "0":
            return 0
        return super().convert(value, param, ctx)


def _format_names() -> tuple[str, ...]:
    from iotrace.output.formats import FORMATS, TIMELINES

    return FORMATS + TIMELINES


_USUAL = ("table", "json")
"""Of these no list is needed: it is made of what prints them, which is much to import."""


class FormatName(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A format of the output; the names are known only when one is given."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a format."""
        if value not in _USUAL and value not in _format_names():
            self.fail(f"{value!r} is none of {', '.join(_format_names())}", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The formats that begin like this, in order."""
        names = sorted(name for name in _format_names() if name.startswith(incomplete))
        return [CompletionItem(name) for name in names]


class FailOn(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Findings that are a failure: severities and rule ids, with commas between them."""

    name = "findings"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, if they are all known."""
        if isinstance(value, tuple):
            return value
        from iotrace.verdict.gate import names_of

        names = tuple(name.strip() for name in str(value).split(",") if name.strip())
        known, unknown = names_of(names)
        if unknown or not known:
            wrong = ", ".join(map(repr, unknown)) or repr(value)
            self.fail(f"{wrong}: give high, medium, low, or rule ids such as IO103", param, ctx)
        return known


class Names(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Names with commas between them."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in str(value).split(",") if name.strip())
