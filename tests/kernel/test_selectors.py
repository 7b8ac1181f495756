"""Real processes, found by what they are."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kernel.command import checked_report, iotrace, started, wait_until_tracing
from tests.kernel.targets import PROGRAMS
from tests.waiting import DEADLINE_S, wait_until

_IN_ANOTHER_NETWORK = ("unshare", "--net", "--fork", "--kill-child")


@contextmanager
def _listener(port: int, *words: str, prefix: tuple[str, ...] = ()) -> Iterator[tuple[int, int]]:
    """Its pid (that of ``unshare``, if there is a prefix) and port."""
    program = [sys.executable, str(PROGRAMS / "listener.py"), str(port), *words]
    with subprocess.Popen([*prefix, *program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


def _pids(stdout: str) -> set[int]:
    return {process["pid"] for process in checked_report(stdout)["processes"]}


def test_a_port_is_whoever_listens_on_it_in_another_network_namespace_too() -> None:
    with _listener(0) as (pid, port):
        ended = iotrace("attach", "--port", port, "-d", "0.2", "-f", "json")
        assert (ended.code, _pids(ended.stdout)) == (0, {pid})
        with _listener(port, prefix=_IN_ANOTHER_NETWORK):
            ended = iotrace("attach", "--port", port, "-d", "0.2")
            assert ended.code == 2
            assert "means several things" in ended.stderr
            assert f"{pid} (" in ended.stderr
            assert re.search("try:  sudo .*iotrace attach ", ended.stderr)
    ended = iotrace("attach", "--port", port, "-d", "0.2")
    assert ended.code == 4
    assert "try:  ss -ltnp" in ended.stderr


def test_what_matches_later_joins_and_the_trace_outlives_what_it_began_with() -> None:
    word = f"joins-{uuid.uuid4()}"
    with contextlib.ExitStack() as ends:
        with _listener(0, word) as (first, _):
            process = ends.enter_context(
                started("attach", "--name", word, "--follow", "-f", "jsonl", "-i", "0.2")
            )
            wait_until_tracing(process)
        second, _ = ends.enter_context(_listener(0, word))
        seen: set[int] = set()
        assert process.stdout is not None

        def both_seen() -> bool:
            assert process.stdout is not None
            report = json.loads(process.stdout.readline())
            seen.update(one["pid"] for one in report["processes"])
            return {first, second} <= seen

        wait_until(both_seen, "the second to join")
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
    assert process.pid not in seen
