"""VictoriaMetrics of Debian's sid, which takes OTLP, on a port of loopback."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.monitoring import debian
from tests.monitoring.prometheus import Engine
from tests.waiting import wait_until

_DEADLINE_S = 60


class Victoria(Engine):
    """``push``: where it takes OTLP."""

    __slots__ = ()

    @property
    def push(self) -> str:
        return f"{self.url}/opentelemetry/v1/metrics"


@contextmanager
def running(place: Path, port: int) -> Iterator[Victoria]:
    """It keeps its data in ``place``: another one may go on with them."""
    folder = debian.unpacked("victoria-metrics", "sid") / "usr/bin"
    command = [
        folder / "victoria-metrics",
        f"-storageDataPath={place}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-opentelemetry.usePrometheusNaming",
        "-search.latencyOffset=0s",
        "-search.disableCache",
    ]
    with (
        (place / "victoria.log").open("a") as output,
        subprocess.Popen(command, stderr=output) as process,
    ):
        try:
            engine = Victoria(f"http://127.0.0.1:{port}")
            _wait(f"{engine.url}/health", place / "victoria.log")
            yield engine
        finally:
            process.terminate()
            process.wait(timeout=_DEADLINE_S)


def _wait(address: str, log: Path) -> None:
    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=_DEADLINE_S):
            return True
        return False

    wait_until(answers, f"it to answer; see {log}", deadline_s=_DEADLINE_S)
