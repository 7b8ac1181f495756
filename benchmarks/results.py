# SPDX-License-Identifier: Apache-2.0
"""What was measured, kept in a file: runs of single workloads add up to the whole table."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from iotrace import __version__

RESULTS = Path(__file__).parent / "results.json"


class Results:
    """``{"machine": ..., "workloads": {name: {...}}, "command": ..., "scale": ...}``"""

    def __init__(self, path: Path = RESULTS) -> None:
        self._path = path
        self.known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def put(self, section: str, name: str, value: Any) -> None:
        """Replace one part by a dict or a dataclass, and write the file."""
        self.known["machine"] = machine()
        self.known.setdefault(section, {})[name] = {"measured_at": _today(), **_plain(value)}
        self._path.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.5g}")
    return value


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def machine() -> str:
    """Where it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    virtual = "hypervisor" in Path("/proc/cpuinfo").read_text()
    return (
        f"Linux {platform.release()} on {platform.machine()}, {os.cpu_count()} CPUs"
        f"{' (a virtual machine)' if virtual else ''}: {_processor()}, {memory:.0f} GB; "
        f"Python {platform.python_version()}; iotrace {__version__}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
