"""A thousand connections, and the limit that select has and the others have not."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from iotrace.servers.catalog import ServerModel
from iotrace.servers.launch import running
from iotrace.servers.limits import FD_SETSIZE
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan
from iotrace.servers.select_ import REFUSAL

from tests.unit.servers.client import model_parameters, open_descriptors

CONNECTIONS = 1103
ALL_AT_ONCE_NS = 10**9  # nobody leaves before everybody has come

pytestmark = pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CONNECTIONS + 100,
    reason=f"the hard limit of open descriptors (ulimit -Hn) is below {CONNECTIONS + 100}",
)


@pytest.mark.parametrize("model", model_parameters(only=("poll", "epoll", "async-io", "thread")))
def test_others_serve_more_than_select_can(model: ServerModel) -> None:
    with running(model.module) as server:
        plan = LoadPlan(port=server.port, connections=CONNECTIONS, delay_ns=ALL_AT_ONCE_NS)
        result = run_load(plan)
        assert (result.requests, result.errors) == (CONNECTIONS, {})
        assert server.stop() == 0


def test_select_refuses_what_it_cannot_watch_and_serves_the_rest(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w+") as stderr, running("select_", stderr=stderr) as server:
        own = open_descriptors(server.pid)
        plan = LoadPlan(port=server.port, connections=CONNECTIONS, delay_ns=ALL_AT_ONCE_NS)
        result = run_load(plan)
        assert result.requests == FD_SETSIZE - own
        assert result.errors == {"refused": CONNECTIONS - (FD_SETSIZE - own)}
        assert result.refusals == (REFUSAL,)
        again = run_load(LoadPlan(port=server.port, requests=7))
        assert (again.requests, again.errors) == (7, {})
        assert server.stop() == 0
        stderr.seek(0)
        assert stderr.read() == f"connection refused: {REFUSAL}\n"
