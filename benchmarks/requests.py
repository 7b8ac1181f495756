# SPDX-License-Identifier: Apache-2.0
"""How true is what is told of requests?

    sudo .venv/bin/python -m benchmarks.requests [--quick] [--only NAME ...] [--write-docs]

Latencies, held against what the clients of ten servers have measured, and delays that are injected
into each part. Results are kept in benchmarks/requests.json, and shown in docs/requests.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.delays import DELAYS, injected
from benchmarks.latencies import compared
from benchmarks.latency_servers import SERVERS
from benchmarks.process_group import Missing
from benchmarks.requests_table import RESULTS, document, outside, write_docs
from benchmarks.results import Results

_REQUESTS = 2003
_QUICK_REQUESTS = 307


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if a figure is not as good as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="roughly; the results are not kept")
    names = [one.name for one in (*SERVERS, *DELAYS)]
    parser.add_argument("--only", nargs="*", choices=names, metavar="NAME")
    parser.add_argument("--write-docs", action="store_true", help="docs/requests.md, from file")
    options = parser.parse_args(arguments)
    if options.write_docs:
        write_docs(Results(RESULTS).known)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "results.json" if options.quick else RESULTS
        results = Results(path)
        wanted = options.only or names
        _measure(results, wanted, _QUICK_REQUESTS if options.quick else _REQUESTS)
        print(document(results.known))
        found = list(outside(results.known))
        for one in found:
            print(f"bench: not as near as it should be: {one}", file=sys.stderr)
        return int(bool(found))


def _measure(results: Results, wanted: Sequence[str], requests: int) -> None:
    for server in SERVERS:
        if server.name in wanted:
            print(f"bench: {server.name}", file=sys.stderr, flush=True)
            try:
                figures = compared(server.start, requests, server.keep)
            except Missing as missing:
                print(f"bench: skipped, for it needs {missing}", file=sys.stderr, flush=True)
                continue
            results.put("latencies", server.name, figures)
    for delay in DELAYS:
        if delay.name in wanted:
            print(f"bench: {delay.name}", file=sys.stderr, flush=True)
            results.put("delays", delay.name, injected(delay))


if __name__ == "__main__":
    sys.exit(main())
