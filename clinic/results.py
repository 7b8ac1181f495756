# SPDX-License-Identifier: Apache-2.0
"""What the runs of a case said: ``results.json`` in its directory.

``first`` is the first run ever, and is never written again; ``now`` is the latest.
"""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from clinic.case import Case
from clinic.judge import Verdict

_ROOT = Path(__file__).parents[1]


def known(case: Case) -> dict[str, Any]:
    path = case.directory / "results.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def keep(case: Case, verdict: Verdict) -> None:
    """Writes it down as the latest run, and as the first if there was none."""
    told = {
        "verdict": verdict.verdict,
        "findings": list(verdict.findings),
        "lacks": list(verdict.lacks),
        "says": list(verdict.says),
        "date": date.today().isoformat(),
        "commit": _commit(),
    }
    results = {"first": told, **known(case), "now": told}
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (case.directory / "results.json").write_text(f"{text}\n")


def _commit() -> str:
    told = ["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip()
