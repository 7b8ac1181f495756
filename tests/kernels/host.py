# SPDX-License-Identifier: Apache-2.0
"""The same checks on the kernel that runs here, without a machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.kernels.results import Row

_HERE = Path(__file__).parent


def try_host(work: Path, runs: dict[str, int], limit_s: float) -> Row:
    """Check. What the checks say is kept in ``work``/console; ``runs`` as in try_kernel."""
    folder = work / "in"
    folder.mkdir(parents=True)
    shutil.copytree(_HERE / "guest", folder / "guest")
    (folder / "settings.json").write_text(json.dumps({"runs": runs, "patience_s": 3}))
    began = time.monotonic()
    console = work / "console"
    checks = str(folder / "guest/checks.py")
    command = [sys.executable, checks, str(folder), sys.executable]
    with console.open("wb") as out:
        try:
            subprocess.run(command, stdout=out, stderr=out, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            out.write(b"\nno end\n")
    row = Row.of_console("host", console.read_text(errors="replace"))
    row.seconds = time.monotonic() - began
    return row
