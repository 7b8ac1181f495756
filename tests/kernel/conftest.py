"""These tests run the real tracer on the real kernel; where that is impossible they skip."""

from __future__ import annotations

import pytest

from tests.kernel.obstacle import obstacle

_SIDE_BY_SIDE = (
    "tests/attacks/",
    "tests/kernel/demo/test_command.py",
    "tests/kernel/demo/test_misbehaviour.py",
    "tests/kernel/faults/",
    "tests/kernel/python/test_blocked_stacks.py",
    "tests/kernel/python/test_frame_kinds.py",
    "tests/kernel/python/test_free_threaded.py",
    "tests/kernel/python/test_greenlets.py",
    "tests/kernel/python/test_lives.py",
    "tests/kernel/python/test_quick_lines.py",
    "tests/kernel/python/test_slow_paths.py",
    "tests/kernel/python/test_subinterpreters.py",
    "tests/kernel/python/test_tasks.py",
    "tests/kernel/python/test_young_threads.py",
    "tests/kernel/test_absent_features.py",
    "tests/kernel/test_agent.py",
    "tests/kernel/test_attach_command.py",
    "tests/kernel/test_bodies_and_leavers.py",
    "tests/kernel/test_children.py",
    "tests/kernel/test_clients.py",
    "tests/kernel/test_compiling.py",
    "tests/kernel/test_counts.py",
    "tests/kernel/test_descriptors.py",
    "tests/kernel/test_doctor.py",
    "tests/kernel/test_elsewhere.py",
    "tests/kernel/test_entering.py",
    "tests/kernel/test_errors.py",
    "tests/kernel/test_flight_recorder.py",
    "tests/kernel/test_followed_later.py",
    "tests/kernel/test_hostile_target.py",
    "tests/kernel/test_kinds.py",
    "tests/kernel/test_least_privilege.py",
    "tests/kernel/test_missing_tracepoints.py",
    "tests/kernel/test_pid_namespaces.py",
    "tests/kernel/test_prefork.py",
    "tests/kernel/test_recycling.py",
    "tests/kernel/test_refused_calls.py",
    "tests/kernel/test_request_pools.py",
    "tests/kernel/test_run_command.py",
    "tests/kernel/test_selectors.py",
    "tests/kernel/test_stolen_cpu.py",
    "tests/kernel/test_timeline.py",
    "tests/kernel/verdict/test_hangs.py",
    "tests/kernel/verdict/test_killed_workers.py",
)
"""Files whose tests assert counts, texts, exit codes and what is found, or times that are made far
longer than a neighbour delays: two run at once."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These tests share their CPUs with whatever else runs: each may be tried three times.

    What was tried again is counted in pytest's closing line. The hook gets every item.
    """
    for item in items:
        if item.nodeid.startswith(_SIDE_BY_SIDE):
            item.add_marker(pytest.mark.side_by_side)
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return  # make faults: what fails has failed
    for item in items:
        if "tests/kernel/" in item.nodeid:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session", autouse=True)
def _a_kernel_that_can_be_traced() -> None:
    reason = obstacle()
    if reason:
        pytest.skip(reason)
