# SPDX-License-Identifier: Apache-2.0
"""Options that say what to trace otherwise than by pid."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from iotrace.discovery.selectors import Selector


class Expression(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A regular expression."""

    name = "regex"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> re.Pattern[str]:
        """Compiled."""
        if isinstance(value, re.Pattern):
            return value
        try:
            return re.compile(str(value))
        except re.error as error:
            self.fail(f"{value!r} is no regular expression: {error}", param, ctx)


class PodName(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A Kubernetes pod: "shop/web-7d4f"; without a namespace, of "default"."""

    name = "ns/name"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Namespace and name."""
        if isinstance(value, tuple):
            return value
        namespace, _, name = str(value).rpartition("/")
        if not name or "/" in namespace:
            self.fail(f"{value!r} is no pod: try shop/web-7d4f", param, ctx)
        return namespace or "default", name


def selector_options(*, follow: bool) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """``--port``, ``--unit``, ...: gathered in ``selectors``; and ``--follow``, if asked for."""

    def with_options(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def gathered(**values: Any) -> int:
            found = tuple(_selectors(values))
            if values.get("follow") and not found:
                raise click.UsageError("--follow needs what to look for: --name, --unit, --port...")
            return function(selectors=found, **values)

        wrapped: Callable[..., int] = gathered
        for option in (_FOLLOW, *_OPTIONS[::-1]) if follow else _OPTIONS[::-1]:
            wrapped = option(wrapped)
        return wrapped

    return with_options


_OPTIONS = (
    click.option(
        "--port",
        "ports",
        multiple=True,
        type=click.IntRange(1, 65535),
        help="Whoever listens on this TCP port.",
    ),
    click.option("--unit", "units", multiple=True, help="The processes of a systemd unit."),
    click.option(
        "--cgroup",
        "cgroups",
        multiple=True,
        metavar="PATH",
        help="Those of a control group and the groups in it.",
    ),
    click.option(
        "--container",
        "containers",
        multiple=True,
        metavar="NAME|ID",
        help="Those of a container: Docker, Podman, containerd.",
    ),
    click.option("--pod", "pods", multiple=True, type=PodName(), help="Those of a Kubernetes pod."),
    click.option(
        "--name",
        "names",
        multiple=True,
        type=Expression(),
        help="Those whose name or command line this is found in.",
    ),
    click.option("--all-python", is_flag=True, help="Every process that runs CPython."),
)
_FOLLOW = click.option(
    "--follow", is_flag=True, help="What matches later joins; ends on Ctrl-C or --duration."
)


def _selectors(values: dict[str, Any]) -> Iterator[Selector]:
    """Takes its options out of ``values``."""
    kinds = ("ports", "units", "cgroups", "containers", "pods", "names")
    given = {name: values.pop(name) for name in kinds}
    everything = values.pop("all_python")
    if not everything and not any(given.values()):
        return  # the usual case, which needs none of the classes
    from iotrace.discovery import selectors

    yield from map(selectors.ByPort, given["ports"])
    yield from map(selectors.ByUnit, given["units"])
    yield from map(selectors.ByCgroup, given["cgroups"])
    yield from map(selectors.ByContainer, given["containers"])
    yield from (selectors.ByPod(*pod) for pod in given["pods"])
    yield from map(selectors.ByName, given["names"])
    if everything:
        yield selectors.AllPython()
