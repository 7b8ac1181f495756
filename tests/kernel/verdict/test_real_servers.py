"""Servers that others wrote: the right label, and nothing found under moderate load."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.model import Model
from iotrace.snapshot.arithmetic import interval
from iotrace.tracing.trace import Trace
from tests.found import Found, by_rule, faults, starvation
from tests.kernel.tracing import check_verdict
from tests.kernel.verdict.web import WEB, ask, make_certificate, serving
from tests.kernel.web_servers import gunicorn

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A server and its label. ``keep``: its connections are kept open."""

    name: str
    arguments: tuple[str, ...]
    model: str
    shape: str
    title: str
    keep: bool = True
    tls: bool = False
    needs: str | None = None


def _own(make: str, *label: str, keep: bool = True, needs: str | None = None) -> Case:
    tls = make.endswith("tls")
    model, shape, title = label
    name = f"{make}-{'keep' if keep else 'close'}"
    return Case(
        name, (str(WEB), make, "{fd}", "{certificate}"), model, shape, title, keep, tls, needs
    )


def _uvicorn(loop: str) -> Case:
    options = ("--fd", "{fd}", "--loop", loop, "--no-access-log", "web_app:asgi")
    return Case(
        f"uvicorn-{loop}", ("-m", "uvicorn", *options), "epoll", "event loop",
        "event loop on epoll", needs="uvloop",
    )  # fmt: skip


def _gunicorn(worker: str, model: str, title: str, *options: str, keep: bool = True) -> Case:
    name = f"gunicorn-{worker}-{'keep' if keep else 'close'}"
    arguments = gunicorn(worker, 2, *options)
    return Case(
        name, arguments, model, "pre-forked workers", title, keep, needs=worker_needs(worker)
    )


def worker_needs(worker: str) -> str:
    """The package that this class of workers comes with."""
    return "gevent" if worker == "gevent" else "gunicorn"


CASES = (
    _uvicorn("asyncio"),
    _uvicorn("uvloop"),
    _gunicorn("sync", "blocking", "single thread, blocking I/O", keep=False),
    _gunicorn("gthread", "blocking", "thread pool behind an acceptor on epoll", "--threads", "3"),
    _gunicorn("gthread", "blocking", "thread pool behind", "--threads", "3", keep=False),
    _gunicorn("gevent", "epoll", "event loop on epoll"),
    _gunicorn("gevent", "epoll", "greenlets", keep=False),
    _own("aiohttp", "epoll", "event loop", "event loop on epoll", needs="aiohttp"),
    _own("threading", "blocking", "thread per connection", "thread per connection, blocking I/O"),
    _own("threading", "blocking", "thread per connection", "thread per connection", keep=False),
    _own("threading_tls", "blocking", "thread per connection", "thread per connection"),
    _own("asyncio_tls", "epoll", "event loop", "event loop on epoll"),
    _own("executor", "epoll", "event loop + thread pool", "+ thread pool"),
    _own("processes", "blocking", "single thread", "process pool (2)", keep=False),
)


ALIKE = frozenset(
    ("uvicorn-asyncio", "gunicorn-gthread-close", "gunicorn-gevent-close", "threading-close")
)
"""Each is much as one of the others."""


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    """One trace for all: attaching takes a second."""
    with Trace(Limits(threads=8192, reserved=2048)) as attached:
        yield attached


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.thorough if case.name in ALIKE else ())
        for case in CASES
    ],
    ids=lambda case: case.name,
)
def test_the_label_is_right_and_nothing_is_found(
    trace: Trace, certificate: Path, case: Case
) -> None:
    if case.needs and importlib.util.find_spec(case.needs) is None:
        pytest.skip(f"needs {case.needs}: pip install 'iotrace[servers-under-test]'")
    for _ in range(_TRIES):
        model, found = _observe(trace, certificate, case)
        if not starvation(found):
            break
    else:
        if faults(found):
            pytest.skip(f"other programs take the CPUs, {_TRIES} times: {starvation(found)}")
    assert (model.id, model.shape) == (case.model, case.shape), model
    assert case.title in model.title
    assert model.confidence > 0.5
    assert not faults(found), "\n".join(map(str, found.values()))


def _observe(trace: Trace, certificate: Path, case: Case) -> tuple[Model, Found]:
    clients = 1 if case.shape == "single thread" else 4
    with serving(case.arguments, certificate) as (pid, port):
        assert ask(port, clients, 0.3, 100, case.keep, case.tls)
        trace.follow(pid, True)
        trace.processes_alive()
        before = trace.snapshot()
        assert ask(port, clients, 2.0, 100, case.keep, case.tls) >= 20
        after = trace.snapshot()
        trace.look()
        report = trace.report(interval(after, before))
    check_verdict(report)
    family = {pid, *(one.pid for one in report.processes if one.parent == pid)}
    found = by_rule(one for one in report.findings if one.pid in family)
    (model,) = (one.model for one in report.processes if one.pid == pid)
    assert model is not None
    return model, found
