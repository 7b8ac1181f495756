# SPDX-License-Identifier: Apache-2.0
"""``iotrace agent``: trace a host all the time, and serve metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iotrace.cli.flight import Flight, ends_trace, flight_options
from iotrace.cli.parameter_types import Bytes, Seconds
from iotrace.cli.selector_options import selector_options
from iotrace.errors import ExitCode, Unsupported

if TYPE_CHECKING:
    from iotrace.agent.listen import Address
    from iotrace.discovery.selectors import Selector
    from iotrace.engine.compile_workers import CompileWorkers
    from iotrace.flight.recorder import FlightRecorder

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


class PushUrl(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """An endpoint of OTLP over HTTP."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it is."""
        from urllib.parse import urlsplit

        url = str(value)
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/")
        except ValueError:
            good = False
        if not good:
            self.fail(f"{url!r} is no address: try http://127.0.0.1:4318/v1/metrics", param, ctx)
        return url


@click.command(name="agent", short_help="Trace a host all the time, and serve metrics.")
@selector_options(follow=False)
@click.option(
    "--detail",
    type=click.Choice(("light", "sockets", "full")),
    default="light",
    show_default=True,
    help="light: where threads wait and how long event loops are busy, at next to no cost. "
    "sockets: requests and calls upstream, too. full: the GIL, too.",
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
    f"({_DEFAULT_LISTEN}, unless --otlp or --prom-file is given).",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name that Prometheus may ask this host by, beside addresses and its host name.",
)
@click.option(
    "--otlp",
    "push",
    type=PushUrl(),
    metavar="URL",
    help="Push them there at each interval, over OTLP: http://127.0.0.1:4318/v1/metrics. Headers "
    "and certificates: OTEL_EXPORTER_OTLP_HEADERS and its like.",
)
@click.option(
    "--prom-file",
    "text_file",
    type=click.Path(dir_okay=False, writable=False),
    help="Write the same text there at each interval, for node_exporter's textfile collector.",
)
@click.option(
    "--lines",
    is_flag=True,
    help="In full detail: follow Python's stacks, too. Waits for the GIL; the lines of the slowest "
    "requests, as exemplars (OpenMetrics, OTLP) and in what --last writes.",
)
@flight_options
@click.option(
    "--dumps",
    type=click.Path(file_okay=False, writable=False),
    help="The folder that --last writes recordings to.",
)
@click.option(
    "--timeline", is_flag=True, help="In full detail: --last keeps every call and change of state."
)
@click.option(
    "--max-size",
    type=Bytes(),
    default="64M",
    show_default=True,
    help="Of a recording that --last writes.",
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
    push: str | None,
    text_file: str | None,
    lines: bool,
    flight: Flight,
    dumps: str | None,
    timeline: bool,
    max_size: int,
    verbose: bool,
) -> int:
    """Trace Python servers of this host (all of them, if none are chosen) until a signal ends it.

    Processes that are started later join. Figures are added up by program and by systemd unit or
    container.
    """
    try:
        from iotrace.agent.endless_trace import AgentOptions, run_agent
        from iotrace.agent.listen import parse_address
    except ImportError as error:
        raise Unsupported(
            "The agent needs the package prometheus-client.",
            why=f"{error}.",
            paste="pip install 'iotrace[agent]'   # Debian: apt install python3-prometheus-client",
        ) from error
    from iotrace.cli.recording_sink import TIMELINE_PAGES
    from iotrace.discovery.selectors import AllPython
    from iotrace.report.detail import Detail
    from iotrace.tracing.trace_options import PythonOptions, TraceOptions

    flight.check(())
    if (flight.last_ns is None) != (dumps is None):
        raise click.UsageError("--last and --dumps go together: what is kept, and where it goes.")
    if (lines or timeline) and detail != "full":
        raise click.UsageError("--lines and --timeline need --detail full.")
    if timeline and flight.last_ns is None:
        raise click.UsageError("--timeline is for --last.")
    triggers = flight.triggers()

    def recorder() -> FlightRecorder:
        assert dumps is not None
        return flight.recorder(dumps, triggers, max_size, timeline=timeline, keeps_ended=False)

    if listen is None and push is None and text_file is None:
        listen = parse_address(_DEFAULT_LISTEN)
    run_agent(
        AgentOptions(
            selectors=selectors or (AllPython(),),
            trace=TraceOptions(
                duration_ns=None,
                interval_ns=interval,
                children=True,
                detail=Detail(detail),
                python=PythonOptions(enabled=lines),
                timeline_pages=TIMELINE_PAGES if timeline else 0,
            ),
            listen=listen,
            hosts=hosts,
            push=push,
            text_file=text_file,
            recorder=None if flight.last_ns is None else recorder,
            on_signal=lambda number: ends_trace(triggers, number),
        ),
        workers,
    )
    return ExitCode.OK
