# SPDX-License-Identifier: Apache-2.0
"""Runs in the machine: checks iotrace there, and says what it found on the console as it goes.

checks.py FOLDER. A line "ROW {...}" replaces parts of the kernel's row (results.py), so that a
machine that hangs keeps what it has found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from load import Load, is_attached, skipped_runs
from reports import gap, lost, unaccounted, unavailable, wrong_counts, wrong_python

FOLDER = Path(sys.argv[1])
PYTHON = sys.argv[2]
IOTRACE = (PYTHON, "-m", "iotrace")
LIMIT_S = 600
ATTACH_S = 6
SEED = """
import json, sys
from pathlib import Path
from iotrace.engine.image import Image
from iotrace.engine.image_cache import image_key, store_image
from iotrace.engine.map_limits import Limits
from iotrace.engine.probe_sources import sources_digest
from iotrace.report.detail import Detail
for told in Path(sys.argv[1]).glob("*.limits"):
    limits = json.loads(told.read_text())
    limits["detail"] = Detail(limits["detail"])
    key = image_key(sources_digest(), Limits(**limits), frozenset(), False)
    store_image(key, Image.from_bytes(told.with_suffix(".image").read_bytes()))
"""


def say(**columns: Any) -> None:
    """Add to the row."""
    print("ROW " + json.dumps(columns), flush=True)


def run(*command: str) -> tuple[int, str, str]:
    """Exit code, output, messages."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return 124, "", f"not done after {LIMIT_S} s"
    return done.returncode, done.stdout, done.stderr


def first_words(messages: str) -> str:
    """What went wrong, in a line."""
    return " ".join(messages.split("\n")[:2])[:200].replace("|", "/")


class Found:
    """What the runs in one detail have found so far; said after each."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        self.told: dict[str, Any] = {"runs": 0, "calls": 0, "gap": 0.0, "unaccounted": 0.0}
        self.told |= {"lost": {}, "failures": []}

    def add(self, code: int, out: str, messages: str) -> dict[str, Any]:
        """One report, {} where there is none."""
        self.told["runs"] += 1
        try:
            report: dict[str, Any] = json.loads(out)
        except ValueError:
            self.fail(f"exit code {code}: {first_words(messages)}")
            return {}
        if code:
            self.fail(f"exit code {code}")
        losses = self.told["lost"]
        for name, count in lost(report).items():
            losses[name] = losses.get(name, 0) + count
        self.told["gap"] = max(self.told["gap"], gap(report))
        self.told["unaccounted"] = max(self.told["unaccounted"], unaccounted(report))
        self.told["unavailable"] = unavailable(report, self.detail)
        for process in report["processes"]:
            self.told["calls"] += sum(call["calls"] or 0 for call in process["calls"])
        print("NOTES", self.detail, json.dumps(report["quality"]["notes"]), flush=True)
        return report

    def fail(self, why: str) -> None:
        """Say so, once."""
        self.told["failures"] = sorted({*self.told["failures"], why})

    def say(self) -> None:
        """As it is now."""
        say(**{self.detail: self.told})


def counts(found: Found, when: str = "") -> None:
    """A program of known counts from its first instruction to its end."""
    path, truth = FOLDER / "counts.json", FOLDER / "counts.truth"
    for old in (path, truth):
        old.unlink(missing_ok=True)
    options = ("-f", "json", "-o", str(path), "--detail", found.detail)
    program = str(FOLDER / "guest/counts.py")
    code, _, messages = run(*IOTRACE, "run", *options, "--", PYTHON, program, str(truth))
    report = found.add(code, path.read_text() if path.exists() else "", messages)
    wrong = ["none"]
    if report and truth.exists():
        wrong = wrong_counts(report, found.detail, json.loads(truth.read_text()))
    before = found.told.get("counts", "exact")
    if wrong:
        told = f"{when}{'; '.join(wrong)}"
        found.told["counts"] = told if before == "exact" else f"{before}; {told}"
    else:
        found.told["counts"] = before
    found.say()


def python(found: Found, patience_s: float) -> None:
    """Python lines, waits for the GIL and samples, against what a program says of itself."""
    path, truth = FOLDER / "python.json", FOLDER / "python.truth"
    program = str(FOLDER / "guest/python_work.py")
    options = ("-f", "json", "-o", str(path))
    code, _, messages = run(
        *IOTRACE, "run", *options, "--", PYTHON, program, str(truth), str(patience_s)
    )
    report = found.add(code, path.read_text() if path.exists() else "", messages)
    wrong = (
        wrong_python(report, json.loads(truth.read_text()))
        if report and truth.exists()
        else ["none"]
    )
    found.told["python"] = "; ".join(wrong) or "exact"
    if wrong:
        for process in report.get("processes", ()):
            print("LINES", json.dumps(process["lines"]), json.dumps(process["calls"]), flush=True)
    found.say()


def attach(found: Found, runs: int) -> None:
    """Attach to a server under load, while real-time tasks preempt both; the program of known
    counts beside them."""
    with Load(FOLDER, PYTHON) as load:
        counts(found, "preempted: ")
        options = ("-d", str(ATTACH_S), "-f", "json", "--detail", found.detail)
        command = (*IOTRACE, "attach", str(load.server), *options)
        for _ in range(runs):
            found.add(*run_beside(load, *command))
            found.say()


def run_beside(load: Load, *command: str) -> tuple[int, str, str]:
    """As run(), but the load waits until iotrace is attached: most of an emulated CPU's time would
    go by before."""
    out, messages = FOLDER / "attached.json", FOLDER / "attached.txt"
    with out.open("w") as stdout, messages.open("w") as stderr, load.paused():
        iotrace = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        end = time.monotonic() + LIMIT_S
        while iotrace.poll() is None and time.monotonic() < end and not is_attached(iotrace.pid):
            time.sleep(1)
        load.go_on()
        skipped: dict[str, list[int]] = {}
        while iotrace.poll() is None and time.monotonic() < end:
            with suppress(OSError):  # it ends
                skipped = skipped_runs(iotrace.pid) or skipped
            with suppress(subprocess.TimeoutExpired):
                iotrace.wait(1)
        if iotrace.poll() is None:
            iotrace.kill()
        code = iotrace.wait()
    print("SKIPPED", json.dumps(skipped), flush=True)
    return code, out.read_text(), messages.read_text()


def main() -> None:
    """All checks that the settings name."""
    settings = json.loads((FOLDER / "settings.json").read_text())
    say(kernel=os.uname().release, machine=os.uname().machine)
    if (FOLDER / "precompiled").exists():
        code, _, messages = run(PYTHON, "-c", SEED, str(FOLDER / "precompiled"))
        if code:
            print("the precompiled probes were not taken:", messages, flush=True)
    all_found = {detail: Found(detail) for detail in settings["runs"]}
    for found in all_found.values():
        counts(found)
    if "full" in all_found:
        python(all_found["full"], settings["patience_s"])
    for detail, runs in settings["runs"].items():
        attach(all_found[detail], runs)
    say(end="ended")


main()
