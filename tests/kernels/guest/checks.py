"""Runs in the machine: checks iotrace there, and says what it found on the console as it goes.

checks.py FOLDER. Each line "ROW {...}" adds columns to the kernel's row (machine.py), so that a
machine that hangs keeps what it has found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
PYTHON = "/srv/iotrace/.venv/bin/python"
IOTRACE = (PYTHON, "-m", "iotrace")
DETAILS = ("full", "sockets", "light")
LIMIT_S = 240
ATTACH_S = 6
EXPECTED = {
    ("write", "pipe"): (1009, 7063, {}),
    ("read", "pipe"): (1009, 7063, {}),
    ("sendto", "unix"): (503, 1509, {}),
    ("recvfrom", "unix"): (503 + 211, 1509, {"EAGAIN": 211}),
    ("clock_nanosleep", ""): (17, 0, {}),
}
"""(call, kind): calls, bytes, errors of counts.py."""
SLEEPS = 17
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


def say(**columns: str) -> None:
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


def gap(report: dict[str, Any]) -> float:
    """How far a thread's states are from its wall time, at most, in parts of it."""
    gaps = [0.0]
    for process in report["processes"]:
        for thread in process["threads"]:
            states = thread["states_ns"]
            names = ("user", "kernel", "copy", "cpu", "runq", "unaccounted")
            known = sum(states.get(name) or 0 for name in names) + sum(states["wait"].values())
            gaps.append(abs(known - thread["lifetime_ns"]) / max(thread["lifetime_ns"], 1))
    return max(gaps)


def wrong_counts(report: dict[str, Any], detail: str) -> list[str]:
    """Calls of counts.py that were not counted as they were made."""
    found: dict[tuple[str, str], list[Any]] = {}
    for process in report["processes"]:
        for call in process["calls"]:
            row = found.setdefault((call["syscall"], call["kind"]), [0, 0, {}, 0])
            row[0] += call["calls"] or 0
            row[1] += call["bytes"] or 0
            row[2] |= call["errors"] or {}
            row[3] += call["sleeps"] or 0
    if detail == "light":
        slept = found.get(("clock_nanosleep", ""), [0, 0, {}, 0])[3]
        return [] if slept == SLEEPS else [f"{slept} of {SLEEPS} sleeps"]
    wrong = []
    for key, (calls, moved, errors) in EXPECTED.items():
        if detail == "sockets" and (key[1] != "unix" or "counts of socket calls" in na(report)):
            continue
        has = found.get(key, [0, 0, {}, 0])
        if has[0] != calls or (moved and has[1] != moved) or has[2] != errors:
            wrong.append(f"{key[0]}: {has[:3]} for {(calls, moved, errors)}")
    return wrong


def na(report: dict[str, Any]) -> dict[str, str]:
    """Columns that this kernel cannot give."""
    return dict(report["quality"]["unavailable"])


def verdict(code: int, out: str, messages: str, wrong: Any = None) -> tuple[str, dict[str, Any]]:
    """What a report says of itself, for a cell of the table."""
    try:
        report = json.loads(out)
    except ValueError:
        return f"exit code {code}: {first_words(messages)}", {}
    found = [f"exit code {code}"] if code else []
    found += wrong(report) if wrong else []
    lost = {name: count for name, count in report["quality"]["lost"].items() if count}
    found += [f"lost {lost}"] if lost else []
    found += [f"gap {100 * gap(report):.2g} %"] if gap(report) > 0.001 else []
    unaccounted = 100 * report["quality"]["unaccounted_ratio"]
    found += [f"unaccounted {unaccounted:.2g} %"] if unaccounted > 0.1 else []
    return "; ".join(found) or "ok", report


def counts(detail: str) -> None:
    """A program of known counts from its first instruction to its end."""
    program = str(FOLDER / "guest/counts.py")
    path = Path(f"/tmp/{detail}.json")
    options = ("-f", "json", "-o", str(path), "--detail", detail)
    code, _, messages = run(*IOTRACE, "run", *options, "--", PYTHON, program)
    out = path.read_text() if path.exists() else ""
    said, report = verdict(code, out, messages, lambda report: wrong_counts(report, detail))
    say(**{f"{detail} counts": "exact" if said == "ok" else said})
    if detail == "full" and report:
        columns = [name for name in na(report) if name != "probe_ns"]
        say(**{"n/a": "; ".join(sorted(columns)) or "-"})


def attach(detail: str, runs: int) -> None:
    """Attach to a server under load, while a real-time task preempts both."""
    subprocess.run(["gcc", "-O1", "-o", "/tmp/preempt", FOLDER / "guest/preempt.c"], check=True)
    preempting = [
        subprocess.Popen(["/tmp/preempt", str(cpu)]) for cpu in range(os.cpu_count() or 1)
    ]
    command = [PYTHON, str(FOLDER / "guest/server.py")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    pid = server.stdout.readline().strip()
    time.sleep(2)
    said: list[str] = []
    notes: list[str] = []
    for _ in range(runs):
        options = ("-d", str(ATTACH_S), "-f", "json", "--detail", detail)
        one, report = verdict(*run(*IOTRACE, "attach", pid, *options))
        said.append(one)
        notes += report["quality"]["notes"] if report else []
        bad = sorted({each for each in said if each != "ok"})
        cell = f"{said.count('ok')} of {len(said)} ok" + "".join(f"; {each}" for each in bad)
        say(**{f"{detail} under load": cell})
    print("NOTES", detail, json.dumps(notes), flush=True)
    for process in (server, *preempting):
        process.kill()
        process.wait()


def main() -> None:
    """All checks that the settings name."""
    settings = json.loads((FOLDER / "settings.json").read_text())
    say(kernel=os.uname().release)
    code, _, messages = run(PYTHON, "-c", SEED, str(FOLDER / "precompiled"))
    if code:
        print("the precompiled probes were not taken:", messages, flush=True)
    for detail in DETAILS:
        counts(detail)
    for detail, runs in settings["runs"].items():
        attach(detail, runs)
    say(end="ended")


main()
