"""The probes' own C on a simulated machine that preempts them before any memory access.

Two CPUs run six threads that compute, call and sleep. The machine skips a program that already runs
on the CPU, as the kernel does, and knows what really happened.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iotrace.engine import program
from tests.unit.probes.plain_c import BPF_ASSEMBLER, compile_c, in_plain_c, probe_flags
from tests.unit.project.places import PACKAGES

_HERE = Path(__file__).parent
_PROBES = PACKAGES["iotrace.probes"]
_SEEDS, _STEPS = range(1, 5), 500_000
_LONGEST_CALL_NS = 40_000
"""And what a thread computes before (machine_threads.c)."""
_LEFT_OUT = ("kernel_memory.c", "sockets.c")


def _source() -> str:
    """All sources as one, for this machine's compiler."""
    names = [name for name in program.BASE_SOURCES if name not in _LEFT_OUT]
    text = '#include "machine.h"\n#include "records.h"\n' + "\n".join(
        f'#line 1 "{name}"\n' + (_PROBES / name).read_text() for name in names
    )
    text += (_HERE / "machine_access.c").read_text()
    assert all(text.count(bpf) == 1 for bpf in BPF_ASSEMBLER)
    text = in_plain_c(text)
    text, reads = re.subn(r"static long \(\*read_\w+\)\([^;]*;", "", text)
    assert reads == 3
    return text.replace('#include "tables.h"\n', "")


def _build(directory: Path, *, preemption_can_be_off: bool) -> Path:
    machine = directory / "machine"
    (directory / "probes.c").write_text(_source())
    flags = probe_flags(preemption_can_be_off=preemption_can_be_off)
    common = ["cc", "-O1", "-g", "-w", "-fno-strict-aliasing", f"-I{_HERE}", f"-I{_PROBES}", *flags]
    machines = ("machine.c", "machine_threads.c", "machine_accesses.c")
    sources = (directory / "probes.c", *(_HERE / name for name in machines))
    for source in sources:
        sanitized = source == sources[0]
        extra = ["-fsanitize=thread"] if sanitized else []
        target = directory / f"{source.stem}.{int(sanitized)}.o"
        compile_c(*common, *extra, "-c", source, "-o", target)
    compile_c("cc", "-o", machine, *directory.glob("*.o"))
    return machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield _build(tmp_path_factory.mktemp("machine"), preemption_can_be_off=True)


def _run(machine: Path, seed: int, pace: int) -> list[dict[str, Any]]:
    command = [str(machine), str(seed), str(_STEPS), str(pace)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("pace", [300, 3000, 30000])
def test_every_ledger_closes(machine: Path, pace: int) -> None:
    for seed in _SEEDS:
        threads = _run(machine, seed, pace)
        assert len(threads) == 6
        lost = sum(really - counted for counted, really in (one["calls"] for one in threads))
        assert 0 <= lost <= min(threads[0]["missed"])  # skipped one after the other, unseen
        for thread in threads:
            assert thread["seq"] % 2 == 0
            assert thread["states"] == thread["lifetime"]
            for state in ("runq", "wait"):
                charged, really = thread[state]
                assert charged == pytest.approx(really, rel=0.05)


def test_programs_are_skipped_and_nothing_is_lost(machine: Path) -> None:
    # How many programs a seed skips changes with every memory access that is added to the probes.
    runs = [_run(machine, seed, 30000) for seed in range(1, 13)]
    few = [threads for threads in runs if 5 < min(threads[0]["missed"][:2]) < 30]
    whole = [threads for threads in few if not threads[0]["unknown"]]
    assert len(whole) >= 5
    assert sum(sum(threads[0]["missed"]) for threads in whole) > 50
    assert sum(threads[0]["repaired"] for threads in whole) > 10
    for thread in (thread for threads in whole for thread in threads):
        assert thread["calls"][0] == thread["calls"][1]
        assert thread["bytes"][0] == thread["bytes"][1]
    for threads in whole:  # a thread that runs while another has sys_enter's program has most of it
        unaccounted = sum(thread["unaccounted"] for thread in threads)
        assert unaccounted < 0.005 * sum(thread["lifetime"] for thread in threads)
        assert unaccounted <= _LONGEST_CALL_NS * threads[0]["repaired"]


def test_without_the_precaution_ledgers_do_not_close(tmp_path: Path) -> None:
    machine = _build(tmp_path, preemption_can_be_off=False)
    found = [thread for seed in _SEEDS for thread in _run(machine, seed, 300)]
    assert any(thread["states"] != thread["lifetime"] for thread in found)
