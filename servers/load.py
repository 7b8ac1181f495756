# SPDX-License-Identifier: Apache-2.0
"""A load for the reference servers: sends requests, checks every byte of the answers, times them.

It tells its own figures, so that what a tracer says about the server can be checked from the
other side.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn

from iotrace.servers.limits import raise_descriptor_limit
from iotrace.servers.load_loop import LoadLoop
from iotrace.servers.load_pace import ClosedLoop, OpenLoop
from iotrace.servers.load_plan import LoadPlan, LoadResult, Times
from iotrace.servers.options import milliseconds, natural
from iotrace.servers.protocol import MAX_PAYLOAD_BYTES, MAX_THINK_NS, Work

from iotrace.errors import ExitCode, IotraceError


def run_load(plan: LoadPlan) -> LoadResult:
    """Do what ``plan`` says and tell what came of it. Raises this process's descriptor limit.

    Errors of the server and of the network are counted in the result, not raised; IotraceError
    when the host has no address.
    """
    loop = _loop(plan)
    loop.run()
    return loop.result()


def _loop(plan: LoadPlan) -> LoadLoop:
    raise_descriptor_limit()
    return ClosedLoop(plan) if plan.rate is None else OpenLoop(plan, plan.rate)


def main(arguments: Sequence[str] | None = None) -> ExitCode:
    """The command line. SIGINT and SIGTERM end the load early; what it saw is printed."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        loop = _loop(_plan(options))
        with contextlib.suppress(KeyboardInterrupt):
            loop.run()
    except IotraceError as error:
        print("\n".join(filter(None, (error.what, error.why, error.paste))), file=sys.stderr)
        return error.code
    result = loop.result()
    print(json.dumps(asdict(result)) if options.json else _text(result))
    return ExitCode.UNEXPECTED if result.errors else ExitCode.OK


def plan_from(arguments: Sequence[str]) -> LoadPlan:
    """The plan that these arguments of the command line make.

    Raises UsageError when they contradict each other; ends the program with exit status 2, as
    argparse does, when they are none.
    """
    return _plan(_parser().parse_args(arguments))


def _plan(options: argparse.Namespace) -> LoadPlan:
    values = {name: value for name, value in vars(options).items() if name != "json"}
    return LoadPlan(**{**values, "work": Work[options.work.upper()]})


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _text(result: LoadResult) -> str:
    def line(name: str, spread: Times | None) -> str:
        if spread is None:
            return f"{name}: none"
        figures = (spread.p50, spread.p90, spread.p99, spread.max)
        p50, p90, p99, most = (f"{value / 1e3:,.0f} us" for value in figures)
        return f"{name}: p50 {p50}, p90 {p90}, p99 {p99}, max {most}"

    lines = [
        f"{result.requests:,} requests over {result.connections:,} connections"
        f" in {result.duration_ns / 1e9:.3f} s: {result.requests_per_second:,.0f} a second,"
        f" {result.bytes:,} bytes each way",
        line("latency", result.latency_ns),
        line("connect", result.connect_ns),
        f"the load's own CPU time: {result.cpu_ns / 1e6:,.0f} ms",
    ]
    lines += [f"{kind}: {count:,}" for kind, count in result.errors.items()]
    lines += [f"refused: {reason}" for reason in result.refusals]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m iotrace.servers.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=natural, required=True)
    parser.add_argument("-c", "--connections", type=natural, default=1, metavar="N")
    parser.add_argument(
        "-n", "--requests", type=natural, metavar="N", help="in all (default: one a connection)"
    )
    parser.add_argument(
        "-d",
        "--duration",
        type=_seconds,
        dest="duration_ns",
        metavar="SECONDS",
        help="stop sending after this",
    )
    parser.add_argument(
        "--payload", type=_payload, dest="payload_bytes", default=64, metavar="BYTES"
    )
    parser.add_argument(
        "--think-ms",
        type=_think,
        dest="think_ns",
        default=0,
        metavar="MS",
        help="how long the server's handler works on each request",
    )
    parser.add_argument("--work", choices=[work.name.lower() for work in Work], default="sleep")
    parser.add_argument(
        "--delay-ms",
        type=milliseconds,
        dest="delay_ns",
        default=0,
        metavar="MS",
        help="wait before each send: what the server must wait for it",
    )
    parser.add_argument(
        "--rate", type=_rate, metavar="PER_SECOND", help="open loop: send by the clock"
    )
    parser.add_argument("--poisson", action="store_true", help="open loop: at random moments")
    parser.add_argument(
        "--pipeline", type=natural, default=1, metavar="N", help="requests under way at a time"
    )
    parser.add_argument("--reconnect", action="store_true", help="a connection for each request")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--timeout",
        type=_seconds,
        dest="timeout_ns",
        default=5 * 10**9,
        metavar="SECONDS",
        help="give up when nothing comes back for so long (default: 5)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _seconds(text: str) -> int:
    return milliseconds(text) * 1000


def _payload(text: str) -> int:
    value = int(text)
    if not 0 <= value <= MAX_PAYLOAD_BYTES:
        raise ValueError
    return value


def _think(text: str) -> int:
    value_ns = milliseconds(text)
    if value_ns > MAX_THINK_NS:
        raise ValueError
    return value_ns


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1e6:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(main())
