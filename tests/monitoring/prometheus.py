"""Debian's Prometheus, on a port of loopback."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.monitoring import debian
from tests.waiting import wait_until

_DEADLINE_S = 60
_CONFIG = """\
global: {{scrape_interval: 500ms, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: iotrace
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def programs() -> Path:
    """The folder with ``prometheus`` and ``promtool``. Raises Unreachable."""
    return debian.unpacked("prometheus", "bookworm") / "usr/bin"


@dataclass(slots=True)
class Engine:
    """One that runs, and is asked as Prometheus is by HTTP."""

    url: str

    def query(self, expression: str) -> list[Any]:
        """The result of an instant query; raises AssertionError where it is none."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(address, timeout=_DEADLINE_S) as answer:
            content = json.load(answer)
        assert content["status"] == "success", content
        result: list[Any] = content["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        """Of one series; None: there is none yet."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def wait_for(self, expression: str, least: float = 0.0) -> float:
        """Until a query has a value of at least this."""
        found: list[float] = []

        def reached() -> bool:
            value = self.value(expression)
            found[:] = [] if value is None else [value]
            return bool(found) and found[0] >= least

        wait_until(reached, f"{expression} >= {least:g}", deadline_s=_DEADLINE_S)
        return found[0]


@contextmanager
def running(place: Path, port: int, rules: Path) -> Iterator[Engine]:
    """It scrapes 127.0.0.1:``port`` twice a second, and keeps its data in ``place``."""
    (place / "prometheus.yml").write_text(_CONFIG.format(port=port, rules=rules))
    log = place / "log"
    command = [
        programs() / "prometheus",
        f"--config.file={place}/prometheus.yml",
        f"--storage.tsdb.path={place}/data",
        "--web.listen-address=127.0.0.1:0",
    ]
    with log.open("w") as output, subprocess.Popen(command, stderr=output) as process:
        try:
            yield Engine(_address(process.pid, log))
        finally:
            process.terminate()
            process.wait(timeout=_DEADLINE_S)


def _address(pid: int, log: Path) -> str:
    """The port that the kernel chose stands in its log, or is what it listens on."""
    ports: list[int] = []

    def ready() -> bool:
        with contextlib.suppress(OSError):
            ports[:] = listening(pid)
            return bool(ports) and "Server is ready" in log.read_text()
        return False

    wait_until(ready, f"Prometheus to be ready; its log is {log}", deadline_s=_DEADLINE_S)
    return f"http://127.0.0.1:{ports[0]}"


def listening(pid: int) -> list[int]:
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
            inodes.add(found[1] if found else "")
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return [
        int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes
    ]
