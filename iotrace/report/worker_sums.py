# SPDX-License-Identifier: Apache-2.0
"""Whose requests are shown: those of workers with their parent, added up, or each worker's own."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, Report


def by_parent(report: Report) -> Report:
    """The report with the requests and upstreams of workers in their parent's rows alone."""
    workers = {
        one.pid: frozenset(one.workers.pids) for one in report.processes if one.workers is not None
    }
    if not workers:
        return report
    processes = tuple(
        _with_sums(one, one.pid in workers.get(one.parent or 0, ())) for one in report.processes
    )
    return replace(report, processes=processes)


def by_worker(report: Report) -> Report:
    """The report without sums: each process has its own rows."""
    if all(one.workers is None for one in report.processes):
        return report
    processes = tuple(replace(one, workers=None) for one in report.processes)
    return replace(report, processes=processes)


def _with_sums(process: Process, is_worker: bool) -> Process:
    workers = process.workers
    if workers is None:
        return replace(process, requests=(), upstreams=()) if is_worker else process
    upstreams = workers.upstreams
    if process.pid not in workers.pids and not is_worker:
        upstreams += process.upstreams
    return replace(process, requests=workers.requests, upstreams=upstreams)
