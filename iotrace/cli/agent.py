# SPDX-License-Identifier: Apache-2.0
"""``iotrace agent``: trace a host all the time, and serve metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iotrace.cli.parameter_types import Seconds
from iotrace.cli.selectors import selector_options
from iotrace.errors import ExitCode, Unsupported

if TYPE_CHECKING:
    from iotrace.agent.listen import Address
    from iotrace.discovery.selectors import Selector
    from iotrace.engine.compile_workers import CompileWorkers

_DEFAULT_LISTEN = "127.0.0.1:9463"
_SECOND_NS = 1_000_000_000


class ListenAddress(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Where to serve metrics."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """An address and port, or a unix socket."""
        from iotrace.agent.listen import parse_address

        if not isinstance(value, str):
            found: Address = value
            return found
        try:
            return parse_address(value)
        except ValueError:
            self.fail(
                f"{value!r} is no address: try 127.0.0.1:9463, 0.0.0.0:9463 or unix:/run/x.sock",
                param,
                ctx,
            )


@click.command(name="agent", short_help="Trace a host all the time, and serve metrics.")
@selector_options(follow=False)
@click.option(
    "--detail",
    type=click.Choice(("light", "sockets", "full")),
    default="light",
    show_default=True,
    help="light: where threads wait, at next to no cost. sockets: time spent copying, too. full: "
    "requests, calls upstream and event loops.",
)
@click.option(
    "-i",
    "--interval",
    type=Seconds(),
    default=10 * _SECOND_NS,
    show_default="10",
    help="How often figures are new.",
)
@click.option(
    "--listen",
    type=ListenAddress(),
    help="Serve metrics there, for Prometheus: an address and port, or unix:/PATH "
    f"({_DEFAULT_LISTEN}, unless --prom-file is given).",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name that Prometheus may ask this host by, beside addresses and its host name.",
)
@click.option(
    "--prom-file",
    "text_file",
    type=click.Path(dir_okay=False, writable=False),
    help="Write the same text there at each interval, for node_exporter's textfile collector.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more when something fails.")
@click.pass_obj
def command(
    workers: CompileWorkers | None,
    selectors: tuple[Selector, ...],
    detail: str,
    interval: int,
    listen: Address | None,
    hosts: tuple[str, ...],
    text_file: str | None,
    verbose: bool,
) -> int:
    """Trace Python servers of this host (all of them, if none are chosen) until a signal ends it.

    Processes that are started later join. Figures are added up by program and by systemd unit or
    container.
    """
    try:
        from iotrace.agent.listen import parse_address
        from iotrace.agent.session import AgentOptions, run_agent
    except ImportError as error:
        raise Unsupported(
            "The agent needs the package prometheus-client.",
            why=f"{error}.",
            paste="pip install 'iotrace[agent]'   # Debian: apt install python3-prometheus-client",
        ) from error
    from iotrace.discovery.selectors import AllPython
    from iotrace.report.detail import Detail
    from iotrace.tracing.trace_options import TraceOptions

    if listen is None and text_file is None:
        listen = parse_address(_DEFAULT_LISTEN)
    run_agent(
        AgentOptions(
            selectors=selectors or (AllPython(),),
            trace=TraceOptions(None, interval, children=True, detail=Detail(detail)),
            listen=listen,
            hosts=hosts,
            text_file=text_file,
        ),
        workers,
    )
    return ExitCode.OK
